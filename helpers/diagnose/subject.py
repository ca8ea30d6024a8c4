"""What was brought, resolved to what can be run: rows in Python, a pipeline, or both."""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from helpers.diagnose.guard import file_name
from helpers.diagnose.unearth import generators_of
from helpers.quiet import tf

SHARDS = ("shard", "num_shards")
"""Parameters by which a generator yields a share of its rows; the bridge's workers set them."""


@dataclass(frozen=True)
class Subject:
    """What is examined.

    Attributes:
        kind: "generator" (a function that returns an iterable), "object" (a generator that runs
            once), "sequence" (length and items), "batches" (a sequence whose items are batches),
            or "pipeline" (a data set, with or without a generator in it).
        name: What it is called.
        code: The user's function or class, for its source; None if there is none in Python.
        rows: Returns a fresh iterator over rows, its arguments bound; None if no rows in Python
            can be had.
        pipeline: Returns the data set as it was brought; None unless `kind` is "pipeline".
        signature: As given, or as the data set's generator has it; None if it is missing.
        args: What the generator is called with.
        source: The sequence itself, for "sequence" and "batches".
        rebuild: The callable that builds the pipeline; None if a finished data set was brought.
        padded: Whether its rows differ in length, so that only padding makes batches of them.
    """

    kind: str
    name: str
    code: Any
    rows: Callable[[], Iterator[Any]] | None
    pipeline: Callable[[], tf.data.Dataset] | None = None
    signature: Any = None
    args: tuple[Any, ...] = ()
    source: Any = None
    rebuild: Callable[[], tf.data.Dataset] | None = None
    padded: bool = False

    @property
    def file(self) -> str:
        """The user's file; "" if unknown."""
        try:
            return inspect.getsourcefile(inspect.unwrap(self.code)) or ""
        except TypeError:
            return ""

    @property
    def shards(self) -> bool:
        """Whether its function takes `shard` and `num_shards`."""
        return self.kind == "generator" and set(SHARDS) <= set(_parameters(self.code))

    def at(self, line: int) -> str:
        """Names a line of the user's file, as "file.py:12"."""
        return f"{file_name(self.file)}:{line}" if self.file and line else ""


def resolve(
    subject: Any, output_signature: Any = None, args: Sequence[Any] | None = None
) -> Subject:
    """Finds out what was brought; a callable without required parameters is called once.

    Args:
        subject: As for `examine`.
        output_signature: As for `examine`.
        args: As for `examine`.

    Raises:
        TypeError: If it is nothing that yields rows.
        ValueError: If a callable needs arguments that are not given.
    """
    given = tuple(args or ())
    if hasattr(subject, "iloc"):  # its items are columns
        raise TypeError(
            f"a pandas {type(subject).__name__} is no sequence of rows: pass its to_numpy(), or "
            "what bridge.from_source(frame) gives."
        )
    if isinstance(subject, tf.data.Dataset):
        return _of_dataset(subject, _name(subject, "data set"), None)
    if isinstance(subject, type) or (callable(subject) and not hasattr(subject, "__getitem__")):
        return _of_callable(subject, output_signature, given)
    if hasattr(subject, "__len__") and hasattr(subject, "__getitem__"):
        return _of_sequence(subject, output_signature)
    if hasattr(subject, "__next__"):
        rest = [subject]
        code = getattr(subject, "gi_code", type(subject))
        name = _name(subject, "generator object")
        return Subject("object", name, code, lambda: rest[0], signature=output_signature)
    if hasattr(subject, "__iter__"):
        return Subject(
            "generator", _name(type(subject), "iterable"), type(subject),
            lambda: iter(subject), signature=output_signature,
        )  # fmt: skip
    raise TypeError(
        "the doctor takes a generator function, a sequence, a tf.data.Dataset or a function that "
        f"returns one of them; found {type(subject).__name__}."
    )


def _of_callable(function: Any, signature: Any, args: tuple[Any, ...]) -> Subject:
    required = [
        name
        for name, parameter in _parameters(function).items()
        if parameter.default is parameter.empty
        and parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)
    ]
    bound: dict[str, Any] = {}
    if set(required[len(args) :]) <= set(SHARDS):
        bound = {
            name: place for name, place in zip(SHARDS, (0, 1), strict=True) if name in required
        }
    if len(required) > len(args) + len(bound):
        missing = ", ".join(required[len(args) :])
        raise ValueError(
            f"{_name(function, 'the function')} needs {missing}: give them as args, or pass a "
            "function that needs nothing."
        )
    arrays = tuple(tf.convert_to_tensor(value).numpy() for value in args)  # as tf.data does
    call = functools.partial(function, *arrays, **bound)
    if inspect.isgeneratorfunction(inspect.unwrap(function)):
        return Subject(
            "generator", _name(function, "generator"), function, lambda: iter(call()),
            signature=signature, args=args,
        )  # fmt: skip
    made = call()
    if isinstance(made, tf.data.Dataset):
        return _of_dataset(made, _name(function, "pipeline"), call)
    if hasattr(made, "__len__") and hasattr(made, "__getitem__"):
        return replace(_of_sequence(made, signature), name=_name(function, "sequence"))
    if hasattr(made, "__iter__"):
        return Subject(
            "generator", _name(function, "iterable"), _code_of(function, made),
            lambda: iter(call()), signature=signature, args=args,
        )  # fmt: skip
    raise TypeError(
        f"{_name(function, 'the function')} returned {type(made).__name__}, which yields no rows: "
        "return an iterable or a tf.data.Dataset."
    )


def _of_dataset(dataset: Any, name: str, rebuild: Callable[[], Any] | None) -> Subject:
    found = generators_of(dataset)
    rows = code = signature = None
    args: tuple[Any, ...] = ()
    if len(found) == 1 and not _ours(found[0].generator):
        generator, signature, args = found[0].generator, found[0].element_spec, found[0].args
        code = generator
        try:
            inspect.signature(generator).bind(*args)
            rows = lambda: iter(generator(*args))  # noqa: E731
        except (TypeError, ValueError):  # its arguments could not be found
            rows = None
    return Subject("pipeline", name, code, rows, lambda: dataset, signature, args, rebuild=rebuild)


def _ours(generator: Any) -> bool:
    """Whether a generator is the bridge's own, whose rows are chunks."""
    module = getattr(generator, "__module__", None) or type(generator).__module__
    return module.startswith("helpers.bridge")


def _of_sequence(sequence: Any, signature: Any) -> Subject:
    batches = isinstance(sequence, tf.keras.utils.PyDataset)
    count = sequence.num_batches if batches else len(sequence)
    indices = range(count) if count is not None else None
    return Subject(
        "batches" if batches else "sequence", _name(type(sequence), "sequence"),
        type(sequence), lambda: map(sequence.__getitem__, indices or itertools.count()),
        signature=signature, source=sequence,
    )  # fmt: skip


def _code_of(function: Any, made: Any) -> Any:
    """The class whose `__next__` runs, if the user wrote one; else the function."""
    own = type(made)
    return own if inspect.isclass(own) and own.__module__ == function.__module__ else function


def _parameters(function: Any) -> dict[str, inspect.Parameter]:
    try:
        return dict(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return {}


def _name(thing: Any, fallback: str) -> str:
    name = getattr(thing, "__qualname__", None) or getattr(thing, "__name__", None) or fallback
    return name.rpartition("<locals>.")[2]  # where it was defined helps nobody
