"""How a claim's verdict follows from intervals: exact numbers, no TensorFlow pipeline."""

from __future__ import annotations

import dataclasses

import pytest
from unit.fakes import FakeMachine

from helpers.claims import ClaimResult, ConditionResult, Finding, verdict_of
from helpers.claims.expectation import (
    CANNOT_RUN,
    DEPENDS,
    INCONCLUSIVE,
    REFUTED,
    SUPPORTED,
    Expectation,
    about,
    at_least,
    at_most,
    faster,
    slower,
)
from helpers.measure import Ratio, Settings, Verdict, compare, load, save


def _outcome(expectation: Expectation, value: float, low: float, high: float, noise=1.02) -> str:
    verdict = Verdict(
        "arm", "baseline", "", Ratio(value, low, high, 10), Ratio(1, 1 / noise, noise, 10)
    )
    return expectation.outcome(verdict, precision=0.05)[0]


@pytest.mark.parametrize(
    ("expectation", "interval", "outcome"),
    [
        (faster(), (1.2, 1.1, 1.3), SUPPORTED),
        (faster(), (0.8, 0.7, 0.9), REFUTED),
        (faster(), (1.0, 0.98, 1.02), REFUTED),  # no difference where a gain was promised
        (faster(), (1.04, 1.01, 1.07), INCONCLUSIVE),  # overlaps the noise, but lies outside
        (faster(), (1.0, 0.8, 1.25), INCONCLUSIVE),  # too wide to say that there is none
        (slower(), (0.8, 0.7, 0.9), SUPPORTED),
        (slower(), (1.2, 1.1, 1.3), REFUTED),
        (slower(), (1.0, 0.98, 1.02), REFUTED),
        (at_least(2), (2.5, 2.1, 3), SUPPORTED),
        (at_least(2), (2.5, 2.03, 3), INCONCLUSIVE),  # clear of 2, but not by the noise floor
        (at_least(2), (1.5, 1.4, 1.9), REFUTED),
        (at_least(2), (2.0, 1.98, 2.02), INCONCLUSIVE),  # on the bound itself
        (at_least(0.8), (0.9, 0.85, 0.95), SUPPORTED),
        (at_most(0.8), (0.5, 0.4, 0.6), SUPPORTED),
        (at_most(0.8), (0.9, 0.85, 0.95), REFUTED),
        (at_most(0.8), (0.8, 0.75, 0.85), INCONCLUSIVE),
        (about(1.2), (1.0, 0.95, 1.05), SUPPORTED),
        (about(1.2), (0.7, 0.6, 0.8), REFUTED),
        (about(1.2), (1.5, 1.4, 1.6), REFUTED),
        (about(1.2), (1.15, 1.05, 1.25), INCONCLUSIVE),
        (about(1.2), (0.86, 0.8, 0.9), INCONCLUSIVE),
    ],
)
def test_an_expectation_is_judged_by_the_interval_and_the_noise(expectation, interval, outcome):
    assert _outcome(expectation, *interval) == outcome


def test_noise_hides_what_quiet_would_show():
    assert _outcome(faster(), 1.2, 1.1, 1.3, noise=1.02) == SUPPORTED
    assert _outcome(faster(), 1.2, 1.1, 1.3, noise=1.15) == INCONCLUSIVE


@pytest.mark.parametrize("expectation", [faster(), at_least(2), at_most(0.8), about(1.2)])
def test_only_an_inconclusive_outcome_says_what_would_settle_it(expectation):
    for value in (0.2, 0.5, 0.8, 0.95, 1.0, 1.2, 1.7, 2.0, 2.4, 9.0):
        verdict = Verdict(
            "a", "b", "", Ratio(value, value / 1.1, value * 1.1, 10), Ratio(1, 0.98, 1.02, 10)
        )
        outcome, settle = expectation.outcome(verdict, precision=0.05)
        assert bool(settle) == (outcome == INCONCLUSIVE)


@pytest.mark.parametrize(
    ("expectation", "words"),
    [
        (faster(), "faster"),
        (slower(), "slower"),
        (at_least(1.1), "at least 1.10×"),
        (at_most(0.5), "at most 0.500×"),
        (about(1.25), "0.800× to 1.25×"),
    ],
)
def test_an_expectation_in_words(expectation, words):
    assert expectation.words == words


@pytest.mark.parametrize("make", [lambda: at_least(0), lambda: about(0.9), lambda: at_most(-1)])
def test_an_impossible_bound_is_refused(make):
    with pytest.raises(ValueError, match="give a bound above 0"):
        make()


S, R, Q, C = SUPPORTED, REFUTED, INCONCLUSIVE, CANNOT_RUN


@pytest.mark.parametrize(
    ("outcomes", "verdict"),
    [
        ([S, S], SUPPORTED),
        ([R, R, R], REFUTED),
        ([S, R], DEPENDS),
        ([S, Q], INCONCLUSIVE),
        ([R, Q], INCONCLUSIVE),
        ([Q, Q], INCONCLUSIVE),
        ([S, Q, R], DEPENDS),  # the others disagree already
        ([C, C], CANNOT_RUN),
        ([S, C], SUPPORTED),
        ([R, C], REFUTED),
        ([Q, C], INCONCLUSIVE),
        ([S, R, C], DEPENDS),
        ([], CANNOT_RUN),
    ],
)
def test_outcomes_combine(outcomes, verdict):
    assert verdict_of(outcomes) == verdict
    assert verdict_of(reversed(outcomes)) == verdict


def _measured(slowdown: float):
    """A comparison on a clock without noise: its intervals have no width."""
    machine = FakeMachine()
    arms = [machine.arm("plain", 1000), machine.arm("changed", 1000 * slowdown)]
    return compare(arms, settings=Settings(min_rounds=3), clock=machine.clock)


def _result(*conditions: ConditionResult) -> ClaimResult:
    return ClaimResult("a-claim", "the consumer", conditions, 1.5)


FAST = ConditionResult("behind A", faster(), _measured(0.5))
SLOW = ConditionResult("behind B", faster(), _measured(2))
SEEN = ConditionResult("for C", finding=Finding(True, "six elements come"))
UNSEEN = ConditionResult("for C", finding=Finding(False, "two elements come"))
MISSING = ConditionResult("for D", missing="CannotRun: no port")


@pytest.mark.parametrize(
    ("conditions", "verdict", "sentence"),
    [
        (
            (FAST, SEEN),
            SUPPORTED,
            "Supported: it holds behind A (changed against plain: 2.00× [2.00×, 2.00×], expected "
            "faster); for C (six elements come).",
        ),
        (
            (SLOW, UNSEEN),
            REFUTED,
            "Refuted: it does not hold behind B (changed against plain: 0.500× [0.500×, 0.500×], "
            "expected faster); for C (two elements come).",
        ),
        (
            (SEEN, SLOW, MISSING),
            DEPENDS,
            "Depends on the consumer: it holds for C (six elements come). It does not hold behind "
            "B (changed against plain: 0.500× [0.500×, 0.500×], expected faster). It could not be "
            "tried for D (CannotRun: no port).",
        ),
        (
            (MISSING,),
            CANNOT_RUN,
            "Cannot run here: it could not be tried for D (CannotRun: no port).",
        ),
    ],
)
def test_the_verdict_and_its_sentence_follow_from_the_conditions(conditions, verdict, sentence):
    result = _result(*conditions)
    assert result.verdict == verdict
    assert result.sentence == sentence


def test_an_inconclusive_claim_says_what_would_settle_it():
    result = _result(ConditionResult("behind A", at_least(2), _measured(0.5)))
    assert result.verdict == INCONCLUSIVE
    assert result.sentence == (
        "Inconclusive: it is undecided behind A (changed against plain: 2.00× [2.00×, 2.00×], "
        "expected at least 2.00×; the noise hides on which side of its bound it lies: try it on "
        "a quieter machine)."
    )


def test_a_verdict_follows_the_numbers_and_is_not_kept():
    before = _result(FAST)
    assert before.verdict == SUPPORTED
    measurement = FAST.measurement
    slower_trials = tuple(
        dataclasses.replace(trial, steady_ns=trial.steady_ns * (8 if trial.arm == "changed" else 1))
        for trial in measurement.trials
    )
    changed = dataclasses.replace(measurement, trials=slower_trials)
    after = _result(dataclasses.replace(FAST, measurement=changed))
    assert after.verdict == REFUTED
    assert not {"verdict", "outcome", "sentence"} & {
        field.name for kind in (ClaimResult, ConditionResult) for field in dataclasses.fields(kind)
    }


def test_a_result_survives_json(tmp_path):
    result = _result(FAST, SLOW, SEEN, MISSING)
    again = load(save(result, tmp_path / "claim.json"))
    assert again == result
    assert again.verdict == result.verdict
    assert again.sentence == result.sentence


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"missing": "no port", "finding": Finding(True, "seen")},
        {"measurement": _measured(1)},
    ],
)
def test_a_condition_has_exactly_one_kind_of_result(parts):
    with pytest.raises(ValueError, match="must have a measurement"):
        ConditionResult("for E", **parts)
