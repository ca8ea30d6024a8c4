"""How many workers: the law on made-up costs, and beside a simulation of hundreds."""

import heapq
import math

import numpy as np
import pytest

from helpers.scale import Capacity


def test_the_slowest_sets_the_rate_and_is_named():
    costs = {"worker_s": 0.01, "busy_s": 0.0, "client_s": 0.001}
    assert str(Capacity(**costs).at(3)) == "3 workers: 300 elements/s, limited by workers"
    assert Capacity(**costs).at(1).rate == pytest.approx(100)
    assert Capacity(**costs).at(12).by == "client"
    assert Capacity(**costs, consumer_s=0.004).at(3).by == "consumer"
    assert Capacity(**costs, dispatcher_s=0.005).at(3).by == "dispatcher"
    network = Capacity(**costs, element_bytes=4e6, network_bytes_s=1e9)
    assert (network.at(3).by, network.at(3).rate) == ("network", 250)


def test_work_that_computes_is_limited_by_the_cores_and_work_that_waits_is_not():
    computing = Capacity(worker_s=0.01, busy_s=0.01, client_s=0.0, cores=2)
    waiting = Capacity(worker_s=0.01, busy_s=0.001, client_s=0.0, cores=2)
    assert [computing.at(n).rate for n in (1, 2, 4)] == pytest.approx([100, 200, 200])
    assert computing.at(4).by == "cores"
    assert [waiting.at(n).rate for n in (1, 2, 4, 8)] == pytest.approx(
        [100, 200, 400, 800], rel=0.02
    )


def test_workers_are_added_while_one_brings_more_than_seven_per_cent():
    capacity = Capacity(worker_s=0.01, busy_s=0.0, client_s=0.001)
    assert capacity.advised == 10
    assert capacity.gain(9) == pytest.approx(1 / 9) and capacity.gain(10) == 0
    # 14 workers bring 1/14 more than 13; the fifteenth would bring 6.7 %.
    assert Capacity(worker_s=1.0, busy_s=0.0, client_s=0.0).advised == 15
    # The eleventh brings one per cent.
    assert Capacity(worker_s=0.01, busy_s=0.0, client_s=1 / 1010).advised == 10


def test_the_fewest_workers_that_feed_a_consumer():
    costs = {"worker_s": 0.01, "busy_s": 0.0, "client_s": 0.001}
    assert Capacity(**costs, consumer_s=0.0029).feeding() == 4
    assert Capacity(**costs, consumer_s=0.0005).feeding() is None
    assert Capacity(**costs).cost(3) == pytest.approx(0.01)
    assert Capacity(**costs).cost(20) == pytest.approx(0.02)


def test_what_it_is_off_is_said():
    capacity = Capacity(worker_s=0.01, busy_s=0.0, client_s=0.0)
    assert capacity.errors({1: 100.0, 2: 190.0}) == pytest.approx({1: 0.0, 2: 10 / 190})
    assert "limited by" in str(capacity)


@pytest.mark.parametrize("workers", [1, 2, 8, 100, 400])
@pytest.mark.parametrize("consumer_s", [0.0, 0.004, 0.00011])
def test_a_simulation_of_hundreds_comes_close(workers, consumer_s):
    capacity = Capacity(worker_s=0.02, busy_s=0.0, client_s=0.0001, consumer_s=consumer_s)
    law = capacity.at(workers).rate
    found = capacity.simulated(workers, elements=200 * workers, spread=0.3)
    assert found <= 1.05 * law
    assert found >= (0.9 if workers > 1 else 0.85) * law


def test_shared_cores_slow_the_simulation_as_they_do_the_law():
    capacity = Capacity(worker_s=0.01, busy_s=0.01, client_s=0.001, cores=2)
    assert capacity.simulated(4, spread=0.01) == pytest.approx(capacity.at(4).rate, rel=0.05)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"worker_s": 0.0}, "worker_s must be above 0"),
        ({"busy_s": 2.0}, "busy_s must be from 0 to worker_s"),
        ({"client_s": -1.0}, "must be 0 or more"),
        ({"cores": 0}, "cores must be 1 or more"),
        ({"network_bytes_s": 0.0}, "network_bytes_s must be above 0"),
        ({"consumer_busy_s": 1.0}, "consumer_busy_s must be from 0"),
        ({"worker_s": math.nan}, "worker_s must be above 0"),
    ],
)
def test_costs_that_are_none_are_sentences(wrong, sentence):
    with pytest.raises(ValueError, match=sentence):
        Capacity(**{"worker_s": 1.0, "busy_s": 0.5, "client_s": 0.1} | wrong)
    with pytest.raises(ValueError, match="a worker or more"):
        Capacity(worker_s=1.0, busy_s=0.5, client_s=0.1).at(0)


@pytest.mark.parametrize("workers", [3, 8, 30])
def test_workers_that_share_cores_wait_for_one_before_all_are_taken(workers):
    capacity = Capacity(worker_s=0.06, busy_s=0.012, client_s=0.0, cores=2)
    queued = of_a_queue(workers, cores=2, busy_s=0.012, elsewhere_s=0.048)
    assert capacity.at(workers).rate == pytest.approx(queued, rel=0.03)
    assert capacity.simulated(workers) == pytest.approx(queued, rel=0.1)
    assert capacity.at(workers).by == ("workers" if workers < 10 else "cores")


@pytest.mark.parametrize("workers", [1, 4, 7, 8, 12, 40, 200])
def test_more_workers_than_the_cores_feed_take_nothing_away(workers):
    capacity = Capacity(worker_s=0.058, busy_s=0.0105, client_s=0.0085, cores=2)
    found = capacity.simulated(workers, elements=4000)
    assert found == pytest.approx(capacity.at(workers).rate, rel=0.1)


def of_a_queue(workers, *, cores, busy_s, elsewhere_s, elements=40_000):
    """Elements a second of workers that wait elsewhere, then queue for a core, event by event."""
    random = np.random.default_rng(3)
    comes = [(random.exponential(elsewhere_s), worker) for worker in range(workers)]
    heapq.heapify(comes)
    free = [0.0] * cores
    for _ in range(elements):
        at, worker = heapq.heappop(comes)
        done = max(at, heapq.heappop(free)) + random.exponential(busy_s)
        heapq.heappush(free, done)
        heapq.heappush(comes, (done + random.exponential(elsewhere_s), worker))
    return elements / max(free)


def test_nobody_waits_for_a_core_of_his_own():
    costs = {"worker_s": 0.06, "busy_s": 0.012, "client_s": 0.0}
    assert Capacity(**costs).undelayed(50) == 1
    assert Capacity(**costs, cores=4).undelayed(4) == 1
    assert Capacity(worker_s=0.06, busy_s=0.0, client_s=0.0, cores=2).undelayed(50) == 1
    computing = Capacity(worker_s=0.06, busy_s=0.06, client_s=0.0, cores=2)
    nearly = Capacity(worker_s=0.06, busy_s=0.06 - 1e-12, client_s=0.0, cores=2)
    assert computing.undelayed(1000) == pytest.approx(2 / 1000)
    assert nearly.undelayed(1000) == pytest.approx(2 / 1000)
