"""What looks at answers have in common: to call, to pull, to count, to compare."""

from __future__ import annotations

import inspect
import math
import numbers
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from itertools import islice
from typing import Any

import numpy as np

from helpers.quiet import tf
from helpers.study import PipelineOptions

from .exercise import NotYetError, Seen

_FREE = ("take", "count", "seed")
"""Options that change how much runs, and not what."""


def options(
    made: Any, seen: Seen, want: PipelineOptions, sentences: Mapping[Any, str]
) -> PipelineOptions:
    """Looks at options that a reader set.

    Args:
        made: The answer.
        seen: Gets the code of the pipeline.
        want: The right options.
        sentences: What to say of a field with a value of its own, by (field, value), and of a
            field with any other wrong value, by field. `{value}` stands for the value.

    Returns:
        The answer.
    """
    if not isinstance(made, PipelineOptions):
        raise NotYetError(f"PipelineOptions(…) is wanted, not {_a(made)}.")
    seen.code = made.code()
    first = [key if isinstance(key, str) else key[0] for key in sentences]
    others = [field.name for field in fields(PipelineOptions) if field.name not in _FREE]
    for name in dict.fromkeys([*first, *others]):
        value = getattr(made, name)
        if value == getattr(want, name):
            continue
        said = sentences.get((name, value)) or sentences.get(name)
        raise NotYetError(
            said.format(value=value)
            if said
            else f"{name} is {value!r}, and nobody asked for that: leave it at "
            f"{getattr(want, name)!r}, for of two changes you cannot tell which one did it."
        )
    return made


def number(made: Any, right: float, known: Mapping[float, str], otherwise: str) -> None:
    """Looks at a number.

    Args:
        made: The answer: a number, or a ratio.
        right: What it should be.
        known: What to say of wrong numbers that come from a known mistake.
        otherwise: What to say of any other; `{value}` stands for it.
    """
    value = getattr(made, "value", made)
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise NotYetError(f"A number is wanted, not {_a(made)}.")
    if math.isclose(value, right, rel_tol=1e-3):
        return
    for wrong, said in known.items():
        if math.isclose(value, wrong, rel_tol=5e-3):
            raise NotYetError(said)
    raise NotYetError(otherwise.format(value=f"{value:g}"))


def filled(made: Any, names: Iterable[str]) -> dict[str, Any]:
    """Looks at a dictionary in which each name should have a value by now."""
    names = list(names)
    if not isinstance(made, dict) or set(made) != set(names):
        raise NotYetError(f"A dictionary is wanted that has {listed(names)} and nothing else.")
    for name in names:
        if made[name] is ... or made[name] is None:
            raise NotYetError(f"“{name}” has no answer yet.")
    return made


def called(made: Any, *args: Any) -> Any:
    """Calls a function that a reader wrote."""
    if not callable(made):
        raise NotYetError(
            f"The function itself is wanted, without parentheses behind it, not {_a(made)}."
        )
    try:
        inspect.signature(made).bind(*args)
    except TypeError:
        raise NotYetError(
            "Leave the function's parameters as they were: the check calls it with its own."
        ) from None
    except ValueError:  # a builtin without a signature
        pass
    return made(*args)


def pulled(made: Any, *args: Any, most: int) -> list[Any]:
    """Calls a generator function and pulls its elements, one more than `most` at most."""
    return list(islice(opened(made, *args), most + 1))


def opened(made: Any, *args: Any) -> Iterator[Any]:
    """Calls a generator function, and pulls nothing yet."""
    rows = called(made, *args)
    if rows is None:
        raise NotYetError("The function gives nothing: a generator says `yield` for each element.")
    if not isinstance(rows, Iterable):
        raise NotYetError(f"The function returns {_a(rows)}: a generator says `yield` instead.")
    return iter(rows)


def array(
    element: Any, where: str, *, dtype: Any = np.float32, shape: Sequence[int] | None = None
) -> np.ndarray:
    """Looks at one element that should be a NumPy array.

    Args:
        element: What was yielded.
        where: What to call it, such as "Row 0".
        dtype: What it should have.
        shape: What it should have, if that is known.
    """
    if tf.is_tensor(element):
        raise NotYetError(
            f"{where} is a tensor: that is the detour of notebook 04, an array goes straight."
        )
    if isinstance(element, (list, tuple, dict)):
        raise NotYetError(
            f"{where} is a {type(element).__name__} of {len(element)}, which would cross as "
            f"{len(element)} components: make one array of it."
        )
    if not isinstance(element, np.ndarray):
        raise NotYetError(f"{where} is {_a(element)}, and an array is wanted.")
    if element.dtype != dtype:
        raise NotYetError(
            f"{where} holds {element.dtype}, and {np.dtype(dtype)} is wanted: say the dtype where "
            "the array is made."
        )
    if shape is not None and element.shape != tuple(shape):
        raise NotYetError(f"{where} has the shape {element.shape}, and {tuple(shape)} is wanted.")
    return element


def dataset(made: Any) -> tf.data.Dataset:
    """Looks whether something is a data set."""
    if not isinstance(made, tf.data.Dataset):
        raise NotYetError(f"The function should return a data set, not {_a(made)}.")
    return made


def numbered(count: int, shape: Sequence[int] = (2, 3)) -> np.ndarray:
    """Rows that differ from each other in every element.

    Returns:
        float32[count, *shape]
    """
    return np.arange(count * math.prod(shape), dtype=np.float32).reshape(count, *shape)


def each_once(found: Sequence[int], count: int, sentence: Mapping[str, str]) -> None:
    """Looks whether rows 0 to count - 1 came once each, and in order.

    Args:
        found: The numbers of the rows that came.
        count: How many there are.
        sentence: What to add where rows are "lost" or "doubled".
    """
    lost = sorted(set(range(count)) - set(found))
    doubled = sorted({one for one in found if list(found).count(one) > 1})
    if doubled:
        raise NotYetError(
            f"Row {doubled[0]} comes {list(found).count(doubled[0])} times. {sentence['doubled']}"
        )
    if lost:
        which = f"Row {lost[0]}" if len(lost) == 1 else f"Rows {listed(lost, most=3)}"
        raise NotYetError(f"{which} never came. {sentence['lost']}")
    if list(found) != list(range(count)):
        raise NotYetError("All rows come, but not in their order.")


class Counted:
    """A function that counts its calls.

    Attributes:
        calls: The arguments of each.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        """Counts from nothing."""
        self._function = function
        self.calls: list[tuple[Any, ...]] = []

    def __call__(self, *args: Any) -> Any:
        """Notes the arguments and calls the function."""
        self.calls.append(args)
        return self._function(*args)


class Stream:
    """Rows that come one by one and cannot be sliced.

    Attributes:
        asked: How many were asked for so far.
    """

    def __init__(self, rows: Sequence[Any]) -> None:
        """Has the rows; none was asked for."""
        self._rows = iter(rows)
        self.asked = 0

    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        row = next(self._rows)
        self.asked += 1
        return row


def listed(values: Iterable[Any], most: int = 10) -> str:
    """Some values as a text lists them."""
    words = [str(value) for value in values]
    if len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most} more"
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def _a(thing: Any) -> str:
    name = type(thing).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
