import math

import pytest

from helpers.measure import Ratio
from helpers.show.prediction import Prediction, _answers

CHOICES = {"slower": 1, "faster": math.inf}


@pytest.fixture(autouse=True)
def _forget():
    _answers.clear()


def test_a_prediction_is_kept_and_meets_the_measurement():
    prediction = Prediction("How fast?", CHOICES)
    assert prediction.answer is None
    assert "no prediction" in str(prediction.reveal(0.5))
    prediction.buttons.value = "faster"
    told = prediction.reveal(Ratio(0.5, 0.4, 0.6, 9))
    assert told.good is False
    assert "You said “faster”" in told.text
    assert "0.500× [0.400×, 0.600×], so: slower" in told.text
    assert prediction.reveal(2.0).good is True
    assert Prediction("How fast?", CHOICES).answer == "faster"


def test_an_interval_that_spans_choices_allows_each_of_them():
    prediction = Prediction("How fast?", {"slower": 0.95, "no different": 1.05, "faster": math.inf})
    spanning = Ratio(1.1, 0.97, 1.2, 9)
    assert "so: no different or faster. (You made" in prediction.reveal(spanning).text
    prediction.buttons.value = "no different"
    assert prediction.reveal(spanning).good is True
    assert "so it may be" in prediction.reveal(spanning).text
    prediction.buttons.value = "slower"
    assert prediction.reveal(spanning).good is False
    assert prediction.reveal(1.05).text.endswith("so: faster.")


def test_answers_in_words():
    prediction = Prediction("Which?", ["this", "that"])
    prediction.buttons.value = "that"
    assert prediction.reveal("that").good is True
    assert prediction.reveal("this").good is False
    with pytest.raises(ValueError, match="no choice of this, that covers other"):
        prediction.reveal("other")


def test_a_prediction_can_be_read_without_a_kernel():
    bundle = Prediction("A < B?", CHOICES)._repr_mimebundle_()
    assert "A &lt; B?" in bundle["text/html"]
    assert "<li>faster</li>" in bundle["text/html"]
    assert "application/vnd.jupyter.widget-view+json" in bundle


@pytest.mark.parametrize("ends", [(1, 2), (2, 1), (math.inf, 1), (1, 1)])
def test_choices_that_leave_a_value_without_an_answer_are_refused(ends):
    with pytest.raises(ValueError, match="must ascend, the last to infinity"):
        Prediction("?", dict(zip("ab", ends, strict=True)))


def test_one_choice_is_none():
    with pytest.raises(ValueError, match="two choices"):
        Prediction("?", ["only"])
