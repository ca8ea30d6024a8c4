"""How far a reader has come: what they predicted and solved, in one notebook or in all."""

from __future__ import annotations

import ast
import html
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import nbformat

from helpers.exercises import EXERCISES
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

    @property
    def verdict(self) -> str:
        """What was measured and whether the answer was right, in words."""
        if not self.found:
            return "not seen yet"
        judged = {True: ": right", False: ": not as you said", None: ""}[self.right]
        return f"{self.found}{judged}"


@dataclass(frozen=True)
class Chapter:
    """What a reader did in one notebook; as HTML, each prediction beside what was measured.

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

    @property
    def sentence(self) -> str:
        """All of it in one line."""
        return _sentence([self])

    def __str__(self) -> str:
        solved = [f"{title}: {done}." for title, done in self._exercises()]
        return "\n".join([self.sentence, *map(str, self.predictions), *solved])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        said = f"<p>{html.escape(self.sentence)}</p>"
        answers = [
            (one.question, one.answer or "nothing yet", one.verdict) for one in self.predictions
        ]
        if answers:
            said += _table(("question", "you said", "it was"), answers)
        return said + _table(("exercise", "so far"), self._exercises())

    def _exercises(self) -> list[tuple[str, str]]:
        """Each exercise as its notebook calls it, and whether it is solved."""
        return [
            (
                f"{number}. {EXERCISES[name].title}" if name in EXERCISES else name,
                "solved" if done else "not solved yet",
            )
            for number, (name, done) in enumerate(self.exercises.items(), 1)
        ]


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
        return _sentence(self.chapters)

    def __str__(self) -> str:
        lines = [
            f"{chapter.name}: predictions {chapter.predicted}; exercises {chapter.solved}"
            for chapter in self.chapters
        ]
        return "\n".join([self.sentence, *lines])

    __repr__ = __str__

    def _repr_html_(self) -> str:
        rows = [_row(chapter) for chapter in self.chapters]
        table = _table(("notebook", "predictions", "exercises solved"), rows)
        return f"<p>{html.escape(self.sentence)}</p>{table}"


class _Markup(str):
    """HTML, which is not to be escaped."""


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in HTML; the first cell of a row is its heading."""
    head = "".join(f'<th scope="col" {_LEFT}>{html.escape(one)}</th>' for one in heads)
    body = "".join(
        f'<tr><th scope="row" {_LEFT}>{_escaped(first)}</th>'
        + "".join(f"<td {_LEFT}>{_escaped(one)}</td>" for one in rest)
        + "</tr>"
        for first, *rest in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _escaped(text: str) -> str:
    return text if isinstance(text, _Markup) else html.escape(text)


def _sentence(chapters: Sequence[Chapter]) -> str:
    """What was done in some notebooks, in one line; where nothing was, what will stand there."""
    asked = [one for chapter in chapters for one in chapter.predictions]
    looked = any(one.answer is not None or one.found for one in asked)
    solved = [done for chapter in chapters for done in chapter.exercises.values()]
    if not looked and not any(solved):
        return (
            "Nothing is kept yet: what you predict and solve will stand here when you run this "
            "cell again."
        )
    predicted = f"Predictions made: {_score(asked)}. " if asked else ""
    return f"{predicted}Exercises solved: {sum(solved)} of {len(solved)}."


def _score(asked: Sequence[Predicted]) -> str:
    answered = [one for one in asked if one.answer is not None]
    seen = [one for one in answered if one.right is not None]
    said = f"{len(answered)} of {len(asked)}"
    if not seen:
        return said
    return f"{said}, right: {sum(bool(one.right) for one in seen)} of {len(seen)}"


def progress(notebook: str | None = None) -> Chapter | Progress:
    """Gathers what is kept beside the notebooks of the reader's predictions and exercises.

    Args:
        notebook: The number of one, or its name without ending; None for all.

    Raises:
        ValueError: If there is no such notebook.
    """
    paths = notebooks.paths()
    predicted, solved = mine.read(PREDICTED), mine.read(SOLVED)
    if notebook is None:
        return Progress(tuple(_chapter(path, predicted, solved) for path in paths))
    for path in paths:
        if notebook in (path.stem, path.stem[:2]):
            return _chapter(path, predicted, solved)
    numbers = ", ".join(path.stem[:2] for path in paths)
    raise ValueError(f"there is no notebook {notebook!r}: there are {numbers}.")


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


def _row(chapter: Chapter) -> tuple[str, str, str]:
    number, _, words = chapter.name.partition("-")
    title = html.escape(f"{number} {words.replace('-', ' ')}")
    predicted = html.escape(chapter.predicted)
    if any(one.answer is not None or one.found for one in chapter.predictions):
        told = "".join(f"<li>{html.escape(str(one))}</li>" for one in chapter.predictions)
        predicted = f"<details><summary>{predicted}</summary><ul>{told}</ul></details>"
    link = f'<a href="{chapter.name}.ipynb">{title}</a>'
    return _Markup(link), _Markup(predicted), chapter.solved
