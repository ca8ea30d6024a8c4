import json
import math

import pytest
from matplotlib.figure import Figure

from helpers.measure import Ratio, mine
from helpers.show import Picture, Prediction, frame

CHOICES = {"slower": 1, "faster": math.inf}
FOUND = Ratio(0.5, 0.4, 0.6, 9)
SAYS = "it runs at {} of the array's speed"


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv(mine.FOLDER, str(tmp_path))
    monkeypatch.delenv("WORKBOOK_QUICK")

    def read():
        file = tmp_path / "predictions.json"
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}

    return read


@pytest.fixture
def prediction():
    return Prediction("A < B?", CHOICES, says=SAYS)


def choose(prediction, answer):
    """As the browser does it."""
    prediction._ask.answer = answer


def test_a_result_stays_covered_until_the_answer(prediction):
    covered = prediction.reveal(FOUND, "half of it")
    assert not prediction.shown
    assert covered._beneath.layout.display == "none"
    choose(prediction, "faster")
    prediction._ask.shown = True
    assert "You said “faster”; it runs at 0.500×" in prediction.saved()


def test_an_answer_from_before_the_measurement_shows_the_result(prediction):
    choose(prediction, "slower")
    assert not prediction.shown
    prediction.reveal(FOUND)
    assert prediction.shown
    assert "You said “slower”, and so it is" in prediction.saved()


def test_the_browser_has_a_sentence_for_every_answer_so_that_a_late_one_counts(prediction):
    prediction.reveal(FOUND)
    told = prediction._ask.told
    assert {answer: each["kind"] for answer, each in told.items()} == {
        "": "plain",
        "slower": "good",
        "faster": "open",
    }
    assert told["faster"]["text"].startswith("You said “faster”; it runs")


def test_a_quick_run_praises_nobody_for_a_number(prediction, monkeypatch):
    monkeypatch.setenv("WORKBOOK_QUICK", "1")
    prediction.reveal(FOUND)
    assert {each["kind"] for each in prediction._ask.told.values()} == {"plain"}
    words = Prediction("Which?", ["this", "that"])
    words.reveal("this")
    assert words._ask.told["this"]["kind"] == "good"


def test_what_was_said_and_found_is_kept_and_comes_back(prediction, kept):
    assert kept() == {}
    prediction.reveal(FOUND)
    assert kept() == {}  # nobody did anything
    choose(prediction, "faster")
    assert kept() == {"A < B?": {"answer": "faster"}}
    prediction._ask.shown = True
    assert kept()["A < B?"] == {
        "answer": "faster",
        "found": "0.500× [0.400×, 0.600×]",
        "right": ["slower"],
    }
    again = Prediction("A < B?", CHOICES)
    assert again.answer == "faster"
    assert not again.shown


def test_a_result_that_was_asked_for_is_kept_without_an_answer(prediction, kept):
    prediction.reveal(FOUND)
    prediction._ask.shown = True
    assert kept()["A < B?"]["answer"] is None
    assert Prediction("A < B?", CHOICES).answer is None


def test_an_answer_that_is_no_longer_offered_is_forgotten(prediction):
    choose(prediction, "faster")
    assert Prediction("A < B?", ["yes", "no"]).answer is None


def test_measuring_again_keeps_the_result_in_sight_and_tells_the_new_one(prediction):
    prediction.reveal(FOUND)
    choose(prediction, "faster")
    prediction._ask.shown = True
    prediction.reveal(2.0)
    assert prediction.shown
    assert "and so it is: it runs at 2×" in prediction.saved()


def test_what_no_choice_covers_is_refused(prediction):
    with pytest.raises(ValueError, match="no choice"):
        prediction.reveal("other")


def test_a_saved_question_can_be_read_and_does_not_tell_the_answer(prediction):
    saved = prediction.saved()
    assert "A &lt; B?" in saved
    assert "faster <em>(1× or more)</em>" in saved
    prediction.reveal(FOUND)
    before, click, after = prediction.saved().partition("<details>")
    assert "0.500" not in before
    assert click
    assert "0.500×" in after
    assert "slower" in after


def test_a_saved_result_shows_its_pictures_and_keeps_its_words_behind_a_click(prediction):
    covered = prediction.reveal(FOUND, Picture(Figure(), "a curve"), "half of it")
    picture, _, words = covered.saved().partition("<details>")
    assert 'alt="a curve"' in picture
    assert "half of it" not in picture
    assert "half of it" in words
    choose(prediction, "faster")
    prediction._ask.shown = True
    assert "<details>" not in covered.saved()
    assert "half of it" in covered.saved()


def test_what_is_saved_follows_what_the_reader_does(prediction, monkeypatch):
    saved = []
    monkeypatch.setattr(frame, "display", lambda *shown, **how: None)
    monkeypatch.setattr(frame, "update_display", lambda html, display_id: saved.append(html.data))
    prediction._ipython_display_()
    prediction.reveal(FOUND, "half of it")._ipython_display_()
    assert "You said" not in saved[-1]
    choose(prediction, "faster")
    prediction._ask.shown = True
    question, result = saved[-2:]
    assert "You said “faster”" in question
    assert "half of it" in result
    assert "<details>" not in result
