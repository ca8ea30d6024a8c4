"""Epochs for the measurement of how they end: each has all its rows, whoever gives them."""

import pytest

from helpers.show import figure
from helpers.show.endings import endings
from helpers.study.passes import ROWS, end_ms, passes_arm


@pytest.mark.parametrize("options", [{}, {"autotune": False}, {"one_iterator": True}], ids=str)
def test_each_epoch_has_all_its_rows(options):
    arm = passes_arm("some", **options)
    passed = list(arm.build())
    assert len(passed) >= 2  # the first is the cold start
    assert set(map(arm.examples, passed)) == {ROWS}


def test_without_autotune_a_loop_ends_soon_after_its_last_row():
    waits = end_ms(autotune=False)
    assert len(waits) == 8
    assert sorted(waits)[-2] < 30  # autotune would often wait longer; the machine may stall once


def test_the_figure_says_how_many_were_late():
    drawn = figure(endings, {"off": [1.0, 2.0], "on": [1.0, 60.0]}, "a machine")
    assert "off: 0 of 2 over 10 ms, the longest 2 ms" in drawn.alt
    assert "on: 1 of 2 over 10 ms, the longest 60 ms" in drawn.alt
