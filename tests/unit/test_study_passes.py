"""Epochs for the measurement of how they end: each has all its rows, whoever gives them."""

import pytest

from helpers.study.passes import passes_arm


@pytest.mark.parametrize("options", [{}, {"autotune": False}, {"one_iterator": True}], ids=str)
def test_each_epoch_has_all_its_rows(options):
    arm = passes_arm("some", **options)
    passed = list(arm.build())
    assert len(passed) >= 2  # the first is the cold start
    assert set(map(arm.examples, passed)) == {30}
