"""What WorkerPool and the shards refuse, and in which words."""

import os
import sys
import threading

import numpy as np
import pytest

from helpers.bridge import crew, shared
from helpers.bridge.processes import WorkerPool
from helpers.bridge.sharding import GeneratorShards, SourceShards
from helpers.bridge.shared import SlotLayout

SCALAR = [(np.dtype(np.int64), ())]


def whole(count):
    yield from range(count)


def sharded(count, shard, num_shards):
    yield from range(shard, count, num_shards)


def test_a_generator_without_shards():
    with pytest.raises(ValueError, match="whole has no parameter shard; give it the parameters"):
        GeneratorShards(whole, (3,))


def test_a_generator_with_half_of_it():
    with pytest.raises(ValueError, match="no parameter num_shards"):
        GeneratorShards(lambda shard: iter(()))


def test_positional_only_shards():
    def positional(shard, num_shards, /):
        yield shard

    with pytest.raises(ValueError, match="no parameter shard"):
        GeneratorShards(positional)


def test_args_that_fill_the_shard():
    with pytest.raises(ValueError, match="args already fills shard of sharded"):
        GeneratorShards(sharded, (10, 0))


def test_args_that_do_not_fit():
    with pytest.raises(ValueError, match="args do not fit sharded: too many positional"):
        GeneratorShards(sharded, (1, 2, 3, 4))


def test_a_missing_argument():
    with pytest.raises(ValueError, match=r"args do not fit sharded: missing a required .*count"):
        GeneratorShards(sharded)


def test_one_shard_needs_no_parameters():
    assert list(GeneratorShards(whole, (3,), alone=True)(0, 1, 0)) == [0, 1, 2]


def test_one_shard_is_told_what_it_asks_for():
    def rows(count, num_shards, shard, seed):
        yield count, shard, num_shards, seed

    ((count, shard, num_shards, seed),) = GeneratorShards(rows, (5,), alone=True)(0, 1, 7)
    assert (count, shard, num_shards) == (5, 0, 1)
    assert seed > 1


def test_one_shard_with_half_of_the_parameters():
    with pytest.raises(ValueError, match="no parameter num_shards"):
        GeneratorShards(lambda shard: iter(()), alone=True)


def test_one_shard_with_a_missing_argument():
    with pytest.raises(ValueError, match=r"args do not fit whole: missing a required .*count"):
        GeneratorShards(whole, alone=True)


def test_keyword_catch_all_is_good_enough():
    def rows(**shard):
        yield shard["num_shards"]

    assert list(GeneratorShards(rows)(0, 2, 0)) == [2]


def test_a_callable_without_a_signature():
    with pytest.raises(ValueError, match="parameters can be read"):
        GeneratorShards(iter)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_workers": 0}, "num_workers must be at least 1, not 0"),
        ({"chunk_rows": 0}, "chunk_rows must be at least 1, not 0"),
        ({"max_slots": 2}, "max_slots must be at least 3, not 2"),
    ],
)
def test_numbers_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        WorkerPool(SourceShards([1], 1), SCALAR, **{"num_workers": 1, "chunk_rows": 1, **options})


def test_a_negative_seed():
    pool = WorkerPool(SourceShards([1], 1), SCALAR, num_workers=1, chunk_rows=1)
    with pytest.raises(ValueError, match="seed must be between 0 and 2\\*\\*64 - 1, not -1"):
        next(pool.epoch(-1))
    assert pool.processes == []


def test_what_cannot_be_pickled():
    lock = threading.Lock()

    def rows(shard, num_shards):
        with lock:
            yield 1

    with pytest.raises(
        TypeError, match=r"cannot be pickled.*lock.*Let the generator itself open what it needs"
    ):
        WorkerPool(GeneratorShards(rows), SCALAR, num_workers=1, chunk_rows=1)


def test_python_objects_in_a_slot():
    with pytest.raises(TypeError, match="component 1 holds Python objects"):
        SlotLayout.of([SCALAR[0], (np.dtype(object), ())], 4)


def test_windows(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(ValueError, match=r"needs Linux or macOS.*num_workers=0"):
        WorkerPool(SourceShards([1], 1), SCALAR, num_workers=1, chunk_rows=1)


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX shared memory")
def test_segments_of_macos_have_no_name_either(monkeypatch):
    def unnamed(size):
        fd = shared._unlinked_segment()
        os.ftruncate(fd, size)
        return fd

    monkeypatch.setattr(crew, "anonymous_file", unnamed)
    monkeypatch.setattr(shared, "anonymous_file", unnamed)
    pool = WorkerPool(SourceShards(range(50), 4), SCALAR, num_workers=2, chunk_rows=4)
    epoch = pool.epoch()
    first = next(epoch)
    assert first[0].tolist() == [0, 1, 2, 3]
    assert [x for chunk in epoch for x in chunk[0].tolist()] == list(range(4, 50))
    pool.close()


@pytest.mark.parametrize("chunk_rows", [1, 5, 64])
def test_slots_are_aligned_and_hold_everything(chunk_rows):
    layout = SlotLayout.of(
        [(np.dtype(np.int8), (3,)), None, (np.dtype(np.float64), (2, 9)), SCALAR[0]], chunk_rows
    )
    sizes = [3 * chunk_rows, 0, 144 * chunk_rows, 8 * chunk_rows]
    ends = [start + size for start, size in zip(layout.offsets, sizes, strict=True)]
    assert all(offset % 64 == 0 for offset in layout.offsets)
    assert all(end <= start for end, start in zip(ends, layout.offsets[1:], strict=False))
    assert ends[-1] <= layout.slot_bytes
    assert layout.slot_bytes % shared.PAGE == 0
