"""Finds the Python generator within a data set that was built with from_generator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from helpers.quiet import tf

STATE = "_GeneratorState"
"""The class in from_generator_op.py that holds the generator, within closures of `flat_map`."""


@dataclass(frozen=True)
class Found:
    """A generator within a data set.

    Attributes:
        generator: The function that `from_generator` was given, its `args` not bound.
        element_spec: What an element of it looks like.
        args: Tensors that it is called with, as arrays; empty without.
    """

    generator: Callable[..., Any]
    element_spec: Any
    args: tuple[Any, ...]


def generators_of(dataset: tf.data.Dataset) -> list[Found]:
    """Returns the generators that a data set draws from, as far as they can be found.

    It reads private parts of TensorFlow, so it is written to find nothing rather than to fail.

    Args:
        dataset: Any.
    """
    found: list[Found] = []
    waiting, seen = [dataset], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        held = _held_by(getattr(getattr(one, "_map_func", None), "_func", None))
        generator = getattr(held.get("state"), "_generator", None)
        if callable(generator):
            found.append(Found(generator, one.element_spec, held.get("args", ())))
        waiting += inputs_of(one)
    return found


def inputs_of(dataset: Any) -> list[Any]:
    """Returns the data sets that one draws from, as far as TensorFlow tells."""
    try:
        return list(dataset._inputs())
    except Exception:  # of another version
        return []


def _held_by(function: Any) -> dict[str, Any]:
    """Walks a function's closures for the generator's state and the arguments it is called with."""
    held: dict[str, Any] = {}
    waiting, seen = [function], set()
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        names = getattr(getattr(one, "__code__", None), "co_freevars", ())
        for name, cell in zip(names, getattr(one, "__closure__", None) or (), strict=False):
            try:
                value = cell.cell_contents
            except ValueError:  # an empty cell
                continue
            if type(value).__name__ == STATE:
                held["state"] = value
            elif name == "args" and value:
                held["args"] = tuple(part.numpy() for part in value if hasattr(part, "numpy"))
            elif callable(value):
                waiting.append(value)
    return held
