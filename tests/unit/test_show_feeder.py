"""The panel that feeds a model, without a browser: guesses, a run, cancelling, errors."""

import numpy as np
import pytest

from helpers.quiet import tf
from helpers.show.feeder import GUESSES, Feeder, bound_of
from helpers.study.feeding import WAYS, Feed, table_model

ROWS = np.random.default_rng(0).random((32, 4), np.float32)
SPEC = tf.TensorSpec((4,), tf.float32), tf.TensorSpec((), tf.int32)


def rows():
    return ((row, np.int32(number % 2)) for number, row in enumerate(ROWS))


def missing():
    yield from rows()
    raise LookupError("the next file is not there")


@pytest.fixture
def feeder():
    made = Feeder(
        Feed(rows, SPEC, 8), lambda width: table_model(4, 2, width), (2, 4), steps=4, title="Try"
    )
    yield made
    made.cancel()
    if made._work is not None:
        made._work.wait(20)


@pytest.mark.parametrize(
    ("waiting", "slowed", "word"),
    [
        (0.02, 0.01, "compute-bound"), (0.6, 0.0, "input-bound"), (0.3, 0.2, "input-bound"),
        (0.05, 0.3, "bound by the cores"), (0.02, -0.4, "compute-bound"),
    ],
)  # fmt: skip
def test_what_binds_is_the_larger_part(waiting, slowed, word):
    assert bound_of(waiting, slowed) == word
    assert word in GUESSES.values()


def test_train_waits_for_a_guess_about_this_choice(feeder):
    assert feeder.train_button.disabled
    feeder.guess.value = next(iter(GUESSES))
    assert not feeder.train_button.disabled
    feeder.width.value = 4
    assert feeder.guess.value is None
    assert feeder.train_button.disabled


def test_runs_are_gathered_and_a_guess_is_answered(feeder):
    feeder.way.value = "chunked"
    for guess in GUESSES:
        feeder.guess.value = guess
        feeder.train()
        feeder._work.wait(60)
        assert f"You said “{guess}”" in feeder._message.value
        assert ("wb-good" in feeder._message.value) == (GUESSES[guess] == feeder.found)
    assert feeder.train_and_wait("naive", 4) in GUESSES.values()
    assert list(feeder.runs) == ["chunked, width 2", "naive, width 4"]
    for parts in feeder.runs.values():
        assert list(parts) == ["the model's step", "slowed by the data", "waiting"]
        assert min(parts.values()) >= 0 < parts["waiting"]
    assert "naive, width 4" in feeder.saved()
    assert tuple(feeder.way.options) == WAYS


def test_an_error_of_theirs_is_shown_and_raised(feeder):
    feeder._feed = Feed(missing, SPEC, 64)
    with pytest.raises(Exception, match="the next file is not there"):
        feeder.train_and_wait("chunked", 2)
    assert "the next file is not there" in feeder._message.value
    assert feeder.cancel_button.disabled


def test_cancelled_before_its_end_concludes_nothing(feeder):
    feeder.guess.value = next(iter(GUESSES))
    feeder.train()
    feeder.cancel()
    assert feeder._work.wait(60)
    assert "nothing was concluded" in feeder._message.value
    assert feeder.runs == {}
    assert not feeder.train_button.disabled
