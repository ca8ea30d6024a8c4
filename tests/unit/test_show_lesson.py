import numpy as np
import pytest

from helpers.show.lesson import Exercise
from helpers.study import PipelineOptions


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
