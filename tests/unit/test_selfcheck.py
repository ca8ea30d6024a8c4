import math
import random
from dataclasses import replace

import pytest
from unit.fakes import FakeMachine

from helpers.measure import load, save
from helpers.measure.selfcheck import SLOWDOWN, SelfCheck, selfcheck


class TickingMachine(FakeMachine):
    """Reading its clock takes time too, so that waiting for a moment ends."""

    def clock(self) -> int:
        self.now += 10
        return self.now


def test_a_noisy_machine_fools_single_passes_and_not_the_protocol():
    machine = TickingMachine(noise=0.08, drift=0.02, seed=1)
    arm = machine.arm("arm", 20_000, elements=4)
    result = selfcheck(4, budget_s=1e9, clock=machine.clock, arm=arm)
    assert result.repeats == 4
    assert result.false_protocol == 0
    assert result.found_protocol == 4
    assert result.passed
    assert result.false_single + (4 - result.found_single) > 0
    assert 0 < result.least < SLOWDOWN


def test_a_machine_that_does_not_hold_still_fails_the_check():
    machine = TickingMachine(noise=0.5, seed=1)
    arm = machine.arm("arm", 20_000, elements=3)
    result = selfcheck(4, budget_s=1e-9, clock=machine.clock, arm=arm)
    assert not result.passed
    assert result.least > SLOWDOWN


def test_progress_is_told_and_no_repeats_are_refused():
    machine, seen = TickingMachine(), []
    arm = machine.arm("arm", 20_000)
    selfcheck(2, clock=machine.clock, arm=arm, on_progress=lambda *step: seen.append(step))
    assert seen == [(1, 2), (2, 2)]
    with pytest.raises(ValueError, match="repeats must be 1 or more"):
        selfcheck(0)


@pytest.mark.parametrize(
    ("false", "found", "passed"), [(2, 36, True), (3, 40, False), (0, 35, False)]
)
def test_the_rates(false, found, passed, tmp_path):
    machine = selfcheck(1, clock=(m := TickingMachine()).clock, arm=m.arm("a", 20_000)).machine
    result = SelfCheck(machine, 40, false, 20, found, 25)
    assert result.passed is passed
    assert load(save(result, tmp_path / "s.json")) == result
    assert f"{false} of 40" in str(result)
    assert f"{found} of 40" in result._repr_html_()


class Simulated:
    """Processes whose arms have an offset each, by which they look faster or slower there."""

    count = 4

    def __init__(self, machine, offset):
        self.machine, self.draw, self.offset = machine, random.Random(1), offset

    def each(self, function, arms, *, settings):
        return [
            function(
                [replace(arm, build=self._build(arm)) for arm in arms],
                settings=settings.share(4), clock=self.machine.clock, done=place,
            )
            for place in range(4)
        ]  # fmt: skip

    def _build(self, arm):
        cost = 20_000 * math.exp(self.draw.gauss(0, self.offset))
        return self.machine.arm(arm.name, cost, elements=4).build


@pytest.mark.parametrize(("offset", "finds"), [(0.003, True), (0.05, False)])
def test_what_differs_between_processes_is_part_of_what_a_machine_allows(offset, finds):
    machine = TickingMachine(noise=0.01, seed=2)
    arm = machine.arm("arm", 20_000, elements=4)
    processes = Simulated(machine, offset)
    result = selfcheck(10, budget_s=1e9, clock=machine.clock, arm=arm, processes=processes)
    assert result.processes == 4
    assert result.false_protocol <= 1
    assert result.passed is finds
    assert (result.least < SLOWDOWN) is finds
