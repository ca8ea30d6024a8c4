"""What makes a notebook a lesson: predictions that meet the measurement, exercises that check."""

from __future__ import annotations

import html
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import ipywidgets as widgets
import numpy as np

from helpers.measure import Ratio
from helpers.study import PipelineOptions

from . import page

_answers: dict[str, str] = {}
"""By question, so that running a cell again does not forget what the reader said."""


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


class Prediction(widgets.VBox):
    """A question before a measurement; it keeps the reader's answer for `reveal`.

    Attributes:
        question: The question.
        choices: The answers; each with the value below which it holds, where answers are numbers.
    """

    def __init__(self, question: str, choices: Mapping[str, float] | Sequence[str]) -> None:
        """Shows the question; nothing is chosen, unless the reader chose before.

        Args:
            question: The question.
            choices: The answers as words; or each with the value below which it holds and the one
            before it does not, ascending to infinity, so that no value is left without an answer.

        Raises:
            ValueError: If there are fewer than two choices, or their ends leave a gap.
        """
        self.question = question
        self.choices: dict[str, float | None] = (
            dict(choices) if isinstance(choices, Mapping) else dict.fromkeys(choices)
        )
        if len(self.choices) < 2:
            raise ValueError("a prediction needs two choices or more.")
        ends = [end for end in self.choices.values() if end is not None]
        if ends and (ends != sorted(set(ends)) or ends[-1] != math.inf):
            raise ValueError("the choices' ends must ascend, the last to infinity.")
        known = _answers.get(question)
        self.buttons = widgets.RadioButtons(
            options=list(self.choices),
            value=known if known in self.choices else None,
            layout={"width": "auto"},
        )
        self.buttons.add_class("wb-choices")
        self.buttons.observe(self._keep, "value")
        asked = f"<b>Your prediction.</b> {html.escape(question)}"
        super().__init__([widgets.HTML(page.STYLE + asked), self.buttons])
        self.add_class("wb-lesson")
        self.add_class("wb-prediction")

    @property
    def answer(self) -> str | None:
        """What the reader chose, or None."""
        return self.buttons.value

    def reveal(self, found: Ratio | float | str) -> Told:
        """Holds the answer against what was measured.

        Args:
            found: A ratio, a number in the unit of the choices' ends, or one of the choices.

        Raises:
            ValueError: If no choice covers what was found.
        """
        right = self._choices(found)
        said = f"{right[0]}."
        if found != right[0]:
            said = f"Measured: {_written(found)}, so: {' or '.join(right)}."
        if self.answer is None:
            return Told(f"{said} (You made no prediction.)")
        if self.answer not in right:
            return Told(f"You said “{self.answer}”. {said}", False)
        so = "so it is" if len(right) == 1 else "so it may be"
        return Told(f"You said “{self.answer}”, and {so}. {said}", True)

    def _choices(self, found: Ratio | float | str) -> list[str]:
        """The choices that what was found allows: of a ratio, all that its interval touches."""
        if isinstance(found, str):
            allowed = [found] if found in self.choices else []
        else:
            is_ratio = isinstance(found, Ratio)
            low, high = (found.low, found.high) if is_ratio else (found, found)
            start, allowed = -math.inf, []
            for choice, end in self.choices.items():
                if end is not None and start <= high and low < end:
                    allowed.append(choice)
                start = end if end is not None else start
        if not allowed:
            raise ValueError(f"no choice of {', '.join(self.choices)} covers {_written(found)}.")
        return allowed

    def _keep(self, change: Any) -> None:
        _answers[self.question] = change["new"]

    def __repr__(self) -> str:
        """Says what it is, where ipywidgets would list its traits."""
        return f"Prediction: {self.question}"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        # The view needs a kernel; a saved notebook shows the HTML.
        listed = "".join(f"<li>{html.escape(choice)}</li>" for choice in self.choices)
        static = f"<p><b>Your prediction.</b> {html.escape(self.question)}</p><ul>{listed}</ul>"
        return super()._repr_mimebundle_(**kwargs) | {"text/html": static}


def _written(found: Ratio | float | str) -> str:
    return f"{found:.3g}" if isinstance(found, (int, float)) else str(found)


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
