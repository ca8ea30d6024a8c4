"""A little of the fuzz and of the chaos; `workbook contract --fuzz N` and `--chaos N` do more."""

from contract import slices


def test_random_structures_are_equal():
    tally = slices.fuzz(120, seed=1)
    assert tally.comparisons >= 120
    assert not tally.differences, tally.text()


def test_nothing_is_left_after_chaos():
    report = slices.chaos(20, seed=1)
    assert report.is_clean, report.text()
