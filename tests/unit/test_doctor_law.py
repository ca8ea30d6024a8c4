"""The arithmetic of the doctor on made-up coefficients."""

import time
from dataclasses import replace

import numpy as np
import pytest

from helpers.diagnose.accounting import coefficients
from helpers.diagnose.advice import Advice, predict, rank
from helpers.diagnose.diagnosis import Work
from helpers.diagnose.estimate import Estimate, draw_medians, of_draws
from helpers.diagnose.law import Coefficients, batch_ns, binding, bounds, unsure, workers_for
from helpers.diagnose.probes import bracket, held_share
from helpers.diagnose.profile import held_by
from helpers.diagnose.verdict import cause_of, nothing_to_win

IDLE = Coefficients(
    waiting=0, held=10, freed=0, crossing=90, nodes=0, consumer=0, consumer_held=0, cores=4
)


def test_without_a_consumer_the_serial_row_binds():
    assert bounds(IDLE)["serial"] == 100 == batch_ns(IDLE)
    assert binding(IDLE) == "serial"
    assert cause_of(IDLE) == "crossing"


def test_with_a_prefetch_the_longer_of_data_and_consumer_counts_and_without_one_the_sum():
    fed = replace(IDLE, consumer=150)
    assert batch_ns(fed) == 150 and binding(fed) == "consumer"
    assert batch_ns(replace(fed, overlapped=False)) == 250


def test_the_gil_binds_where_generator_and_consumer_share_it():
    shared = replace(IDLE, held=80, crossing=0, consumer=90, consumer_held=90)
    assert bounds(shared)["GIL"] == 170
    assert cause_of(shared) == "gil"


def test_a_consumer_of_python_and_one_that_waits_are_told_apart_by_who_holds_the_gil():
    busy = held_by(lambda batch: sum(range(100_000)), [0], 1)
    if not busy:
        pytest.skip("py-spy may not look at a process here")
    assert busy > 0.6
    assert held_by(lambda batch: time.sleep(0.005), [0], 1) < 0.2


def test_the_share_that_a_consumer_holds_reaches_the_law():
    one = {"c0": 100.0, "g": 80.0, "x": 90.0}
    c = coefficients(one, Work(0.9, 0.1, 0.0, ""), 0.0, True, consumer_held=0.9)
    assert c.consumer_held == 90
    assert cause_of(c) == "gil"


def test_two_processes_halve_what_is_serial_and_leave_the_gil_to_the_consumer():
    heavy = replace(IDLE, held=1000, crossing=10)
    two = replace(heavy, streams=2, processes=2, handover=5)
    assert batch_ns(two) == pytest.approx(505)
    assert bounds(two)["GIL"] == 500
    assert bounds(two)["hand-over"] == 5


def test_few_cores_bind_before_the_serial_row():
    busy = replace(IDLE, held=50, freed=50, crossing=0, consumer=95, cores=1)
    assert batch_ns(busy) == 195


@pytest.mark.parametrize(
    ("held", "waiting", "freed", "cause"),
    [(900, 50, 50, "holds-gil"), (50, 900, 50, "waits"), (50, 50, 900, "frees-gil")],
)
def test_a_heavy_generator_is_told_by_what_it_does(held, waiting, freed, cause):
    assert cause_of(replace(IDLE, held=held, waiting=waiting, freed=freed)) == cause


def test_workers_for_a_rate_are_as_few_as_do():
    heavy = replace(IDLE, held=1000)
    assert workers_for(1000, heavy, 8) == 1
    assert workers_for(500, heavy, 8) == 2
    assert workers_for(480, heavy, 8) == 2  # 2.08: a tenth of a worker is let go
    assert workers_for(10, heavy, 8) == 8


def test_two_threads_against_one_give_a_bracket_and_never_a_point():
    assert bracket(1.0) == (1.0, 1.0)
    assert bracket(2.0) == (0.0, 0.5)
    assert bracket(0.8) == (1.0, 1.0)
    low, high = bracket(1.5)
    assert low == pytest.approx(1 / 3) and high == pytest.approx(2 / 3)


def test_draws_of_one_round_stay_together():
    rounds = {"one": [1, 2, 3, 4, 5], "two": [2, 4, 6, 8, 10]}
    drawn = draw_medians(rounds)
    assert drawn["one"][0] == 3
    assert np.array_equal(drawn["two"], 2 * drawn["one"])


def test_an_estimate_is_a_median_with_its_percentiles():
    assert of_draws(range(101)) == Estimate(50, 5, 95)


def test_a_prediction_is_the_smaller_of_measured_and_lawful_gain():
    draws = {"g": np.full(5, 10.0), "x": np.full(5, 120.0), "replay": np.full(5, 90.0)}
    work = Work(1, 0, 0, "")
    made = lambda one: coefficients(one, work, 0, True)  # noqa: E731
    gain = predict(lambda c, one: replace(c, crossing=10), made, draws, "x")
    assert gain.value == pytest.approx(5)  # 100 / 20 by the law, 120 / 20 measured
    assert gain.low < 5 < gain.high


def _advice(name, gain):
    return Advice(name, "", "", Estimate(gain, gain, gain), "", "", 0, True)


def test_the_largest_gain_comes_first_and_among_equals_the_simplest():
    ranked = rank([_advice("bridge", 2.0), _advice("worker", 2.02), _advice("threads", 5.0)])
    assert [one.name for one in ranked] == ["threads", "bridge", "worker"]


def test_what_was_tried_comes_first_where_the_law_does_not_fit():
    tried = replace(_advice("worker", 1.0), tried=Estimate(1.5, 1.4, 1.6))
    ranked = rank([_advice("bridge", 2.0), tried], unsure=True)
    assert [one.name for one in ranked] == ["worker", "bridge"]


@pytest.mark.parametrize(
    ("rounds", "off", "expected"),
    [(2, 0.0, True), (3, 0.0, False), (3, None, False), (9, 0.3, True), (9, -0.3, True)],
)
def test_few_rounds_or_a_law_that_does_not_fit_predict_nothing(rounds, off, expected):
    assert unsure(rounds, off) is expected


def test_what_brings_less_than_a_tenth_is_not_advised():
    assert rank([_advice("bridge", 1.05)]) == ()


def test_under_five_percent_of_headroom_there_is_nothing_to_win():
    assert nothing_to_win(Estimate(0.01, -0.02, 0.04))
    assert not nothing_to_win(Estimate(0.01, -0.02, 0.06))
    assert not nothing_to_win(None)


def test_a_pipeline_that_is_sooner_than_its_generator_does_not_run_it():
    c = coefficients({"g": 100.0, "replay": 50.0, "x": 150.0, "w": 5.0}, None, 0, True)
    assert (c.generator, c.crossing, c.nodes) == (0, 0, 5)


def test_looks_only_say_how_what_runs_is_divided():
    assert held_share(1.0, 0.0, 0.0, 1.0) == 1.0
    assert held_share(0.5, 0.0, 0.5, 0.5) == 0.5
    # three quarters of the looks see the GIL held, as the thread often had no core meanwhile
    assert held_share(0.75, 0.0, 0.25, 0.5) == 0.5
    # it woke up late: seen to wait, and by the clock it was ready
    assert held_share(0.3, 0.0, 0.4, 0.5) == 0.5
    assert held_share(0.3, 0.3, 0.4, 0.6) == pytest.approx(0.3)
    assert held_share(0.0, 0.0, 1.0, 0.0) == 0.0
