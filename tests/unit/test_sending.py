"""What travels to workers, how, and which variable is named when it cannot."""

import functools
import os
import random
import re
import sys
import threading

import cloudpickle
import numpy as np
import pytest
from unit.pooling import TEXT, closing_pools, drain, gone

from helpers.bridge import received
from helpers.bridge.errors import WorkerError
from helpers.bridge.sending import Parcel, check_sendable

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # as if written in a notebook
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="workers are not on Windows")

lock = threading.Lock()


@pytest.fixture
def make_pool():
    with closing_pools() as make:
        yield make


class Reader:
    def __init__(self, done):
        self.path, self.done = "file", done

    def rows(self, shard, num_shards):
        yield shard


def in_a_global(shard, num_shards):
    with lock:
        yield shard


def in_a_closure():
    gate = threading.Event()

    def rows(shard, num_shards):
        gate.wait()
        yield shard

    return rows


def in_a_function_of_a_function():
    gate = threading.Event()

    def helper():
        gate.wait()

    def rows(shard, num_shards):
        helper()
        yield shard

    return rows


def in_a_list():
    gates = [1, threading.Event()]

    def rows(shard, num_shards):
        yield gates

    return rows


def in_a_dictionary():
    settings = {"size": 3, "gate": threading.Event()}

    def rows(shard, num_shards):
        yield settings

    return rows


def takes(first, shard, num_shards):
    yield first


ALL = 60.0  # seconds: time enough to look at everything


def named(message):
    """The variable that a message says is in the way."""
    found = re.search(r"cannot be pickled: ([\w.\[\]' ]+) is in the way", message)
    return found and found[1]


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (lambda: Reader(threading.Event()).rows, "Reader.done"),
        (lambda: in_a_global, "lock"),
        (in_a_closure, "gate"),
        (in_a_function_of_a_function, "gate"),
        (in_a_list, "gates[1]"),
        (in_a_dictionary, "settings['gate']"),
        (lambda: functools.partial(takes, threading.Lock()), "an argument of the generator"),
        (lambda: functools.partial(in_a_closure()), "gate"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_cannot_travel_is_named(make, name):
    with pytest.raises(TypeError, match="num_workers has to send the generator to other") as caught:
        check_sendable("the generator", make())
    message = str(caught.value)
    found = named(message)
    # Events hold a condition, and that a lock: the user's name may be followed by attributes.
    assert found == name or found.startswith(name + "."), message
    assert "cannot be pickled" in message
    assert isinstance(caught.value.__cause__, TypeError)


def test_whether_a_random_generator_travels_is_told():
    rng, other = np.random.default_rng(0), random.Random(1)
    assert check_sendable("rows", lambda: rng.random())
    assert check_sendable("rows", lambda: other.random())
    assert check_sendable("rows", functools.partial(takes, np.random.RandomState(3)))
    assert not check_sendable("rows", lambda: np.random.default_rng(0).random())


def numbered(array, extra):
    def rows(shard, num_shards):
        yield f"{array[0]} {array[-1]} {extra}"

    return rows


def texts(pool):
    return [text for (text,) in drain(pool.epoch(0))]


def test_what_has_not_changed_is_packed_once(make_pool):
    array = np.zeros(1 << 18)
    pool = make_pool(numbered(array, [1]), TEXT)
    assert texts(pool) == ["0.0 0.0 [1]"] * 2
    parcel, pids = pool._parcel, pool.processes
    assert texts(pool) == ["0.0 0.0 [1]"] * 2
    assert pool._parcel is parcel
    assert pool.processes == pids


def test_workers_see_what_the_generator_refers_to_as_it_is_when_an_epoch_starts(make_pool):
    array, extra = np.zeros(1 << 18), [1]
    pool = make_pool(numbered(array, extra), TEXT)
    assert texts(pool) == ["0.0 0.0 [1]"] * 2
    parcel, pids = pool._parcel, pool.processes
    array[-1] = 5  # only in the memory beside the pickle
    assert texts(pool) == ["0.0 5.0 [1]"] * 2
    assert pool._parcel is not parcel
    extra.append(2)  # only in the pickle
    assert texts(pool) == ["0.0 5.0 [1, 2]"] * 2
    assert pool.processes == pids


def test_arguments_are_those_of_the_epoch(make_pool):
    from helpers.bridge.sharding import GeneratorShards

    pool = make_pool(GeneratorShards(takes, 1), TEXT)
    for text in ("one", "two", "two"):
        found = [chunk[0].tolist() for chunk in pool.epoch(0, args=(text,))]
        assert found == [[text]] * 2


def test_a_parcel_knows_what_it_ends_with():
    array = np.arange(1 << 17)
    parcel = Parcel("before", {"array": array, "number": 1})
    assert parcel.ends_with({"array": array, "number": 1}, ALL)
    assert parcel.ends_with({"array": array.copy(), "number": 1}, ALL)
    assert not parcel.ends_with({"array": array, "number": 2}, ALL)
    assert not parcel.ends_with({"array": array[:-1], "number": 1}, ALL)
    assert not parcel.ends_with({"array": array + (array == len(array) - 1), "number": 1}, ALL)
    assert not parcel.ends_with("before", ALL)
    before, after = received.unpack(parcel.fd)
    assert before == "before"
    np.testing.assert_array_equal(after["array"], array)


def test_arrays_that_there_is_no_time_for_are_looked_at_in_places():
    array = np.zeros(1 << 22, np.uint8)
    parcel = Parcel({"array": array, "number": 1})
    assert parcel.ends_with({"array": array, "number": 1}, 0.0)
    assert not parcel.ends_with({"array": array, "number": 2}, 0.0)
    assert not parcel.ends_with({"array": array + 1, "number": 1}, 0.0)
    array[5] = 1  # one place of a thousand, which the next looks may find
    assert not parcel.ends_with({"array": array, "number": 1}, ALL)


def test_large_arrays_lie_beside_the_pickle_and_are_private():
    array = np.arange(1 << 17)
    parcel = Parcel(array)
    size = os.fstat(parcel.fd).st_size
    assert array.nbytes <= size < array.nbytes + 4096  # once
    (first,), (second,) = received.unpack(parcel.fd), received.unpack(parcel.fd)
    assert first.ctypes.data % 64 == 0
    first[:] = -1  # writable
    np.testing.assert_array_equal(second, array)
    assert parcel.ends_with(array, ALL)


def test_a_worker_that_writes_to_a_shared_array_changes_its_own(make_pool):
    array = np.zeros(1 << 18, np.int64)

    def rows(shard, num_shards):
        for _ in range(8):
            array[-1] += 1 + shard
            yield array[-1]

    pool = make_pool(rows)
    assert drain(pool.epoch()) == [[1, 2, 3, 4], [2, 4, 6, 8], [5, 6, 7, 8], [10, 12, 14, 16]]
    assert array[-1] == 0


@pytest.mark.parametrize("part", ["whole", "slice", "copy on write", "strided"])
def test_a_memory_map_travels_by_reference_where_that_shows_the_same(tmp_path, part):
    np.save(tmp_path / "rows.npy", np.arange(1 << 18).reshape(-1, 4))
    array = np.load(tmp_path / "rows.npy", mmap_mode="c" if part == "copy on write" else "r")
    if part == "copy on write":
        array[0] = -1  # is in no file
    array = {"slice": array[100:-5], "strided": array[::2]}.get(part, array)
    parcel = Parcel(array)
    (found,) = received.unpack(parcel.fd)
    np.testing.assert_array_equal(found, array)
    by_reference = part in ("whole", "slice")
    assert (type(found) is np.memmap) == by_reference
    assert (os.fstat(parcel.fd).st_size < array.nbytes) == by_reference


def test_a_memory_map_whose_file_is_gone(make_pool, tmp_path):
    np.save(tmp_path / "rows.npy", np.arange(1000))
    array = np.load(tmp_path / "rows.npy", mmap_mode="r")

    def rows(shard, num_shards):
        yield array[shard]

    pool = make_pool(rows)
    assert drain(pool.epoch()) == [[0], [1]]
    pids = pool.processes
    pool.close()
    (tmp_path / "rows.npy").unlink()
    with pytest.raises(WorkerError, match=r"the file of a memory map is gone: .*rows\.npy"):
        next(pool.epoch())
    assert gone(pids)


@pytest.mark.parametrize(
    "make", [np.random.default_rng, np.random.RandomState, random.Random], ids=lambda m: m.__name__
)
@pytest.mark.parametrize("num_workers", [1, 2])
def test_each_worker_draws_from_a_stream_of_its_own(make_pool, make, num_workers):
    rng = make(7)

    def rows(shard, num_shards):
        for _ in range(2):
            yield rng.random()

    component = [(np.float64, ())]
    pool = make_pool(rows, component, num_workers=num_workers)
    first, again, other = (drain(pool.epoch(seed)) for seed in (1, 1, 2))
    drawn = [number for chunk in first + other for number in chunk]
    assert len(set(drawn)) == len(drawn) == 4 * num_workers
    fresh = drain(make_pool(rows, component, num_workers=num_workers).epoch(1))
    assert fresh == first  # a pool that was just opened does the same
    alone = make(7)
    expected = [[alone.random(), alone.random()]]
    if num_workers == 1:  # in its first epoch, one worker draws what this process would
        assert first == expected != again
    else:
        assert again == first
        assert expected[0] not in first
