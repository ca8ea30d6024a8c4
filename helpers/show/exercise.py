"""What a check found, in words and counts, with a hint and a solution on demand."""

from __future__ import annotations

import html
import re
from typing import Any

import ipywidgets as widgets

from helpers.exercises import EXERCISES, Count, Exercise, Finding
from helpers.measure import mine

from . import page
from .frame import Frame
from .view import button, html_box

KEPT = "exercises"
"""The kind under which what a reader solved is kept; see `helpers.measure.mine`."""

_STYLE = """<style>
.wb-counts { border-collapse: collapse; font-size: 12px; margin: 6px 0 0 14px; }
.wb-counts td { padding: 1px 10px 1px 0; text-align: left; border: 0;
  color: var(--jp-content-font-color1, black); }
.wb-counts .wb-bars { width: 140px; }
.wb-counts .wb-faint { white-space: nowrap; }
.wb-counts .wb-bar { height: 7px; margin: 1px 0; min-width: 1px; background: #0072B2; }
.wb-counts .wb-bar.wb-wanted { background: var(--jp-border-color1, #bbb); }
.wb-exercise code { font-family: var(--jp-code-font-family, monospace); }
.wb-exercise pre { margin: 6px 0 0; padding: 8px; overflow: auto; font-size: 12px;
  color: var(--jp-content-font-color1, black); background: var(--jp-layout-color2, #f5f5f5); }
</style>"""

_KIND = {"nothing": "plain", "wrong": "open", "right": "good"}


def check(name: str, made: Any) -> Checked:
    """Looks at a reader's answer, and keeps it in mind if it is right.

    Args:
        name: Of the exercise.
        made: What the reader's code made.

    Raises:
        ValueError: If there is no such exercise.
    """
    if name not in EXERCISES:
        raise ValueError(f"there is no exercise {name!r}: there are {', '.join(EXERCISES)}.")
    exercise = EXERCISES[name]
    finding = exercise.check(made)
    if finding.state == "right":
        mine.keep(KEPT, name, {"solved": True})
    return Checked(exercise, finding, solved_before=name in mine.read(KEPT))


class Checked(Frame):
    """The sentence of a check, what was counted, and buttons for a hint and the solution.

    Attributes:
        finding: What the check found.
        hint_button: Shows the hint, or hides it.
        solution_button: Shows the solution, or hides it.
    """

    def __init__(self, exercise: Exercise, finding: Finding, *, solved_before: bool) -> None:
        """Shows the sentence; hint and solution wait for their buttons.

        Args:
            exercise: What was asked.
            finding: What its check found.
            solved_before: Whether the reader has solved it, now or once.
        """
        self._exercise, self.finding = exercise, finding
        self._said = [finding.sentence]
        if solved_before and finding.state == "nothing":
            self._said.append("You have solved this one before.")
        self.hint_button = button("Hint", "", "Show or hide the hint", "wb-hint", flex="0 0 auto")
        self.solution_button = button(
            "Solution", "", "Show or hide the solution", "wb-solution", flex="0 0 auto"
        )
        self._message = html_box("wb-message")
        self._message.value = page.STYLE + _STYLE + self._told()
        self._hint = html_box("wb-hint-text")
        self._solution = html_box("wb-solution-text")
        self.hint_button.on_click(lambda button: _toggle(self._hint, _hint(exercise)))
        self.solution_button.on_click(lambda button: _toggle(self._solution, _solution(exercise)))
        buttons = widgets.HBox([self.hint_button, self.solution_button])
        super().__init__([self._message, buttons, self._hint, self._solution], "wb-lesson")
        self.add_class("wb-exercise")

    def _told(self) -> str:
        parts = [_note(*self._said, kind=_KIND[self.finding.state])]
        if self.finding.counts:
            parts.append(_counts(self.finding.counts))
        if self.finding.code:
            parts.append(
                f"<details><summary>The pipeline that you describe</summary>"
                f"{_code(self.finding.code)}</details>"
            )
        return "".join(parts)

    def __repr__(self) -> str:
        """Says the sentence, where ipywidgets would list every trait."""
        return " ".join(self._said)

    def saved(self) -> str:
        """The same without a kernel: the hint and the solution are folded up."""
        folded = "".join(
            f"<details><summary>{name}</summary>{inside}</details>"
            for name, inside in (
                ("Hint", _hint(self._exercise)), ("Solution", _solution(self._exercise)),
            )
        )  # fmt: skip
        return (
            f'{page.STYLE}{_STYLE}<div class="wb-lesson wb-exercise">{self._told()}{folded}</div>'
        )


def _toggle(place: widgets.HTML, inside: str) -> None:
    place.value = "" if place.value else inside


def _hint(exercise: Exercise) -> str:
    return _note(exercise.hint)


def _solution(exercise: Exercise) -> str:
    return _code(exercise.solution.strip("\n"))


def _note(*sentences: str, kind: str = "plain") -> str:
    """A message in which what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", page.note(*sentences, kind=kind))


def _code(code: str) -> str:
    return f'<pre tabindex="0">{html.escape(code)}</pre>'


def _counts(counts: tuple[Count, ...]) -> str:
    """Draws what was counted: a bar for it above a grey one for what is wanted."""
    rows = []
    for count in counts:
        longest = max(count.found, count.wanted, 1)
        bars = "".join(
            f'<div class="wb-bar {name}" style="width:{100 * value / longest:.0f}%"></div>'
            for name, value in (("", count.found), ("wb-wanted", count.wanted))
        )
        rows.append(
            f"<tr><td>{html.escape(count.what)}</td><td>{count.found}</td>"
            f'<td class="wb-bars">{bars}</td><td class="wb-faint">{count.wanted} wanted</td></tr>'
        )
    return f'<table class="wb-counts">{"".join(rows)}</table>'
