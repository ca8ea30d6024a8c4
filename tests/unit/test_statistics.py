import numpy as np
import pytest
from unit.fakes import FakeMachine

from helpers.measure import Ratio, Settings, compare, judge, ratio_of_times, times

# A rate of one in five where one in twenty is allowed is seen by 40 with a probability of 0.99.
RUNS = 40


def _kinds(slowdown: float) -> list[str]:
    """Verdicts of many simulated comparisons on a machine that drifts and jitters."""
    kinds = []
    for seed in range(RUNS):
        machine = FakeMachine(drift=0.05, noise=0.05, seed=seed)
        arms = [
            machine.arm("a", 1e6, elements=2),
            machine.arm("b", 1e6 * (1 + slowdown), elements=2),
        ]
        settings = Settings(seed=seed, min_rounds=60, max_rounds=100, budget_s=1e9)
        kinds.append(compare(arms, settings=settings, clock=machine.clock).verdict("b").kind)
    return kinds


def test_the_same_arm_twice_is_called_different_in_at_most_one_run_of_twenty():
    kinds = _kinds(0.0)
    assert sum(kind in ("faster", "slower") for kind in kinds) <= 0.05 * RUNS


def test_a_tenth_slower_is_found_in_nine_runs_of_ten():
    kinds = _kinds(0.10)
    assert sum(kind == "slower" for kind in kinds) >= 0.9 * RUNS
    assert "faster" not in kinds


def test_the_interval_covers_the_true_ratio_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(300):
        logs = rng.normal(np.log(2), 0.1, 25)
        ratio = ratio_of_times(np.ones(25), np.exp(-logs), seed)
        covered += ratio.low <= 2 <= ratio.high
    assert 0.90 <= covered / 300 <= 0.99


def test_a_ratio_is_the_median_of_the_rounds_ratios_not_the_ratio_of_medians():
    baseline, arm = [1.0, 10.0, 100.0], [2.0, 5.0, 50.0]
    assert ratio_of_times(baseline, arm).value == pytest.approx(2)  # of 0.5, 2, 2
    assert ratio_of_times(baseline, arm).rounds == 3


def test_equal_rounds_give_an_interval_without_width():
    assert ratio_of_times([1, 1, 1], [4, 4, 4]) == Ratio(0.25, 0.25, 0.25, 3)


@pytest.mark.parametrize(
    ("baseline", "arm", "said"),
    [
        ([1, 2], [1], "not paired"),
        ([1], [1], "two rounds or more"),
        ([1, 0], [1, 1], "no measurable time"),
    ],
)
def test_bad_rounds_are_refused_in_a_sentence(baseline, arm, said):
    with pytest.raises(ValueError, match=said):
        ratio_of_times(baseline, arm)


FLOOR = Ratio(1.0, 0.97, 1.03, 20)


@pytest.mark.parametrize(
    ("ratio", "kind"),
    [
        (Ratio(1.2, 1.15, 1.25, 20), "faster"),
        (Ratio(0.8, 0.75, 0.85, 20), "slower"),
        (Ratio(1.01, 0.99, 1.03, 20), "no difference"),
        (Ratio(1.05, 1.02, 1.08, 20), "inconclusive"),
        (Ratio(1.01, 0.8, 1.3, 20), "inconclusive"),
    ],
)
def test_verdicts(ratio, kind):
    verdict = judge("b", "a", ratio, FLOOR, 0.03)
    assert verdict.kind == kind
    assert ("rounds" in verdict.settle) == (kind == "inconclusive")
    assert verdict.sentence.endswith(".")


def test_no_difference_says_how_small_one_could_be():
    verdict = judge("b", "a", Ratio(1.0, 0.98, 1.02, 20), FLOOR, 0.03)
    assert "below 2\u00a0%" in verdict.sentence


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01234, "0.0123×"), (0.981, "0.981×"), (2.874, "2.87×"), (13.5, "13.5×"), (135.4, "135×")],
)
def test_times(value, text):
    assert times(value) == text
