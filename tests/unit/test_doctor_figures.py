"""Figures of a made-up diagnosis: what they say in words, and what they refuse."""

import pytest

from helpers.diagnose import Diagnosis, Node
from helpers.diagnose.diagnosis import Bound, Part
from helpers.diagnose.estimate import Estimate
from helpers.measure import this_machine
from helpers.show import doctor
from helpers.show.picture import figure


def _diagnosis(**changes):
    return Diagnosis(**{**dict(  # noqa: C408
        subject="rows", kind="generator", file="", consumer="idle", batch_size=32, seen="",
        signature=None,
        parts=(Part("generator alone", Estimate(2e6, 1e6, 3e6)),
               Part("from_generator and batch", Estimate(3e6, 3e6, 3e6)),
               Part("not explained", Estimate(-1e6, -2e6, 1e6), derived=True)),
        work=None, lines=(),
        nodes=(Node("Prefetch", 0, 5, 1000, 0), Node("BatchV2", 1, 5, 9000, 0),
               Node("Generator", 2, 50, 90000, 0)),
        bounds=(Bound("serial", 4e6, True), Bound("consumer", 1e6, False)),
        cause="crossing", sentence="It crosses.", headroom=None, misfit=None, hazards=(),
        advice=(), remarks=(), failure=None, rounds=3, seconds=1.0, machine=this_machine(),
        quick=True,
    ), **changes})  # fmt: skip


@pytest.mark.parametrize(
    ("draw", "words"),
    [
        (doctor.stall_ladder, ("generator alone: 2 ms (1 to 3)", "not explained: −1 ms")),
        (doctor.batch_timeline, ("the data: generator 2 ms",)),
        (doctor.law_bars, ("serial: 4 ms, 250 a second (binds)", "consumer: 1 ms")),
        (doctor.node_graph, ("Generator 1.8 µs each (the busiest)", "BatchV2 1.8 µs each")),
    ],
)
def test_a_figure_says_in_words_what_it_shows(draw, words):
    picture = figure(draw, _diagnosis())
    assert all(part in picture.alt for part in words)
    assert picture.png()


def test_without_numbers_a_figure_is_refused_in_a_sentence():
    empty = _diagnosis(parts=(), bounds=(), nodes=())
    for draw in (doctor.stall_ladder, doctor.batch_timeline, doctor.law_bars, doctor.node_graph):
        with pytest.raises(ValueError, match="nothing to draw"):
            figure(draw, empty)
