"""A race of changed pipelines against the original, on times that are made up."""

import dataclasses

import pytest

from helpers.diagnose import trying
from helpers.measure import Trial
from helpers.measure.timing import TooFew


class Left:
    """A deadline with so many looks at it left."""

    def __init__(self, looks=10_000):
        self.looks = looks

    @property
    def left_s(self):
        self.looks -= 1
        return max(0, self.looks)


@dataclasses.dataclass
class Clock:
    """Stands in for `run_trial`: every arm takes what is written here."""

    ns: dict
    ran: list = dataclasses.field(default_factory=list)

    def __call__(self, arm, round_=0):
        self.ran.append(arm.name)
        if isinstance(self.ns[arm.name], Exception):
            raise self.ns[arm.name]
        return Trial(
            arm.name, round_, 0, False, build_ns=1, first_ns=1, steady_ns=10 * self.ns[arm.name],
            wait_ns=0, elements=11, examples=11, first_examples=1,
        )  # fmt: skip


def race(monkeypatch, ns, deadline=None):
    clock = Clock(ns)
    monkeypatch.setattr(trying, "run_trial", clock)
    names = [name for name in ns if name != trying.BEFORE]
    found = trying.race(
        lambda: None, {name: (lambda: None) for name in names}, parallel=(),
        batches=dict.fromkeys(ns, 3), batch_size=4, step=None, deadline=deadline or Left(),
    )  # fmt: skip
    return found, clock


def test_a_gain_is_the_ratio_of_the_times_and_its_interval_is_made_wider(monkeypatch):
    found, _ = race(monkeypatch, {trying.BEFORE: 100, "good": 50, "bad": 200})
    assert found["good"].value == pytest.approx(2)
    assert found["good"].low == pytest.approx(2 / trying.AGAIN)
    assert found["good"].high == pytest.approx(2 * trying.AGAIN)
    assert found["bad"].value == pytest.approx(0.5)


def test_a_fix_that_raises_drops_out_and_the_others_go_on(monkeypatch):
    found, clock = race(monkeypatch, {trying.BEFORE: 100, "broken": RuntimeError("no"), "good": 25})
    assert set(found) == {"good"}
    assert clock.ran.count("broken") == 1


@pytest.mark.parametrize("kind", [RuntimeError, ValueError])
def test_the_users_own_error_is_not_swallowed(kind, monkeypatch):
    with pytest.raises(kind, match="theirs"):
        race(monkeypatch, {trying.BEFORE: kind("theirs"), "good": 25})


def test_without_time_for_two_rounds_nothing_is_said(monkeypatch):
    found, _ = race(monkeypatch, {trying.BEFORE: 100, "good": 50}, Left(5))
    assert found == {}


def test_an_original_of_a_single_element_is_not_raced(monkeypatch):
    error = TooFew("'as it is' yielded a single element")
    found, clock = race(monkeypatch, {trying.BEFORE: error, "good": 25})
    assert (found, clock.ran) == ({}, [trying.BEFORE])
