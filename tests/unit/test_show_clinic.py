"""The doctor's panel without a browser: guesses, an examination, a fix, cancelling, errors."""

import threading
import time
from itertools import islice

import numpy as np
import pytest

from helpers.quiet import tf
from helpers.show.clinic import GUESSES, OTHER, Clinic, guess_for
from helpers.study.practice import GALLERY

ROWS = np.zeros((400, 8), np.float32)


def slow():
    def rows():
        yield from ROWS

    return rows, {}


def raising():
    def rows():
        yield ROWS[0]
        raise LookupError("row one is not there")

    return rows, {}


def endless():
    def rows():
        while True:
            time.sleep(0.01)
            yield ROWS[0]

    return rows, {}


def broken():
    raise ValueError("the file is missing: make it first.")


@pytest.fixture
def clinic():
    made = Clinic(
        {"slow": slow, "raising": raising, "endless": endless, "broken": broken},
        budget_s=4, verify_s=1,
    )  # fmt: skip
    yield made
    made.cancel()
    if made._work is not None:
        made._work.wait(20)


class Found:
    def __init__(self, first):
        self.first = first


def test_every_cause_has_a_guess():
    assert guess_for(Found("crossing")) == "the crossing into TensorFlow"
    assert guess_for(Found("reused-array")) == OTHER
    assert len({cause for causes in GUESSES.values() for cause in causes}) == 8


def test_examine_waits_for_a_guess(clinic):
    assert clinic.examine_button.disabled
    clinic.guess.value = "waiting"
    assert not clinic.examine_button.disabled
    clinic.choice.value = "raising"
    assert clinic.guess.value is None
    assert clinic.examine_button.disabled


def test_a_generator_is_examined_and_its_fix_verified(clinic):
    found = clinic.examine_and_wait("slow", guess="the crossing into TensorFlow")
    assert found.first == "crossing"
    assert "and so it is" in clinic._message.value
    assert "<table" in clinic._answer.value
    assert "<img" in clinic._figure.value
    assert clinic.fix.options
    assert not clinic.verify_button.disabled
    clinic.verify()
    assert clinic.verify_button.disabled
    clinic._work.wait(30)
    assert "measured" in clinic._message.value
    assert not clinic.verify_button.disabled


def test_a_wrong_guess_is_told_so(clinic):
    clinic.examine_and_wait("slow", guess="waiting")
    assert "the doctor says: the crossing" in clinic._message.value


def test_an_exception_in_the_generator_is_an_answer(clinic):
    found = clinic.examine_and_wait("raising", guess=OTHER)
    assert found.failure.kind == "LookupError"
    assert clinic.verify_button.disabled
    assert not clinic.examine_button.disabled


def test_a_generator_that_cannot_be_made_is_one_sentence(clinic):
    with pytest.raises(ValueError, match="make it first"):
        clinic.examine_and_wait("broken", guess=OTHER)
    assert "make it first" in clinic._message.value


def test_cancel_ends_it_and_the_next_can_start(clinic):
    clinic.choice.value = "endless"
    clinic.guess.value = "waiting"
    clinic.examine()
    threading.Event().wait(0.5)
    assert not clinic.cancel_button.disabled
    clinic.cancel()
    assert clinic._work.wait(10)
    assert "Cancelled" in clinic._message.value
    assert clinic.diagnosis is None
    assert not clinic.examine_button.disabled


def test_without_generators_it_is_refused():
    with pytest.raises(ValueError, match="one generator or more"):
        Clinic({})


def first_rows(subject):
    return [tf.nest.map_structure(np.asarray, row) for row in islice(subject(), 3)]


@pytest.mark.parametrize("name", GALLERY)
def test_each_generator_of_the_gallery_yields_distinct_rows_again_and_again(name, tmp_path):
    subject, _ = GALLERY[name](tmp_path)
    first, again = first_rows(subject), first_rows(subject)
    leaves = [np.concatenate([np.ravel(leaf) for leaf in tf.nest.flatten(row)]) for row in first]
    assert len(leaves) == 3
    assert not np.array_equal(leaves[0], leaves[1])
    if name != "noise and a cache":  # its noise is what the cache keeps from being new
        tf.nest.map_structure(np.testing.assert_array_equal, first, again)


def test_the_cache_of_the_gallery_repeats_the_noise_that_should_be_new(tmp_path):
    subject, _ = GALLERY["noise and a cache"](tmp_path)
    dataset = subject()
    epochs = [np.concatenate(list(dataset.as_numpy_iterator())) for _ in range(2)]
    np.testing.assert_array_equal(*epochs)
    assert not np.array_equal(epochs[0], np.concatenate(list(subject().as_numpy_iterator())))
