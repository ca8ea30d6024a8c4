import threading
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from unit.fakes import FakeMachine

from helpers.measure import Arm, Cancelled, Settings, Span, compare, run_trial
from helpers.measure.timing import content_digest

FEW = Settings(min_rounds=3, max_rounds=3)


def test_a_trial_tells_build_cold_start_and_steady_state_apart_exactly():
    machine = FakeMachine()
    arm = machine.arm("a", 10, elements=5, build=1000, open_=100, step=7, examples=3)
    trial = run_trial(arm, clock=machine.clock)
    assert trial.build_ns == 1000
    assert trial.first_ns == 110
    # four waits and four turns of the consumer lie between the first arrival and the last
    assert trial.steady_ns == 4 * (10 + 7)
    assert trial.wait_ns == 4 * 10
    assert (trial.elements, trial.examples, trial.first_examples) == (5, 15, 3)
    assert trial.ns_per_example == 4 * 17 / 12
    assert trial.stall == 10 / 17
    assert trial.cold_ns == 1110
    assert trial.single_pass_ns == 1110 + 68


def test_an_uneven_last_batch_counts_as_the_examples_it_holds():
    machine = FakeMachine()

    def build():
        for size in (4, 4, 1):
            machine.spend(100)
            yield [0] * size

    trial = run_trial(Arm("a", build, examples=len), clock=machine.clock)
    assert trial.ns_per_example == 200 / 5


def test_an_iterable_that_drains_itself_reports_spans():
    machine = FakeMachine()

    def build():
        machine.spend(50)
        yield Span(1, 32)
        machine.spend(990)
        yield Span(9, 288)

    trial = run_trial(Arm("graph", build), clock=machine.clock)
    assert (trial.elements, trial.examples) == (10, 320)
    assert trial.first_ns == 50
    assert trial.ns_per_example == 990 / 288


@pytest.mark.parametrize(
    ("elements", "said"), [(0, "yielded nothing"), (1, "yielded a single element")]
)
def test_too_few_elements_are_named(elements, said):
    machine = FakeMachine()
    with pytest.raises(ValueError, match=f"'a' {said}"):
        run_trial(machine.arm("a", 10, elements=elements), clock=machine.clock)


def test_every_round_holds_every_arm_and_if_it_counts_the_control_once_in_balanced_order():
    machine = FakeMachine()
    arms = [machine.arm("a", 10), machine.arm("b", 20), machine.arm("c", 5)]
    settings = Settings(min_rounds=6, max_rounds=6, warmup_rounds=2, precision=1e-9, seed=4)
    measured = compare(arms, settings=settings, clock=machine.clock)
    orders = []
    for round_ in range(8):
        trials = [trial for trial in measured.trials if trial.round == round_]
        warmup = round_ < 2  # where the control would warm up what is warm
        assert sorted(trial.arm for trial in trials) == ["a", *["a, again"][warmup:], "b", "c"]
        assert [trial.position for trial in trials] == list(range(4 - warmup))
        assert {trial.warmup for trial in trials} == {warmup}
        orders.append(tuple(trial.arm for trial in trials))
    assert orders[0] == orders[1] == ("a", "b", "c")  # warm-up: as they were given
    follows = Counter(pair for order in orders[2:6] for pair in pairwise(order))
    assert set(follows.values()) == {1} and len(follows) == 4 * 3
    assert measured.rounds == 6
    again = compare(arms, settings=settings, clock=machine.clock)
    assert [trial.arm for trial in again.trials] == [trial.arm for trial in measured.trials]


def test_ratios_on_a_steady_clock_are_exact():
    machine = FakeMachine()
    arms = [machine.arm("a", 10), machine.arm("fast", 5), machine.arm("slow", 40)]
    measured = compare(arms, settings=FEW, clock=machine.clock)
    assert measured.ratio("fast").value == pytest.approx(2)
    assert measured.ratio("slow").value == pytest.approx(0.25)
    assert measured.ratio("fast", "slow").value == pytest.approx(8)
    assert measured.floor().value == 1
    assert measured.verdict("fast").kind == "faster"
    assert measured.verdict("slow").kind == "slower"
    assert measured.ns_per_example("slow") == 40
    assert measured.stopped == "precise"


def test_pairing_takes_drift_out_that_medians_would_keep():
    machine = FakeMachine(drift=0.15, seed=3)
    arms = [machine.arm("a", 1000, elements=3), machine.arm("b", 2000, elements=3)]
    measured = compare(arms, settings=Settings(min_rounds=40, max_rounds=40), clock=machine.clock)
    ratio = measured.ratio("b")
    assert ratio.low < 0.5 < ratio.high


def test_the_budget_stops_it_once_the_least_rounds_are_done():
    machine = FakeMachine(noise=0.5)
    settings = Settings(min_rounds=4, max_rounds=100, budget_s=1e-9, precision=0.001)
    measured = compare([machine.arm("a", 10)], settings=settings, clock=machine.clock)
    assert (measured.stopped, measured.rounds) == ("budget", 4)


def test_a_cancelled_comparison_ends_before_the_next_trial():
    machine = FakeMachine()
    flag = threading.Event()
    with pytest.raises(Cancelled):
        compare(
            [machine.arm("a", 10)],
            on_progress=lambda progress: flag.set(),
            cancelled=flag,
            clock=machine.clock,
        )


def test_progress_reports_rounds_and_intervals():
    machine = FakeMachine()
    seen = []
    arms = [machine.arm("a", 10), machine.arm("b", 20)]
    compare(arms, settings=FEW, on_progress=seen.append, clock=machine.clock)
    assert [progress.rounds for progress in seen] == [0, 1, 2, 3]
    assert seen[1].ratios == {}
    assert set(seen[2].ratios) == {"a, again", "b"}
    assert seen[-1].ratios["b"].value == pytest.approx(0.5)


def test_unequal_work_is_refused():
    machine = FakeMachine()
    arms = [machine.arm("a", 10, elements=5), machine.arm("b", 10, elements=6)]
    with pytest.raises(ValueError, match=r"'a'|'b'.*give all arms the same work"):
        compare(arms, settings=FEW, clock=machine.clock)


def test_names_must_differ_and_the_baseline_exist():
    machine = FakeMachine()
    arms = [machine.arm("a", 10), machine.arm("a", 10)]
    with pytest.raises(ValueError, match="share a name"):
        compare(arms)
    with pytest.raises(ValueError, match="'z' is not among the arms: a"):
        compare(arms[:1], baseline="z")


def _rows(values, batch=None):
    def build():
        rows = np.asarray(values, np.float32)[:, None]
        return iter(rows if batch is None else np.split(rows, range(batch, len(rows), batch)))

    return build


def test_content_is_compared_whatever_the_batching():
    same = [
        Arm("rows", _rows(range(7)), content="x"),
        Arm("batches", _rows(range(7), 3), examples=len, content="x"),
    ]
    assert compare(same, settings=FEW).arms == ("rows", "batches")
    other = Arm("other", _rows([0, 1, 2, 3, 4, 5, 9], 3), examples=len, content="x")
    with pytest.raises(ValueError, match="'other' does not yield the same examples as 'rows'"):
        compare([same[0], other], settings=FEW)


def test_content_sees_order_dtype_and_structure():
    def digest(*items, batched=False):
        return content_digest(items, batched)

    a, b = np.float32([1, 2]), np.float32([3, 4])
    assert digest({"x": a}, {"x": b}) == digest({"x": np.stack([a, b])}, batched=True)
    assert digest(a, b) != digest(b, a)
    assert digest(a) != digest(a.astype(np.float64))
    assert digest((a, b)) != digest((b, a))
    words = np.array([b"x", b"yy"], object)
    assert digest(words[:1], words[1:], batched=True) == digest(words, batched=True)


def test_single_passes_of_one_arm_differ_where_rounds_and_intervals_do_not():
    machine = FakeMachine()
    costs = iter([10, 10, 10, 10, 10, 12, 10, 10])  # the sixth pass meets a slow moment

    def build():
        cost = next(costs)
        for index in range(3):
            machine.spend(cost)
            yield index

    settings = Settings(min_rounds=4, max_rounds=4, warmup_rounds=0)
    measured = compare([Arm("a", build)], settings=settings, clock=machine.clock)
    assert sorted(measured.single_pass_ratios())[1:3] == [1, 1]
    assert measured.single_pass_error(0.1) == 1 / 4
    assert measured.single_pass_error(0.25) == 0
    assert measured.floor().value == 1


def test_who_drains_itself_is_timed_by_the_elements_it_takes():
    machine = FakeMachine()

    def drain(iterable, through):
        machine.spend(500)
        for _ in through(iter(iterable)):
            machine.spend(7)

    plain = machine.arm("a", 10, elements=5, build=1000, open_=100, step=7, examples=3)
    driven = machine.arm("a", 10, elements=5, build=1000, open_=100, examples=3, drain=drain)
    expected = run_trial(plain, clock=machine.clock)
    trial = run_trial(driven, clock=machine.clock)
    assert trial == replace(expected, first_ns=expected.first_ns + 500)


def test_who_drains_itself_and_takes_nothing_is_named():
    machine = FakeMachine()
    arm = machine.arm("a", 10, drain=lambda iterable, through: None)
    with pytest.raises(ValueError, match="'a' yielded nothing"):
        run_trial(arm, clock=machine.clock)
