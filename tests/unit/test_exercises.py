"""Every exercise: it fails unsolved, passes solved, and tells wrong answers apart."""

import ast
import re
from itertools import count
from pathlib import Path

import nbformat
import pytest
from unit.wrong_answers import WRONG

from helpers.exercises import EXERCISES
from helpers.exercises.exercise import NAMES

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
BOOKS = sorted(FOLDER.glob("*.ipynb"))
NUMBERS = {
    exercise.name: 1 + [name[:3] for name in EXERCISES][:place].count(exercise.name[:3])
    for place, exercise in enumerate(EXERCISES.values())
}


@pytest.fixture(params=EXERCISES.values(), ids=list(EXERCISES))
def exercise(request):
    return request.param


def code_of(book) -> list:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def test_unsolved_it_says_that_nothing_is_there_yet(exercise):
    finding = exercise.check(exercise.answered(exercise.start))
    assert (finding.state, finding.counts) == ("nothing", ())
    assert "Nothing is here yet" in finding.sentence


def test_solved_it_says_what_is_right(exercise):
    finding = exercise.check(exercise.answered(exercise.solution))
    assert finding.sentence == f"Right. {exercise.right}"
    assert finding.state == "right"
    assert [count for count in finding.counts if count.found != count.wanted] == []


def test_each_wrong_answer_is_told_what_is_wrong_in_a_sentence_of_its_own(exercise):
    sentences = []
    for code, part in WRONG[exercise.name].items():
        finding = exercise.check(exercise.answered(code))
        assert (finding.state, part in finding.sentence) == ("wrong", True), finding.sentence
        sentences.append(finding.sentence)
    assert len(set(sentences)) == len(sentences) >= 3


NO_ANSWERS = (
    3, "words", (), {}, object(), print, lambda: None, lambda *any: [], lambda *any: count(),
    lambda *any: 1 / 0, iter([1]), float("nan"),
)  # fmt: skip


def test_what_is_no_answer_at_all_is_a_sentence(exercise):
    for made in NO_ANSWERS:
        finding = exercise.check(made)
        assert finding.state == "wrong", made
        assert len(finding.sentence) < 500


@pytest.mark.parametrize("nothing", [None, ...])
def test_an_empty_place_is_no_answer(exercise, nothing):
    assert exercise.check(nothing).state == "nothing"


def test_what_a_reader_sees_before_asking_does_not_give_the_solution_away(exercise):
    # ast.unparse writes one code in one way.
    shown = exercise.text(1) + exercise.hint + ast.unparse(ast.parse(exercise.cell()))
    new = _lines(exercise.solution) - _lines(exercise.start)
    assert new
    assert [line for line in new if line in shown and len(line) > 12] == []


def _lines(code: str) -> set[str]:
    return {line.strip() for line in ast.unparse(ast.parse(code)).splitlines()}


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_a_notebook_has_its_exercises_as_they_are_here(path):
    book = nbformat.read(path, as_version=4)
    own = [each for each in EXERCISES.values() if path.name.startswith(each.name[:3])]
    assert len(own) >= 2
    sources = [cell.source for cell in book.cells]
    places = []
    for exercise in own:
        place = sources.index(exercise.cell())
        assert sources[place - 1] == exercise.text(NUMBERS[exercise.name])
        places.append(place)
    assert places == sorted(places)
    called = re.findall(r'check\("([^"]+)"', "\n".join(sources))
    assert called == [exercise.name for exercise in own]


@pytest.mark.parametrize("path", BOOKS, ids=lambda path: path.stem)
def test_a_notebook_imports_what_its_exercises_need(path):
    book = nbformat.read(path, as_version=4)
    imported = _imported("\n".join(cell.source for cell in code_of(book) if "%" not in cell.source))
    for exercise in EXERCISES.values():
        if path.name.startswith(exercise.name[:3]):
            tree = ast.parse("\n".join([exercise.given, exercise.start, exercise.solution]))
            used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
            assert used & _imported(NAMES) <= imported


def _imported(code: str) -> set[str]:
    return {
        alias.asname or alias.name
        for node in ast.walk(ast.parse(code))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }


def test_the_names_follow_the_notebooks():
    numbers = [name[:2] for name in EXERCISES]
    assert numbers == sorted(numbers)
    assert all(EXERCISES[name].name == name for name in EXERCISES)
    assert set(WRONG) == set(EXERCISES)
