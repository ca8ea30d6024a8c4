"""How far a reader has come: what they predicted and solved, notebook by notebook."""

from __future__ import annotations

import ast
import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from helpers.measure import mine
from helpers.reproduce import notebooks

from .exercise import KEPT as SOLVED
from .prediction import KIND as PREDICTED

_LEFT = 'style="text-align:left;vertical-align:top"'


@dataclass(frozen=True)
class Predicted:
    """A question of a notebook, and what became of it.

    Attributes:
        question: The question.
        answer: What the reader said; None for nothing yet.
        found: What was measured, in words; empty until the reader has seen it.
        right: Whether the answer was right; None where there is nothing to say of it.
    """

    question: str
    answer: str | None
    found: str
    right: bool | None

    def __str__(self) -> str:
        if not self.found:
            said = "not answered yet" if self.answer is None else f"you said “{self.answer}”"
            return f"{self.question} {said[0].upper()}{said[1:]}."
        said = "You looked" if self.answer is None else f"You said “{self.answer}”"
        return f"{self.question} {said}; it was {self.found}."


@dataclass(frozen=True)
class Chapter:
    """What a reader did in one notebook.

    Attributes:
        name: The notebook's file name, without its ending.
        predictions: Its questions.
        exercises: Whether each is solved, by name.
    """

    name: str
    predictions: tuple[Predicted, ...]
    exercises: dict[str, bool]

    @property
    def predicted(self) -> str:
        """How many questions were answered, and how many rightly of those whose result was seen."""
        return _score(self.predictions) if self.predictions else "none"

    @property
    def solved(self) -> str:
        """How many exercises are solved."""
        return f"{sum(self.exercises.values())} of {len(self.exercises)}"


@dataclass(frozen=True)
class Progress:
    """What a reader did in all notebooks; as HTML, a table with the predictions behind a click.

    Attributes:
        chapters: By notebook, in the order of reading.
    """

    chapters: tuple[Chapter, ...]

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        asked = [one for chapter in self.chapters for one in chapter.predictions]
        answered = [one for one in asked if one.answer is not None]
        solved = [done for chapter in self.chapters for done in chapter.exercises.values()]
        if not answered and not any(solved):
            return (
                "Nothing is kept yet: what you predict and solve will stand here when you run this "
                "cell again."
            )
        return (
            f"Predictions made: {_score(asked)}. Exercises solved: {sum(solved)} of {len(solved)}."
        )

    def __str__(self) -> str:
        lines = [
            f"{chapter.name}: predictions {chapter.predicted}; exercises {chapter.solved}"
            for chapter in self.chapters
        ]
        return "\n".join([self.sentence, *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        heads = "".join(
            f'<th scope="col" {_LEFT}>{head}</th>'
            for head in ("notebook", "predictions", "exercises solved")
        )
        rows = "".join(map(_row, self.chapters))
        return (
            f"<p>{html.escape(self.sentence)}</p>"
            f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"
        )


def _score(asked: Sequence[Predicted]) -> str:
    answered = [one for one in asked if one.answer is not None]
    seen = [one for one in answered if one.right is not None]
    said = f"{len(answered)} of {len(asked)}"
    if not seen:
        return said
    return f"{said}, right: {sum(bool(one.right) for one in seen)} of {len(seen)}"


def progress() -> Progress:
    """Gathers what is kept beside the notebooks of the reader's predictions and exercises."""
    predicted, solved = mine.read(PREDICTED), mine.read(SOLVED)
    return Progress(tuple(_chapter(path, predicted, solved) for path in notebooks.paths()))


def _chapter(path: Path, predicted: dict, solved: dict) -> Chapter:
    questions, exercises = [], {}
    for name, first in _calls(path):
        if name == "Prediction":
            known = predicted.get(first, {})
            answer = known.get("answer")
            right = answer in known["right"] if answer is not None and "right" in known else None
            questions.append(Predicted(first, answer, known.get("found", ""), right))
        elif name == "check":
            exercises[first] = first in solved
    return Chapter(path.stem, tuple(questions), exercises)


def _calls(path: Path) -> Iterator[tuple[str, str]]:
    """What a notebook calls with words first, such as a question; cells in disrepair have none."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type != "code":
            continue
        try:
            tree = ast.parse(cell.source)
        except SyntaxError:
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
                first = node.args[0]
                if isinstance(first, ast.Constant) and isinstance(first.value, str):
                    yield node.func.id, first.value


def _row(chapter: Chapter) -> str:
    number, _, words = chapter.name.partition("-")
    title = f"{number} {words.replace('-', ' ')}"
    predicted = html.escape(chapter.predicted)
    if any(one.answer is not None or one.found for one in chapter.predictions):
        told = "".join(f"<li>{html.escape(str(one))}</li>" for one in chapter.predictions)
        predicted = f"<details><summary>{predicted}</summary><ul>{told}</ul></details>"
    return (
        f'<tr><th scope="row" {_LEFT}><a href="{chapter.name}.ipynb">{html.escape(title)}</a></th>'
        f"<td {_LEFT}>{predicted}</td><td {_LEFT}>{html.escape(chapter.solved)}</td></tr>"
    )
