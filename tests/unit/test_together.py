"""One comparison that several processes made: simulated ones, on machines with a clock each."""

from dataclasses import replace

import pytest
from unit.fakes import FakeMachine

from helpers.measure import Settings, compare, load, save, together
from helpers.measure.results import from_json, to_json

WHOLE = Settings(min_rounds=16, max_rounds=16, warmup_rounds=1, precision=0.01)
SHARE = WHOLE.share(4)


def _part(offset, process, settings=SHARE, noise=0.0):
    machine = FakeMachine(noise=noise, seed=process)
    arms = [machine.arm("a", 1e6), machine.arm("b", 1e6 * offset)]
    done = process * settings.min_rounds
    return compare(arms, settings=settings, clock=machine.clock, done=done)


def _parts(*offsets, **options):
    return [_part(offset, process, **options) for process, offset in enumerate(offsets)]


def test_a_share_asks_of_all_processes_what_one_alone_would_do():
    share = Settings(min_rounds=8, max_rounds=200, budget_s=12, precision=0.03).share(4)
    assert (share.min_rounds, share.max_rounds, share.budget_s) == (2, 50, 3)
    assert share.precision == pytest.approx(1.03**2 - 1)
    assert Settings(min_rounds=3, max_rounds=3).share(4).max_rounds == 2


def test_every_trial_says_which_process_made_it_and_rounds_go_on():
    measured = together(_parts(1, 1, 1, 1), WHOLE)
    assert measured.processes == 4
    assert measured.rounds == 16
    assert measured.settings == WHOLE
    by_process = {}
    for trial in measured.trials:
        by_process.setdefault(trial.process, set()).add(trial.round)
    assert by_process == {p: set(range(5 * p, 5 * p + 5)) for p in range(4)}


def test_the_order_goes_on_from_process_to_process():
    measured = together(_parts(1, 1, 1, 1), WHOLE)
    alone = _part(1, 0, WHOLE)
    order = [trial.arm for trial in measured.trials if not trial.warmup]
    assert order == [trial.arm for trial in alone.trials if not trial.warmup]


def test_its_interval_holds_what_differs_between_processes():
    measured = together(_parts(1.00, 1.04, 0.98, 1.02), WHOLE)
    ratio = measured.ratio("b")
    assert ratio.processes == 4
    assert ratio.low < 1 / 1.04 < 1 / 0.98 < ratio.high
    assert measured.floor().low == measured.floor().high == 1
    assert measured.stopped == "processes"
    assert together(_parts(2, 2, 2, 2), WHOLE).stopped == "precise"


def test_the_interval_of_one_process_promises_no_more():
    alone, several = _part(1, 0), together(_parts(1, 1, 1, 1), WHOLE)
    for text in (str(alone), alone._repr_html_()):
        assert "within this run" in text
    for text in (str(several), several._repr_html_()):
        assert "within this run" not in text
        assert "16 rounds in 4 processes" in text


def test_a_first_process_that_differs_is_told_and_not_averaged_away():
    measured = together(_parts(1.5, 1, 1.001, 0.999), WHOLE)
    assert measured.remarks == (
        "b had not settled at once: in the first process 0.667×, in the others 1×.",
    )
    assert measured.remarks[0] in str(measured)
    assert measured.remarks[0] in measured._repr_html_()
    assert together(_parts(1.03, 1, 0.98, 1.02, noise=0.02), WHOLE).remarks == ()


@pytest.mark.parametrize(("cold", "told"), [(1.3, True), (1.0, False)])
def test_first_rounds_that_differ_are_told(cold, told):
    def part(process):
        measured = _part(1, process, noise=0.005)
        first = min(trial.round for trial in measured.trials if not trial.warmup)
        slower = tuple(
            replace(trial, steady_ns=round(trial.steady_ns * cold))
            if trial.arm == "b" and trial.round == first
            else trial
            for trial in measured.trials
        )
        return replace(measured, trials=slower)

    measured = together([part(process) for process in range(4)], WHOLE)
    assert bool(measured.remarks) is told
    if told:
        assert "in the first round of each process" in measured.remarks[0]


@pytest.mark.parametrize(("cold", "told"), [(1.3, True), (1.0, False)])
def test_first_rounds_of_a_single_process_that_differ_are_told(cold, told):
    measured = _part(1, 0, WHOLE, noise=0.005)
    slower = tuple(
        replace(trial, steady_ns=round(trial.steady_ns * cold))
        if trial.arm == "b" and trial.round < 5
        else trial
        for trial in measured.trials
    )
    remarks = replace(measured, trials=slower).remarks
    assert bool(remarks) is told
    if told:
        assert "in the first 4 rounds" in remarks[0]


def test_files_of_the_first_schema_are_read_as_one_process(tmp_path):
    measured = _part(1, 0)
    data = to_json(measured)
    data["schema"] = 1
    for trial in data["record"]["trials"]:
        del trial["process"]
    assert from_json(data) == measured
    several = together(_parts(1, 1, 1, 1), WHOLE)
    assert load(save(several, tmp_path / "m.json")) == several


def test_two_rounds_that_agree_are_no_reason_to_stop():
    share = Settings(min_rounds=8, max_rounds=80, precision=0.05).share(4)
    assert share.min_rounds == 2
    assert (_part(1, 0, share).rounds, _part(1, 0, share).stopped) == (3, "precise")
    hurried = replace(share, budget_s=1e-9)
    assert (_part(1, 0, hurried).rounds, _part(1, 0, hurried).stopped) == (2, "budget")
