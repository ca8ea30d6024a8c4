"""What a WorkerPool yields: content, order, seeds, leases."""

import gc
import os
import random
import sys
import time

import cloudpickle
import numpy as np
import pytest
from unit.pooling import (
    SCALAR,
    TEXT,
    closing_pools,
    drain,
    gone,
    lanes_of,
    source_shards,
    wait_for,
)

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # as if written in a notebook


def numbers(count, shard, num_shards):
    yield from range(shard, count, num_shards)


def whoami(shard, num_shards):
    yield os.getpid()


class Squares:
    def __init__(self, count):
        self.count = count

    def __len__(self):
        return self.count

    def __getitem__(self, index):
        if not isinstance(index, int) or not 0 <= index < self.count:
            raise IndexError(index)
        return index * index


@pytest.fixture
def make_pool():
    with closing_pools() as make:
        yield make


def test_chunks_come_from_the_shards_in_turn(make_pool):
    pool = make_pool((numbers, 21), num_workers=2)
    # shard 0: 0 2 … 20 (11 rows), shard 1: 1 3 … 19 (10 rows)
    expected = [
        [0, 2, 4, 6],
        [1, 3, 5, 7],
        [8, 10, 12, 14],
        [9, 11, 13, 15],
        [16, 18, 20],
        [17, 19],
    ]
    assert drain(pool.epoch()) == expected
    assert drain(pool.epoch()) == expected


def test_a_slow_row_does_not_hold_up_full_batches(make_pool):
    def paced(shard, num_shards):
        yield from range(100)
        time.sleep(0.2)  # much longer than a chunk of any size may take
        yield from range(100, 1001)

    pool = make_pool(paced, num_workers=1, chunk_rows=2, chunk_batches=None)
    chunks = drain(pool.epoch())
    assert [x for chunk in chunks for x in chunk] == list(range(1001))
    assert all(len(chunk) % 2 == 0 for chunk in chunks[:-1])
    assert 101 in {chunk[-1] for chunk in chunks}  # the batch of the slow row is the chunk's last
    assert max(map(len, chunks)) > 2  # while rows come fast, a chunk holds several batches


def test_shards_of_different_length(make_pool):
    def uneven(shard, num_shards):
        yield from range(100 * shard, 100 * shard + (1, 9, 0)[shard])

    pool = make_pool(uneven, num_workers=3)
    assert drain(pool.epoch()) == [[0], [100, 101, 102, 103], [104, 105, 106, 107], [108]]


@pytest.mark.parametrize(("count", "num_workers"), [(0, 2), (1, 3), (9, 2), (16, 1), (40, 3)])
def test_a_source_comes_in_its_own_order(count, num_workers, make_pool):
    pool = make_pool(source_shards(Squares(count)), num_workers=num_workers)
    chunks = drain(pool.epoch())
    assert [x for chunk in chunks for x in chunk] == [k * k for k in range(count)]
    assert all(len(chunk) == 4 for chunk in chunks[:-1])


def test_a_shuffled_source_is_whole_and_the_seed_decides(make_pool):
    pool = make_pool(source_shards(Squares(50), shuffle=True))
    first, again, other = (drain(pool.epoch(seed)) for seed in (1, 1, 2))
    assert first == again
    assert first != other
    for order in (first, other):
        assert sorted(x for chunk in order for x in chunk) == [k * k for k in range(50)]
        assert order != sorted(order)


def test_workers_live_on(make_pool):
    pool = make_pool(whoami)
    assert pool.processes == []
    first = drain(pool.epoch())
    assert drain(pool.epoch()) == first
    assert [chunk[0] for chunk in first] == pool.processes
    assert os.getpid() not in pool.processes


def test_components(make_pool):
    def rows(shard, num_shards):
        for k in range(shard, 10, num_shards):
            yield np.full((3, 5), k, np.float64), k % 2 == 0, f"row {k}" * k, np.empty((0,))

    components = [
        (np.dtype(np.float32), (3, 5)),
        (np.dtype(bool), ()),
        None,
        (np.dtype(np.uint8), (0,)),
    ]
    pool = make_pool(rows, components, chunk_rows=3)
    for chunk, start in zip(pool.epoch(), (0, 1, 6, 7), strict=True):
        image, flag, name, empty = chunk
        numbers = list(range(start, 10, 2))[:3]
        assert image.dtype == np.float32
        assert image[:, 2, 4].tolist() == numbers
        assert flag.tolist() == [k % 2 == 0 for k in numbers]
        assert name.tolist() == [f"row {k}" * k for k in numbers]
        assert empty.shape == (len(numbers), 0)


def varying_rows(shard, num_shards):
    row = np.zeros(10_000, np.int64)
    for k in range(shard, 40, num_shards):
        row[:] = k  # the generator may use it again
        yield row[:k]


def test_ragged_rows_travel_as_their_values_end_to_end(make_pool):
    pool = make_pool(varying_rows, [(np.int64, (None,))], varying="ragged")
    found = []
    for ((values, splits, table),) in pool.epoch():
        for start, end, *_ in table:
            found += np.split(values[start:end], splits[1:-1])
    assert sorted(len(row) for row in found) == list(range(40))
    assert all((row == len(row)).all() for row in found)


def test_padded_rows_travel_with_the_shape_of_their_batch(make_pool):
    pool = make_pool(varying_rows, [(np.int64, (None,))], varying="pad", padding=[-1])
    found = []
    for ((values, table),) in pool.epoch():
        for start, end, *shape in table:
            found += [row[row >= 0] for row in values[start:end].reshape(shape)]
    assert sorted(len(row) for row in found) == list(range(40))
    assert all((row == len(row)).all() for row in found)


def test_arrays_are_aligned(make_pool):
    components = [(np.dtype(np.int8), (3,)), (np.dtype(np.float32), (7,)), (np.dtype(np.int64), ())]

    def rows(shard, num_shards):
        for _ in range(20):
            yield [1, 2, 3], np.arange(7), 5

    pool = make_pool(rows, components, chunk_rows=3)
    kept = list(pool.epoch())
    assert len(kept) == 14
    for chunk in kept:
        assert [array.ctypes.data % 64 for array in chunk] == [0, 0, 0]
        assert chunk[1].tolist() == [list(range(7))] * len(chunk[1])


@pytest.mark.parametrize("dtype", ["float64", "float32"])  # as declared, and to be converted
def test_a_generator_that_refills_its_array(dtype, make_pool):
    def reuses(shard, num_shards):
        row = np.empty(6, dtype)
        for k in range(20):
            row[:] = k
            yield row

    pool = make_pool(reuses, [(np.dtype(np.float64), (6,))], num_workers=1)
    assert [chunk[0][:, 0].tolist() for chunk in pool.epoch()] == [
        [k, k + 1, k + 2, k + 3] for k in range(0, 20, 4)
    ]


def test_kept_chunks_are_never_overwritten_and_do_not_block(make_pool):
    pool = make_pool((numbers, 2000), max_slots=4)
    kept = list(pool.epoch())
    assert sorted(x for chunk in kept for x in chunk[0].tolist()) == list(range(2000))
    lanes = lanes_of(pool)
    assert [(lane.slots.count, lane.slots.leased) for lane in lanes] == [(4, 2), (4, 2)]
    second = drain(pool.epoch())
    assert [chunk[0].tolist() for chunk in kept] == second
    del kept
    gc.collect()
    assert [lane.slots.leased for lane in lanes] == [0, 0]


def test_a_view_of_one_component_keeps_the_whole_chunk(make_pool):
    def pairs(shard, num_shards):
        for k in range(shard, 100, num_shards):
            yield k, -k

    pool = make_pool(pairs, SCALAR * 2, num_workers=1)
    epoch = pool.epoch()
    piece = next(epoch)[1][1:3].reshape(2, 1)
    (lane,) = lanes_of(pool)
    assert lane.slots.leased == 1
    list(epoch)
    assert piece.tolist() == [[-1], [-2]]
    assert lane.slots.leased == 1
    del piece
    assert lane.slots.leased == 0


def test_a_reader_that_keeps_nothing_opens_no_slots(make_pool):
    pool = make_pool((numbers, 4000))
    for _ in range(2):
        for chunk in pool.epoch():
            assert len(chunk[0])
        del chunk
    assert [lane.slots.count for lane in lanes_of(pool)] == [3, 3]


def test_chunks_outlive_the_pool(make_pool):
    pool = make_pool((numbers, 24))
    chunks = list(pool.epoch())
    pool.close()
    del pool
    gc.collect()
    assert sorted(x for chunk in chunks for x in chunk[0].tolist()) == list(range(24))


def test_an_iterator_dropped_half_way(make_pool):
    closed = "closed"

    def endless(shard, num_shards):
        try:
            while True:
                yield shard
        finally:
            print(closed, flush=True)  # the generator's own clean-up does run

    pool = make_pool(endless, num_workers=2)
    pids = None
    for _ in range(5):
        epoch = pool.epoch()
        assert [next(epoch)[0].tolist() for _ in range(3)] == [[0] * 4, [1] * 4, [0] * 4]
        pids = pids or pool.processes
        assert pool.processes == pids
        del epoch


def test_a_new_epoch_starts_at_its_beginning_after_a_dropped_one(make_pool):
    pool = make_pool((numbers, 4000))
    whole = drain(pool.epoch())
    for taken in (0, 1, 2, 5, 11):
        epoch = pool.epoch()
        assert [next(epoch)[0].tolist() for _ in range(taken)] == whole[:taken]
        epoch.close()
    assert drain(pool.epoch()) == whole


def hangs_at(gates, row, shard, num_shards):
    """Rows 0 to 7; before row `row`, waits for the file `gate` and says so in a file."""
    for k in range(8):
        if k == row and not (gates / "gate").exists():
            (gates / f"{shard} of process {os.getpid()}").touch()
            while not (gates / "gate").exists():
                time.sleep(0.01)
        yield k


def leave_while_it_hangs(pool, gates, hanging):
    """Begins an epoch, and drops it once so many workers in all hang."""
    epoch = pool.epoch()
    assert next(epoch)[0].tolist() == [0, 1, 2, 3]
    wait_for(lambda: len(list(gates.iterdir())) == hanging)
    del epoch


def test_workers_that_do_not_leave_an_epoch_are_put_aside_and_used_again(make_pool, tmp_path):
    pool = make_pool((hangs_at, tmp_path, 5))
    leave_while_it_hangs(pool, tmp_path, 2)
    hanging = pool.processes
    epoch = pool.epoch()
    assert next(epoch)[0].tolist() == [0, 1, 2, 3]
    everybody = set(pool.processes)
    assert set(hanging) < everybody  # others run this epoch
    assert len(everybody) == 4
    (tmp_path / "gate").touch()
    assert drain(epoch) == [[0, 1, 2, 3], [4, 5, 6, 7], [4, 5, 6, 7]]
    (aside,) = pool._leaving
    wait_for(lambda: aside.settle(0.0))
    first, second = pool.epoch(), pool.epoch()
    chunks = [[0, 1, 2, 3]] * 2 + [[4, 5, 6, 7]] * 2
    for expected in chunks:
        assert [next(e)[0].tolist() for e in (first, second)] == [expected] * 2
        assert set(pool.processes) == everybody  # both crews are at work, and nobody else


def test_workers_that_do_not_leave_an_epoch_do_not_pile_up(make_pool, tmp_path):
    pool = make_pool((hangs_at, tmp_path, 5))
    leave_while_it_hangs(pool, tmp_path, 2)
    first = set(pool.processes)
    leave_while_it_hangs(pool, tmp_path, 4)
    second = set(pool.processes) - first
    assert len(second) == 2
    epoch = pool.epoch()
    assert next(epoch)[0].tolist() == [0, 1, 2, 3]
    assert first < set(pool.processes)
    assert gone(second)
    assert len(pool.processes) == 4
    (tmp_path / "gate").touch()
    assert drain(epoch) == [[0, 1, 2, 3], [4, 5, 6, 7], [4, 5, 6, 7]]


def test_epochs_at_the_same_time_have_workers_of_their_own(make_pool):
    pool = make_pool((numbers, 40))
    whole = drain(pool.epoch())
    first, second = pool.epoch(), pool.epoch()
    pairs = [(a[0].tolist(), b[0].tolist()) for a, b in zip(first, second, strict=True)]
    assert pairs == [(chunk, chunk) for chunk in whole]
    assert len(pool.processes) == 2  # the extra ones have ended
    assert drain(pool.epoch()) == whole


def test_an_epoch_that_nobody_reads_starts_nothing(make_pool):
    pool = make_pool((numbers, 40))
    pool.epoch()
    assert pool.processes == []


def test_seeds(make_pool):
    def draws(length, seed, shard, num_shards):
        for _ in range(2):
            yield [shard, random.random(), np.random.random(), np.random.default_rng(seed).random()]

    pool = make_pool((draws, 4), [(np.dtype(np.float64), (4,))])

    def values(seed):
        return np.concatenate([chunk[0] for chunk in pool.epoch(seed)])

    first = values(3)
    assert first.tolist() == values(3).tolist()
    assert len(np.unique(first[:, 1:3])) == 8  # the shards differ
    assert len(np.unique(first[:, 3])) == 2
    assert not np.isin(values(4)[:, 1:], first[:, 1:]).any()
    assert not np.isin(values(None)[:, 1:], values(None)[:, 1:]).any()


def test_no_seed_where_the_generator_has_a_default(make_pool):
    def own(shard, num_shards, seed=17):
        yield seed

    def given(seed, shard, num_shards):
        yield seed

    assert drain(make_pool(own).epoch(1)) == [[17], [17]]
    assert drain(make_pool((given, 18)).epoch(1)) == [[18], [18]]


def test_closures_and_classes_of_the_main_module_travel(make_pool):
    offset = np.arange(3)

    class Base:
        def rows(self, shard, num_shards):
            yield from ((offset + shard).tolist() for _ in range(2))

    pool = make_pool(Base().rows, [(np.dtype(np.int64), (3,))])
    assert [chunk[0].tolist() for chunk in pool.epoch()] == [[[0, 1, 2]] * 2, [[1, 2, 3]] * 2]


def test_workers_do_not_import_tensorflow(make_pool):
    def modules(shard, num_shards):
        yield " ".join(sys.modules)

    pool = make_pool(modules, TEXT, num_workers=1)
    ((loaded,),) = (chunk[0] for chunk in pool.epoch())
    assert "numpy" in loaded.split()
    assert not {"tensorflow", "scipy", "pandas"} & set(loaded.split())


def test_memory_is_bounded_by_the_slots(make_pool):
    pool = make_pool((numbers, 20_000), chunk_rows=8, max_slots=3)
    (lane, _) = None, None
    peak = 0
    for _ in pool.epoch():
        lane = lanes_of(pool)[0]
        peak = max(peak, lane.slots.count)
    assert peak == 3
    assert lane.slots._memory.nbytes == 3 * 4096


def threshold(size, shard, num_shards):
    """A row that begins with the size from which on this process writes past its cache."""
    row = np.zeros(size, np.float32)
    _, _, bytes_ = os.environ["GLIBC_TUNABLES"].partition("non_temporal_threshold=")
    row[0] = int(bytes_ or 0)
    yield row, 1.0


@pytest.mark.parametrize(
    ("size", "users", "found"),
    [(10_000, None, 40_000), (100, None, 0), (10_000, "glibc.malloc.check=3", 0)],
)
def test_workers_write_large_rows_past_their_cache(make_pool, monkeypatch, size, users, found):
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    if users:
        monkeypatch.setenv("GLIBC_TUNABLES", users)
    components = [(np.dtype(np.float32), (size,)), (np.dtype(np.float32), ())]
    pool = make_pool((threshold, size), components, num_workers=1)
    (chunk,) = pool.epoch()
    assert chunk[0][0, 0] == found
