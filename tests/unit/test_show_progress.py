"""The progress page: every prediction and exercise of the notebooks, and what was kept of them."""

import json
import re
from math import inf

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.exercises import EXERCISES
from helpers.measure import Ratio, mine
from helpers.reproduce import notebooks
from helpers.show import Prediction
from helpers.show.progress import progress


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """A folder of the reader's own, empty."""
    monkeypatch.setenv(mine.FOLDER, str(tmp_path / "mine"))
    return tmp_path / "mine"


@pytest.fixture
def book(tmp_path, monkeypatch, kept):
    """One notebook of a prediction, a broken cell and two exercises."""
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)
    cells = [
        new_markdown_cell("check('not-code')"),
        new_code_cell('fast = Prediction("How <fast>?", {"slow": 1, "fast": inf})\nfast'),
        new_code_cell("def ("),
        new_code_cell('check("00-one", 1)'),
        new_code_cell('check("00-two", made)'),
    ]
    nbformat.write(new_notebook(cells=cells), tmp_path / "00-first-steps.ipynb")


def test_every_exercise_and_a_prediction_in_most_notebooks_are_found(kept):
    found = progress()
    names = [name for chapter in found.chapters for name in chapter.exercises]
    assert sorted(names) == sorted(EXERCISES)
    assert sum(bool(chapter.predictions) for chapter in found.chapters) >= 11
    assert found.sentence.startswith("Nothing is kept yet")
    assert "<details>" not in found._repr_html_()


def test_what_was_predicted_seen_and_solved_is_told(book, monkeypatch):
    monkeypatch.delenv("WORKBOOK_QUICK", raising=False)
    asked = Prediction("How <fast>?", {"slow": 1, "fast": inf})
    asked._ask.answer = "fast"
    assert "<td" in progress("00")._repr_html_() and "not seen yet" in progress("00")._repr_html_()
    found = progress()
    assert found.chapters[0].predicted == "1 of 1"
    assert str(found.chapters[0].predictions[0]) == "How <fast>? You said “fast”."
    asked.reveal(Ratio(2.0, 1.9, 2.1, 9), "a figure")
    mine.keep("exercises", "00-two", {"solved": True})
    found = progress()
    assert found.sentence == "Predictions made: 1 of 1, right: 1 of 1. Exercises solved: 1 of 2."
    assert str(found).splitlines()[1] == (
        "00-first-steps: predictions 1 of 1, right: 1 of 1; exercises 1 of 2"
    )
    page = found._repr_html_()
    assert "How &lt;fast&gt;? You said “fast”; it was 2.00×" in page
    assert 'href="00-first-steps.ipynb">00 first steps<' in page


def test_one_notebook_sets_each_prediction_beside_what_was_found(book, monkeypatch):
    monkeypatch.delenv("WORKBOOK_QUICK", raising=False)
    assert str(progress("00")).splitlines() == [
        "Nothing is kept yet: what you predict and solve will stand here when you run this cell "
        "again.",
        "How <fast>? Not answered yet.",
        "00-one: not solved yet.",
        "00-two: not solved yet.",
    ]
    asked = Prediction("How <fast>?", {"slow": 1, "fast": inf})
    asked._ask.answer = "slow"
    asked.reveal(Ratio(2.0, 1.9, 2.1, 9), "a figure")
    mine.keep("exercises", "00-one", {"solved": True})
    found = progress("00-first-steps")
    assert found.sentence == "Predictions made: 1 of 1, right: 0 of 1. Exercises solved: 1 of 2."
    assert str(found).splitlines()[2:] == ["00-one: solved.", "00-two: not solved yet."]
    row = re.findall(r"<t[hd][^>]*>([^<]*)</t[hd]>", found._repr_html_())[3:6]
    assert row == ["How &lt;fast&gt;?", "slow", "2.00× [1.90×, 2.10×]: not as you said"]


def test_a_notebook_without_predictions_has_its_exercises_by_their_titles(kept):
    found = progress("14")
    assert found.predictions == () and "you said" not in found._repr_html_()
    assert "1. What helps first" in found._repr_html_()
    mine.keep("exercises", "14-advice", {"solved": True})
    assert progress("14").sentence == "Exercises solved: 1 of 2."


def test_what_a_quick_run_found_says_so_and_judges_nobody(book):
    asked = Prediction("How <fast>?", {"slow": 1, "fast": inf})
    asked._ask.answer = "slow"
    asked.reveal(Ratio(2.0, 1.9, 2.1, 9), "a figure")
    assert "2.10×], in a quick run, which shows nothing</td>" in progress("00")._repr_html_()
    assert progress().sentence == "Predictions made: 1 of 1. Exercises solved: 0 of 2."


def test_no_such_notebook_is_a_sentence(book):
    with pytest.raises(ValueError, match="no notebook '07': there are 00"):
        progress("07")


def test_a_look_without_an_answer_is_none_and_a_damaged_file_is_nothing_kept(book, kept):
    mine.keep("predictions", "How <fast>?", {"answer": None, "found": "2×", "right": ["fast"]})
    assert "You looked; it was 2×." in str(progress().chapters[0].predictions[0])
    assert progress().chapters[0].predicted == "0 of 1"
    (kept / "predictions.json").write_text(json.dumps({"How": 1})[:-3])
    assert progress().sentence.startswith("Nothing is kept yet")
