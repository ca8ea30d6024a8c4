"""What WorkerPool and the shards refuse, and in which words."""

import sys
import threading

import numpy as np
import pytest
from unit.pooling import SCALAR, closing_pools, drain, open_pool, source_shards

from helpers.bridge import shared
from helpers.bridge.sending import check_sendable
from helpers.bridge.sharding import GeneratorShards, Turn
from helpers.bridge.shared import SlotLayout


def rows_of(shards, turn, *args):
    """The rows that a worker reads at its turn, in a single stretch."""
    (stretch,) = shards(turn, args)
    assert stretch.end is None
    return list(stretch.open_rows())


def whole(count):
    yield from range(count)


def sharded(count, shard, num_shards):
    yield from range(shard, count, num_shards)


def test_a_generator_without_shards():
    with pytest.raises(ValueError, match="whole has no parameter shard; give it the parameters"):
        GeneratorShards(whole, 1)


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
        GeneratorShards(sharded, 2)


def test_args_that_do_not_fit():
    with pytest.raises(ValueError, match="args do not fit sharded: too many positional"):
        GeneratorShards(sharded, 4)


def test_a_missing_argument():
    with pytest.raises(ValueError, match=r"args do not fit sharded: missing a required .*count"):
        GeneratorShards(sharded)


def test_one_shard_needs_no_parameters():
    shards = GeneratorShards(whole, 1, alone=True)
    assert rows_of(shards, Turn(0, 1, 0, 0, True), 3) == [0, 1, 2]


def test_one_shard_is_told_what_it_asks_for():
    def rows(count, num_shards, shard, seed):
        yield count, shard, num_shards, seed

    shards = GeneratorShards(rows, 1, alone=True)
    ((count, shard, num_shards, seed),) = rows_of(shards, Turn(0, 1, 7, 0, True), 5)
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

    assert rows_of(GeneratorShards(rows), Turn(0, 2, 0, 0, True)) == [2]


def test_a_callable_without_a_signature():
    with pytest.raises(ValueError, match="parameters can be read"):
        GeneratorShards(iter)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"num_workers": 0}, "num_workers must be at least 1, not 0"),
        ({"max_slots": 2}, "max_slots must be at least 3, not 2"),
    ],
)
def test_numbers_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        open_pool(source_shards([1]), **options)


def test_a_negative_seed():
    pool = open_pool(source_shards([1]))
    with pytest.raises(ValueError, match="seed must be between 0 and 2\\*\\*64 - 1, not -1"):
        pool.epoch(-1)
    assert pool.processes == []


def test_what_cannot_be_pickled():
    lock = threading.Lock()

    def rows(shard, num_shards):
        with lock:
            yield 1

    shards = GeneratorShards(rows)
    sentence = r"send rows to .*cannot be pickled.*lock.*Let it open itself what it needs"
    with pytest.raises(TypeError, match=sentence):
        check_sendable(*shards.subject)
    pool = open_pool(shards)
    with pytest.raises(TypeError, match=sentence):  # one that came later than the data set
        next(pool.epoch())
    assert pool.processes == []


def test_python_objects_in_a_slot():
    with pytest.raises(TypeError, match="component 1 holds Python objects"):
        SlotLayout.of([SCALAR[0], (np.dtype(object), ())], 4)


def test_windows(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    with pytest.raises(ValueError, match=r"needs Linux or macOS.*num_workers=0"):
        open_pool(source_shards([1]))


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX shared memory")
def test_segments_of_macos_have_no_name_either(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    made = []
    segment = shared._unlinked_segment
    monkeypatch.setattr(shared, "_unlinked_segment", lambda: made.append(segment()) or made[-1])
    with closing_pools() as make_pool:
        pool = make_pool(source_shards(range(50)))
        epoch = pool.epoch()
        assert next(epoch)[0].tolist() == [0, 1, 2, 3]
        assert [x for chunk in drain(epoch) for x in chunk] == list(range(4, 50))
        assert len(made) == 2  # one a worker


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
