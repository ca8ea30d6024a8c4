"""Epochs that are left early, at any time, and workers that read only what they are asked for."""

import sys
import time

import cloudpickle
import pytest
from unit.pooling import (
    SECONDS,
    closing_pools,
    drain,
    gone,
    lanes_of,
    source_shards,
    wait_for,
)

from helpers.bridge import protocol
from helpers.bridge.errors import GeneratorError
from helpers.bridge.sharding import GeneratorShards

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # as if written in a notebook
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="workers are not on Windows")
LENGTH = 200


@pytest.fixture
def make_pool():
    with closing_pools() as make:
        yield make


def rows_from(start, shard, num_shards):
    yield from range(int(start) + shard, int(start) + LENGTH, num_shards)


def expected(start, num_workers=2):
    shards = [list(range(start + k, start + LENGTH, num_workers)) for k in range(num_workers)]
    starts = range(0, len(shards[0]), 4)
    return [shard[k : k + 4] for k in starts for shard in shards]


def begun(pool, start):
    """An epoch whose workers have been told to begin, and of which nothing was read."""
    epoch = pool.epoch(args=(start,))
    epoch._start()
    return epoch


@pytest.mark.parametrize("ahead", [True, False])
@pytest.mark.parametrize("times", [1, 2, 7])
def test_an_epoch_left_before_its_workers_have_started(make_pool, times, ahead):
    pool = make_pool(GeneratorShards(rows_from, 1), ahead=ahead)
    for number in range(times):
        begun(pool, 1000 * number).close()
        assert len(pool.processes) == 2
    pids = pool.processes
    assert drain(pool.epoch(args=(9000,))) == expected(9000)
    assert drain(pool.epoch(args=(9000,))) == expected(9000)
    assert pool.processes == pids  # nobody was started in vain


@pytest.mark.parametrize("ahead", [True, False])
def test_reports_of_epochs_that_were_left_are_nobodys(make_pool, ahead):
    pool = make_pool(GeneratorShards(rows_from, 1), ahead=ahead)
    assert drain(pool.epoch(args=(0,))) == expected(0)
    pids = pool.processes
    for number, taken in enumerate((0, 0, 1, 2, 3, 0, 17, 0, 0), 1):
        epoch = begun(pool, 1000 * number)
        found = [next(epoch)[0].tolist() for _ in range(taken)]
        assert found == expected(1000 * number)[:taken]
        epoch.close()
    assert drain(pool.epoch(args=(9000,))) == expected(9000)
    assert pool.processes == pids


def test_an_epoch_left_when_all_its_reports_have_come(make_pool):
    pool = make_pool(GeneratorShards(rows_from, 1), chunk_rows=LENGTH)
    epoch = begun(pool, 0)
    wait_for(lambda: all(lane._has_report(0) for lane in lanes_of(pool)))
    time.sleep(0.1)  # for the report of the end, behind that of the chunk
    epoch.close()
    assert [len(chunk) for chunk in drain(pool.epoch(args=(5,)))] == [LENGTH // 2] * 2


def test_slots_of_stale_chunks_are_filled_again(make_pool):
    pool = make_pool(GeneratorShards(rows_from, 1), max_slots=3)
    for number in range(20):
        epoch = begun(pool, number)
        wait_for(lambda: all(lane._has_report(0) for lane in lanes_of(pool)))
        epoch.close()
    assert drain(pool.epoch(args=(9000,))) == expected(9000)
    assert [(lane.slots.count, lane.slots.leased) for lane in lanes_of(pool)] == [(3, 0)] * 2


def test_an_error_of_an_epoch_that_was_left_is_nobodys(make_pool):
    def rows(bad, shard, num_shards):
        if bad:
            raise KeyError("stale")
        yield shard

    pool = make_pool(GeneratorShards(rows, 1))
    assert drain(pool.epoch(args=(False,))) == [[0], [1]]
    for _ in range(3):
        epoch = pool.epoch(args=(True,))
        with pytest.raises(GeneratorError):
            next(epoch)
        epoch.close()
        assert drain(pool.epoch(args=(False,))) == [[0], [1]]


def test_an_end_of_a_worker_in_an_epoch_that_was_left(make_pool):
    def rows(bad, shard, num_shards):
        if bad:
            raise GeneratorExit  # no error of a row, as sys.exit is
        yield shard

    pool = make_pool(GeneratorShards(rows, 1))
    epoch = begun(pool, True)
    pids = pool.processes
    wait_for(lambda: all(lane.process.poll() is not None for lane in lanes_of(pool)))
    epoch.close()
    assert drain(pool.epoch(args=(False,))) == [[0], [1]]
    assert not set(pids) & set(pool.processes)
    assert gone(pids)


def test_a_closed_epoch_gives_nothing_more(make_pool):
    pool = make_pool(GeneratorShards(rows_from, 1))
    epoch = pool.epoch(args=(0,))
    next(epoch), next(epoch)  # each worker has started
    epoch.close()
    epoch.close()
    assert list(epoch) == []
    assert all(lane.settle(time.monotonic() + SECONDS) for lane in lanes_of(pool))
    assert all(lane.epoch == protocol.NO_EPOCH for lane in lanes_of(pool))


class Logging:
    """A source that says in a file what was read."""

    def __init__(self, path):
        self.path = path

    def __len__(self):
        return 40

    def __getitem__(self, index):
        with open(self.path, "a") as file:
            file.write(f"{index}\n")
        return index


def read_so_far(path):
    return [int(line) for line in path.read_text().split()] if path.exists() else []


def test_a_worker_that_does_not_read_ahead_reads_what_it_is_asked_for(make_pool, tmp_path):
    log = tmp_path / "log"
    pool = make_pool(source_shards(Logging(log)), num_workers=1, ahead=False)
    epoch, kept = pool.epoch(), []
    for number in range(1, 6):
        kept.append(next(epoch)[0])
        time.sleep(0.05)  # in which it would read on
        assert read_so_far(log) == list(range(4 * number))
    epoch.close()
    assert [row for chunk in kept for row in chunk.tolist()] == list(range(20))
    log.unlink()
    assert [row for chunk in drain(pool.epoch()) for row in chunk] == list(range(40))
    assert read_so_far(log) == list(range(40))


def test_a_worker_that_reads_ahead_fills_its_slots(make_pool, tmp_path):
    log = tmp_path / "log"
    pool = make_pool(source_shards(Logging(log)), num_workers=1)
    epoch = pool.epoch()
    next(epoch)
    wait_for(lambda: len(read_so_far(log)) >= 12)


class Holes(Logging):
    def __getitem__(self, index):
        super().__getitem__(index)
        if index % 5 == 1:
            raise KeyError(index)
        return index


def test_errors_do_not_make_a_worker_read_further_and_further(make_pool, tmp_path):
    log = tmp_path / "log"
    pool = make_pool(source_shards(Holes(log)), num_workers=1, ahead=False)
    for _ in range(2):
        epoch, rows, errors = pool.epoch(), [], 0
        while True:
            try:
                rows += next(epoch)[0].tolist()
            except GeneratorError:
                errors += 1
            except StopIteration:
                break
            time.sleep(0.02)  # in which it would read on
            assert read_so_far(log)[epoch.resumes_at + 4 :] == []
        assert errors == 8
        assert rows == [k for k in range(40) if k in rows and k % 5 != 1]
        log.unlink()


def test_after_an_error_a_worker_reads_what_it_is_asked_for(make_pool, tmp_path):
    log = tmp_path / "log"
    pool = make_pool(source_shards(Holes(log)), num_workers=1, ahead=False)
    epoch = pool.epoch()
    with pytest.raises(GeneratorError):
        next(epoch)
    time.sleep(0.2)  # in which it would read on
    assert read_so_far(log) == [0, 1]


@pytest.mark.parametrize("num_workers", [1, 2, 3])
@pytest.mark.parametrize("first", [0, 4, 12, 40])
def test_an_epoch_of_a_source_begins_at_any_row(make_pool, tmp_path, num_workers, first):
    pool = make_pool(source_shards(Logging(tmp_path / "log")), num_workers=num_workers)
    epoch = pool.epoch(3, first=first)
    assert epoch.resumes_at == first
    row = first
    for chunk in epoch:
        assert chunk[0].tolist() == list(range(row, row + 4))
        row += 4
        assert epoch.resumes_at == row
    assert row == 40
