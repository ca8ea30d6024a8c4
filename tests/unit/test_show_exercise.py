import re

import pytest

from helpers.exercises import EXERCISES, Exercise
from helpers.measure import mine
from helpers.show.exercise import check

NAME = "02-ten-at-a-time"
EXERCISE = EXERCISES[NAME]


def wrong(rows):
    yield from rows[:12]


@pytest.fixture(autouse=True)
def _forget(tmp_path, monkeypatch):
    monkeypatch.setenv(mine.FOLDER, str(tmp_path))


def text(markup: str) -> str:
    """What a reader sees, without what is folded up."""
    return re.sub(r"<style>.*?</style>|<details>.*?</details>|<[^>]+>", " ", markup, flags=re.S)


def test_a_right_answer_is_kept_and_a_wrong_one_is_not():
    check(NAME, wrong)
    assert mine.read("exercises") == {}
    check(NAME, EXERCISE.answered(EXERCISE.solution))
    assert mine.read("exercises") == {NAME: {"solved": True}}
    check(NAME, wrong)
    assert mine.read("exercises") == {NAME: {"solved": True}}


def test_who_comes_back_is_told_that_it_was_solved():
    start = EXERCISE.answered(EXERCISE.start)
    assert "before" not in repr(check(NAME, start))
    check(NAME, EXERCISE.answered(EXERCISE.solution))
    assert repr(check(NAME, start)).endswith("You have solved this one before.")
    assert "before" not in repr(check(NAME, wrong))


def test_hint_and_solution_come_and_go_with_their_buttons():
    shown = check(NAME, wrong)
    places = [child for child in shown.children if hasattr(child, "value")]
    hidden = "".join(place.value for place in places)
    assert EXERCISE.hint not in hidden and "range(0, len(rows), 10)" not in hidden
    shown.hint_button.click()
    assert "A slice of <code>rows</code>" in "".join(place.value for place in places)
    assert "range(0, len(rows), 10)" not in "".join(place.value for place in places)
    shown.solution_button.click()
    assert "range(0, len(rows), 10)" in "".join(place.value for place in places)
    shown.hint_button.click()
    shown.solution_button.click()
    assert "".join(place.value for place in places) == hidden


def test_a_saved_notebook_has_the_sentence_and_the_rest_folded_up():
    saved = check(NAME, wrong).saved()
    assert "a single row still" in text(saved)
    assert "range(" not in text(saved) and "slice of" not in text(saved)
    assert "range(0, len(rows), 10)" in saved
    assert "12" in text(saved) and "6 wanted" in text(saved)


def test_the_pipeline_that_options_describe_is_shown():
    start = EXERCISES["00-batches"]
    assert ".batch(50)" in check("00-batches", start.answered(start.solution)).saved()


def test_what_the_readers_code_says_is_shown_as_text():
    def broken(rows):
        raise ValueError("<img src=x>")

    assert "&lt;img src=x&gt;" in check(NAME, broken).saved()


def test_an_unknown_exercise_is_a_sentence():
    with pytest.raises(ValueError, match="no exercise '99-none': there are 00-batches"):
        check("99-none", 1)


def test_the_cell_holds_start_and_check():
    def made(given: str, start: str) -> str:
        return Exercise(
            "n", "t", "s", start, "a = 2", "a", "h", "r", lambda made, seen: None, given
        ).cell()

    assert made("", "a = 1") == 'a = 1\ncheck("n", a)'
    assert made("b = 1", "a = b") == 'b = 1\na = b\ncheck("n", a)'
    assert made("", "\ndef a():\n    pass\n") == 'def a():\n    pass\n\n\ncheck("n", a)'
    assert made("def b():\n    pass", "a = b") == 'def b():\n    pass\n\n\na = b\ncheck("n", a)'
    assert made("b = 1", "def a():\n    pass") == 'b = 1\n\n\ndef a():\n    pass\n\n\ncheck("n", a)'
