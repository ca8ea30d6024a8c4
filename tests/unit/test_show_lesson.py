import math

import numpy as np
import pytest

from helpers.measure import Ratio
from helpers.show.lesson import Exercise, Prediction, _answers
from helpers.study import PipelineOptions

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


def test_an_exercise_on_options():
    task = Exercise(want={"batch": 50, "prefetch": 2}, hint="Think.")
    told = task.check(PipelineOptions(batch=50))
    assert told.good is False
    assert told.text == "Not yet: prefetch is None. Hint: Think."
    assert task.check(PipelineOptions(batch=50, prefetch=2)).good is True
    assert "a PipelineOptions is wanted, not a int" in task.check(3).text


WANTED = [np.zeros(2, np.float32), np.ones(2, np.float32)]


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        (WANTED[:1], "it yields 1 rows, and 2 are wanted"),
        ([*WANTED, WANTED[0]], "it yields more than 2 rows"),
        ([WANTED[0], WANTED[0]], "row 1 holds other numbers"),
        ([WANTED[0].astype(float)], "row 0 is float64 of shape"),
        ([WANTED[0][:1]], r"shape \(1,\), and float32 of shape \(2,\) is wanted"),
        ([[0, 0]], "row 0 is a list, not an array"),
    ],
)
def test_an_exercise_on_a_generator(rows, said):
    task = Exercise(yields=WANTED, hint="Think.")
    assert task.check(lambda: iter(WANTED)).good is True
    told = task.check(lambda: iter(rows))
    assert told.good is False
    with pytest.raises(AssertionError, match=said):
        raise AssertionError(told.text)


def test_a_generator_that_raises_is_a_sentence():
    def broken():
        raise KeyError("boo")
        yield

    task = Exercise(yields=WANTED, hint="Think.")
    assert "the generator raised KeyError: 'boo'" in task.check(broken).text
    assert "without its parentheses" in task.check(broken()).text


def test_an_exercise_on_a_value():
    task = Exercise(equals=(1, 2), hint="Think.")
    assert task.check((1, 2)).good is True
    assert "it is (1, 3)" in task.check((1, 3)).text


def test_an_exercise_on_an_array_is_a_sentence_whatever_its_shape():
    task = Exercise(equals=np.arange(3), hint="Think.")
    assert task.check(np.arange(3)).good is True
    assert task.check(np.array([0, 1, 3])).good is False
    assert task.check(np.arange(4)).good is False
    assert task.check(None).good is False
