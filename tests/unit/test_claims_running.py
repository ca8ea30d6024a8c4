"""Running one claim: progress, cancelling, and what a machine cannot do."""

from __future__ import annotations

import threading

import pytest
from unit.fakes import FakeMachine

from helpers.claims import CannotRun, Checked, Claim, Finding, Timed, run_claim
from helpers.claims.arms import own, rows_taken
from helpers.claims.expectation import faster
from helpers.measure import Cancelled, Settings
from helpers.quiet import tf

SETTINGS = Settings(min_rounds=3, max_rounds=4, warmup_rounds=0)


def _claim(*conditions) -> Claim:
    return Claim(
        id="a-claim",
        statement="Something is faster.",
        source="ourselves",
        detail="here",
        notebook="01-baseline",
        conditions=conditions,
        supports="It is.",
        refutes="It is not.",
        varies="the weather",
    )


def _timed(name: str = "behind A") -> Timed:
    def make():
        machine = FakeMachine()
        return machine.arm("plain", 1000), machine.arm("changed", 500)

    return Timed(name, own(make), faster())


def _check(name: str, result) -> Checked:
    def check():
        if isinstance(result, BaseException):
            raise result
        return result

    return Checked(name, check)


def test_the_settings_reach_each_comparison():
    result = run_claim(_claim(_timed(), _timed("behind B")), settings=SETTINGS)
    assert [found.measurement.settings for found in result.conditions] == [SETTINGS] * 2
    assert result.conditions[0].measurement.arms == ("plain", "changed")
    assert result.conditions[0].measurement.baseline == "plain"


def test_without_settings_a_test_run_is_quick():
    assert run_claim(_claim(_timed())).conditions[0].measurement.settings.quick


def test_progress_grows_to_one():
    seen = []
    run_claim(
        _claim(_timed(), _check("for B", Finding(True, "seen"))),
        settings=SETTINGS,
        on_progress=lambda name, share: seen.append((name, share)),
    )
    shares = [share for _, share in seen]
    assert shares == sorted(shares)
    assert shares[0] == 0 and shares[-1] == 1
    assert [name for name, _ in seen][-2:] == ["for B", "for B"]
    assert len(seen) > 5  # rounds report too


@pytest.mark.parametrize(
    "error",
    [
        CannotRun("no port is free"),
        OSError("no port is free"),
        MemoryError("no port is free"),
        tf.errors.UnavailableError(None, None, "no port is free"),
    ],
)
def test_what_a_machine_refuses_is_said_and_the_rest_still_counts(error):
    result = run_claim(_claim(_check("for A", error), _check("for B", Finding(True, "seen"))))
    assert result.conditions[0].outcome == "cannot run here"
    assert "no port is free" in result.conditions[0].missing
    assert result.verdict == "supported"
    assert "could not be tried for A" in result.sentence


def test_a_fault_of_ours_is_not_taken_for_the_machine_s():
    with pytest.raises(KeyError):
        run_claim(_claim(_check("for A", KeyError("oh"))))


def test_arms_are_closed_when_a_comparison_fails():
    from contextlib import contextmanager

    closed = []

    @contextmanager
    def failing():
        machine = FakeMachine()
        try:
            yield machine.arm("plain", 1000), machine.arm("changed", 500, elements=9)
        finally:
            closed.append(True)

    with pytest.raises(ValueError, match="same work"):
        run_claim(_claim(Timed("behind A", failing, faster())), settings=SETTINGS)
    assert closed == [True]


def test_cancelling_ends_it_between_conditions():
    flag = threading.Event()

    def cancel():
        flag.set()
        return Finding(True, "seen")

    with pytest.raises(Cancelled):
        run_claim(_claim(Checked("for A", cancel), _timed()), cancelled=flag)


def test_rows_are_fewer_in_quick_mode(monkeypatch):
    assert rows_taken(200) == 24
    assert rows_taken(10) == 10
    monkeypatch.delenv("WORKBOOK_QUICK")
    assert rows_taken(200) == 200
