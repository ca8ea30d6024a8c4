"""Which rows of a source each worker reads, in which order: arithmetic, in this process."""

import itertools
import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.bridge.sharding import Order, SourceShards, Turn, seed_everything, worker_seed


class Recorder:
    """A source whose items tell what was drawn for them."""

    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        assert type(index) is int
        return index, random.random(), np.random.random()


def stretches(shards, num_shards, *, seed=0, first=0):
    """The stretches of one epoch in the order of their turns."""
    turns = [Turn(shard, num_shards, seed, first, False) for shard in range(num_shards)]
    rounds = itertools.zip_longest(*(list(shards(turn, ())) for turn in turns))
    return [stretch for round in rounds for stretch in round if stretch is not None]


@given(
    count=st.integers(0, 60),
    num_shards=st.integers(1, 4),
    batch_size=st.integers(1, 5),
    batches=st.integers(1, 3),
    first=st.integers(0, 70),
    shuffle=st.booleans(),
)
def test_stretches_follow_each_other_without_a_gap(
    count, num_shards, batch_size, batches, first, shuffle
):
    order = Order(count, shuffle)
    length = batch_size * batches
    shards = SourceShards(Recorder(count), order, batch_size, length)
    found = stretches(shards, num_shards, seed=5, first=first)
    assert [s.first for s in found] == list(range(first, count, length))
    assert [s.end for s in found] == [min(s.first + length, count) for s in found]
    rows = [item for s in found for item, *_ in s.open_rows()]
    assert rows == list(order.of(5))[first:]


@given(
    count=st.integers(1, 40),
    num_shards=st.integers(1, 3),
    batch_size=st.integers(1, 5),
    batches=st.integers(1, 3),
    start=st.integers(0, 10),
)
def test_what_is_drawn_for_a_row_depends_on_seed_and_place_alone(
    count, num_shards, batch_size, batches, start
):
    order = Order(count, shuffle=True)
    one = SourceShards(Recorder(count), order, batch_size, None)
    (stretch,) = stretches(one, 1, seed=9)
    expected = list(stretch.open_rows())
    first = min(start * batch_size, count)  # where a batch begins
    several = SourceShards(Recorder(count), order, batch_size, batch_size * batches)
    found = stretches(several, num_shards, seed=9, first=first)
    assert [row for s in found for row in s.open_rows()] == expected[first:]


def test_rows_go_on_after_one_that_raises():
    class Hole(Recorder):
        def __getitem__(self, index):
            if index in (1, 2, 4):
                raise KeyError(index)
            return index

    (stretch,) = stretches(SourceShards(Hole(6), Order(6, False), 2, None), 1)
    rows, found = stretch.open_rows(), []
    for _ in range(6):
        try:
            found.append(next(rows))
        except KeyError:
            found.append("error")
    assert found == [0, "error", "error", 3, "error", 5]
    assert next(rows, "end") == "end"


def test_an_order_is_a_function_of_the_seed():
    order = Order(50, shuffle=True)
    first = order.of(1).tolist()
    assert sorted(first) == list(range(50)) != first
    assert order.of(2).tolist() != first
    assert order.of(1).tolist() == Order(50, True).of(1).tolist() == first
    assert list(Order(5, shuffle=False).of(1)) == [0, 1, 2, 3, 4]
    assert len(order.__getstate__()["_drawn"] or ()) == 0  # it is drawn again, not sent


def test_messages_name_the_place_and_the_item():
    order = Order(50, shuffle=True)
    item = order.of(3)[7]
    assert order.number(3)(7) == f"example 7 (item {item} of the source)"
    assert Order(50, shuffle=False).number(3)(7) == "example 7"


def test_seeds_of_workers_differ():
    seeds = {worker_seed(epoch, shard) for epoch in (0, 1, 1 << 63) for shard in range(20)}
    assert len(seeds) == 60
    assert all(0 <= seed < 1 << 32 for seed in seeds)


@pytest.mark.parametrize("seed", [0, (1 << 32) - 1])
def test_both_of_the_usual_generators_are_seeded(seed):
    drawn = []
    for _ in range(2):
        seed_everything(seed)
        drawn.append((random.random(), np.random.random()))
    assert drawn[0] == drawn[1]
