"""A prediction before a measurement, held against what was found."""

from __future__ import annotations

import html
import math
from collections.abc import Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from helpers.measure import Ratio

from . import page
from .lesson import Told

_answers: dict[str, str] = {}
"""By question, so that running a cell again does not forget what the reader said."""


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
