"""Exercises that check what the reader made, and the sentence that says so."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from helpers.study import PipelineOptions

from . import page


@dataclass(frozen=True)
class Told:
    """A sentence for the reader, with a coloured edge in a notebook.

    Attributes:
        text: The sentence.
        good: Whether the reader was right, or None where nobody answered.
    """

    text: str
    good: bool | None = None

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        kind = {True: "good", False: "open", None: "plain"}[self.good]
        return page.STYLE + page.note(self.text, kind=kind)


class Exercise:
    """A task with a check that looks at what was made, never at how fast it ran."""

    def __init__(
        self,
        *,
        want: Mapping[str, Any] | None = None,
        yields: Sequence[Any] | None = None,
        equals: Any = None,
        hint: str,
    ) -> None:
        """Says what is wanted, in one of three ways.

        Args:
            want: Values that fields of a `PipelineOptions` must have.
            yields: Arrays that a generator function must yield, in order.
            equals: What the reader's value must equal.
            hint: What to tell a reader who is not there yet.
        """
        self._want, self._yields, self._equals, self._hint = want, yields, equals, hint

    def check(self, made: Any) -> Told:
        """Tells whether the reader's value does what was asked, and otherwise what is missing.

        Args:
            made: Options, a generator function, or a value, as the task asks for.
        """
        if self._want is not None:
            missing = self._missing_fields(made)
        elif self._yields is not None:
            missing = _missing_rows(made, self._yields)
        else:
            missing = "" if _same(made, self._equals) else f"it is {made}"
        if missing:
            return Told(f"Not yet: {missing}. Hint: {self._hint}", False)
        return Told("Right.", True)

    def _missing_fields(self, made: Any) -> str:
        if not isinstance(made, PipelineOptions):
            return f"a PipelineOptions is wanted, not a {type(made).__name__}"
        wrong = [
            f"{name} is {getattr(made, name)!r}"
            for name, value in (self._want or {}).items()
            if getattr(made, name) != value
        ]
        return ", ".join(wrong)


def _same(made: Any, wanted: Any) -> bool:
    """Compares values that may be arrays, and anything that the reader may have made."""
    try:
        return bool(np.all(made == wanted))
    except Exception:  # arrays of other shapes, and types that refuse to be compared
        return False


def _missing_rows(generator: Callable[[], Iterable[Any]], wanted: Sequence[Any]) -> str:
    """What is wrong with the rows of a generator function, or nothing."""
    if not callable(generator):
        return "a generator function is wanted, without its parentheses"
    try:
        rows = list(islice(generator(), len(wanted) + 1))
    except Exception as error:  # the reader's code may raise anything
        return f"the generator raised {type(error).__name__}: {error}"
    for number, (row, right) in enumerate(zip(rows, wanted, strict=False)):
        if not isinstance(row, np.ndarray):
            return f"row {number} is a {type(row).__name__}, not an array"
        if row.dtype != right.dtype or row.shape != right.shape:
            return (
                f"row {number} is {row.dtype} of shape {row.shape}, "
                f"and {right.dtype} of shape {right.shape} is wanted"
            )
        if not np.array_equal(row, right):
            return f"row {number} holds other numbers"
    if len(rows) != len(wanted):
        more = "more than " if len(rows) > len(wanted) else ""
        return f"it yields {more}{min(len(rows), len(wanted))} rows, and {len(wanted)} are wanted"
    return ""
