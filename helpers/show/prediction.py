"""A prediction before a measurement, held against what was found."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import anywidget
import traitlets

from helpers.measure import mine, quick

from .choices import Choices, Found
from .covered import Covered
from .frame import Frame

KIND = "predictions"
"""What `helpers.measure.mine` calls them. By question: the `answer` or None and, once the reader
has seen the result, what was `found` in words and, after a full run, the answers
that are `right`."""

_HERE = Path(__file__).parent


class _Question(anywidget.AnyWidget):
    """The question as the browser has it, which decides when the result is shown."""

    _esm = _HERE / "prediction.js"
    _css = _HERE / "prediction.css"
    question = traitlets.Unicode().tag(sync=True)
    choices = traitlets.List().tag(sync=True)  # pairs of label and limits
    answer = traitlets.Unicode(None, allow_none=True).tag(sync=True)
    told = traitlets.Dict().tag(sync=True)  # by answer, "" for none; empty until something is found
    shown = traitlets.Bool(False).tag(sync=True)


class Prediction(Frame):
    """A question before a measurement. Its answer counts until the result is shown.

    The result stays covered until the reader answers, or asks to be shown it. What they said and
    what was found are kept beside the notebook. A saved notebook has the question with its choices,
    and what was found in a sentence behind a click; where the reader has seen it, in plain sight.

    Attributes:
        question: The question.
        choices: The answers, and what each covers.
    """

    def __init__(
        self,
        question: str,
        choices: Mapping[str, float] | Sequence[str],
        *,
        unit: str = "×",
        says: str = "it is {}",
    ) -> None:
        """Asks; nothing is chosen, unless the reader chose before.

        Args:
            question: The question.
            choices: As `Choices` takes them: words, or each with the value below which it holds.
            unit: Of the values.
            says: A sentence about what was found, with braces where it stands.

        Raises:
            ValueError: As `Choices`.
        """
        self.question = question
        self.choices = Choices(choices, unit=unit, says=says)
        self._found: Found | None = None
        self._covered: Covered | None = None
        known = mine.read(KIND).get(question, {}).get("answer")
        self._ask = _Question(
            question=question,
            choices=list(zip(self.choices.labels, self.choices.limits, strict=True)),
            answer=known if known in self.choices.labels else None,
        )
        super().__init__([self._ask], "wb-prediction")
        self._ask.observe(self._answered, ["answer", "shown"])

    @property
    def answer(self) -> str | None:
        """What the reader chose, or None."""
        return self._ask.answer

    @property
    def shown(self) -> bool:
        """Whether the reader has seen the result."""
        return self._ask.shown

    def reveal(self, found: Found, *shown: Any) -> Covered:
        """Takes what was found, and covers what shows it until the question is settled.

        Args:
            found: A verdict of a measurement, whose sentence then says whether the noise hides a
                difference; a ratio, a number in the unit of the choices, or one of the choices.
            *shown: What the cell would have shown: figures, tables, sentences.

        Raises:
            ValueError: If no choice covers what was found.
        """
        right = self.choices.allowed(found)
        self._found = found
        self._covered = Covered(self._ask, shown)
        shows_nothing = _shows_nothing(found)
        self._ask.told = {
            answer or "": {"text": self.choices.told(answer, found), "kind": kind}
            for answer in (None, *self.choices.labels)
            for known in ["good" if answer in right else "open"]
            for kind in ["plain" if answer is None or shows_nothing else known]
        }
        if self.answer is not None:
            self._ask.shown = True
        self._note()
        return self._covered

    def saved(self) -> str:
        """The question and its choices, and what was found."""
        listed = "".join(
            f"<li>{html.escape(label)}{f' <em>({html.escape(limits)})</em>' if limits else ''}</li>"
            for label, limits in self._ask.choices
        )
        said = f"<p><b>Your prediction.</b> {html.escape(self.question)}</p><ul>{listed}</ul>"
        if self.shown:
            said += f"<p>{html.escape(self.choices.told(self.answer, self._found))}</p>"
        elif self._found is not None:
            told = html.escape(self.choices.told(None, self._found))
            said += f"<details><summary>What was found</summary>{told}</details>"
        elif self.answer is not None:
            said += f"<p>You said “{html.escape(self.answer)}”.</p>"
        return said

    def _answered(self, change: Any) -> None:
        self._note()
        if self._covered is not None:
            self._covered.save()

    def _note(self) -> None:
        """Keeps what the reader did, if anything, in the file and in the notebook."""
        noted: dict[str, Any] = {"answer": self.answer}
        if self.shown:
            noted["found"] = self.choices.written(self._found)
            if _shows_nothing(self._found):
                noted["found"] += ", in a quick run, which shows nothing"
            else:
                noted["right"] = self.choices.allowed(self._found)
        if self.shown or self.answer is not None:
            mine.keep(KIND, self.question, noted)
        self.save()

    def __repr__(self) -> str:
        """Says what it is, where ipywidgets would list its traits."""
        return f"Prediction: {self.question}"


def _shows_nothing(found: Found) -> bool:
    """Whether a quick run made it, whose numbers say nothing."""
    return quick() and not isinstance(found, str)
