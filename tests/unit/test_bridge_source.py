"""from_source: the content of the source, whichever way it is read."""

import collections
import functools
import re
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from unit.bridging import events, plain

from helpers import bridge
from helpers.bridge.buffers import is_aligned
from helpers.quiet import tf

RELAXED = settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)


class Sliced:
    """Gives items and slices, as an HDF5 data set does."""

    def __init__(self, array):
        self.array = array

    def __len__(self):
        return len(self.array)

    def __getitem__(self, index):
        return np.array(self.array[index])


class Items(Sliced):
    """Gives items only."""

    def __getitem__(self, index):
        if isinstance(index, slice):
            raise TypeError("no slices here")
        return self.array[index]


Pair = collections.namedtuple("Pair", "x y")
KINDS = {"array": np.asarray, "slices": Sliced, "items": Items, "list": list}
TYPES = ["float32", "float64", "int64", "bool", "uint8", "complex64", "U3", "S3", "object"]


def make(dtype, shape):
    values = np.random.default_rng(0).integers(0, 100, shape)
    return values.astype("U3").astype(object) if dtype == "object" else values.astype(dtype)


@RELAXED
@given(
    kind=st.sampled_from(list(KINDS)),
    dtypes=st.lists(st.sampled_from(TYPES), min_size=1, max_size=2),
    inner=st.sampled_from([(), (3,), (16,), (2, 16)]),
    count=st.integers(1, 30),
    batch_size=st.integers(1, 7),
    chunk_size=st.one_of(st.none(), st.integers(1, 20)),
    drop_remainder=st.booleans(),
)
def test_batches_are_those_of_from_tensor_slices(
    kind, dtypes, inner, count, batch_size, chunk_size, drop_remainder
):
    arrays = {f"x{k}": make(dtype, (count, *inner)) for k, dtype in enumerate(dtypes)}
    ours = bridge.from_source(
        {name: KINDS[kind](array) for name, array in arrays.items()},
        batch_size=batch_size,
        chunk_size=None if kind == "array" else chunk_size,  # it has no effect on arrays
        drop_remainder=drop_remainder,
    )
    theirs = tf.data.Dataset.from_tensor_slices(arrays)
    theirs = theirs.batch(batch_size, drop_remainder=drop_remainder)
    np.testing.assert_equal(events(ours), events(theirs))
    for found, expected in zip(ours.element_spec.items(), theirs.element_spec.items(), strict=True):
        assert found[0] == expected[0]
        assert found[1].dtype == expected[1].dtype
        assert found[1].shape[1:] == expected[1].shape[1:]
        assert found[1].shape[0] in (expected[1].shape[0], batch_size)  # known where it can be
    assert ours.cardinality() == theirs.cardinality()


def numbers(dataset):
    return [int(number) for batch in dataset for number in plain(batch)[0][1]]


@pytest.mark.parametrize("kind", ["array", "slices"])
def test_shuffling_gives_each_row_once_in_an_order_of_its_own_each_epoch(kind):
    build = functools.partial(
        bridge.from_source, KINDS[kind](np.arange(50)), batch_size=4, shuffle=True
    )
    dataset = build(seed=3)
    first, second = numbers(dataset), numbers(dataset)
    assert sorted(first) == sorted(second) == list(range(50))
    assert first != list(range(50))
    assert first != second
    again = build(seed=3)
    assert [numbers(again), numbers(again)] == [first, second]
    assert numbers(build(seed=4)) != first
    assert numbers(build()) != numbers(build())
    fixed, again = (build(seed=3, reshuffle_each_iteration=False) for _ in range(2))
    assert numbers(fixed) == numbers(fixed) == numbers(again)
    assert sorted(numbers(fixed)) == list(range(50)) != numbers(fixed)


def test_the_orders_of_a_seed_are_the_same_however_the_source_is_read():
    orders = {
        kind: numbers(bridge.from_source(read(np.arange(30)), batch_size=4, shuffle=True, seed=1))
        for kind, read in KINDS.items()
    }
    assert len(set(map(tuple, orders.values()))) == 1


def test_shuffled_components_stay_together():
    source = Pair(np.arange(40), {"sliced": Sliced(np.arange(40) * 2), "list": list(range(40))})
    dataset = bridge.from_source(source, batch_size=8, shuffle=True, seed=0)
    for batch in dataset:
        assert isinstance(batch, Pair)
        np.testing.assert_array_equal(batch.y["sliced"], batch.x * 2)
        np.testing.assert_array_equal(tf.cast(batch.y["list"], tf.int64), batch.x)


def test_an_aligned_array_is_not_copied():
    array = bridge.aligned(np.zeros((64, 16), np.float32))
    assert bridge.aligned(array) is array
    for batch in bridge.from_source(array, batch_size=5):
        assert np.shares_memory(np.asarray(memoryview(batch)), array)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((7, 33), np.float32)[:, ::2],
        np.asfortranarray(np.ones((3, 4))),
        np.arange(5, dtype=">i4"),
        np.zeros((0, 3)),
        np.frombuffer(bytes(100), np.uint8)[3:],
    ],
    ids=["strided", "Fortran", "big-endian", "empty", "unaligned"],
)
def test_any_array_can_be_aligned(array):
    found = bridge.aligned(array)
    assert is_aligned(found) or not found.size
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, array)
    assert [len(x) for x in bridge.from_source(array, batch_size=3)] == [
        min(3, len(array) - start) for start in range(0, len(array), 3)
    ]


def test_a_read_only_array_stays_where_it_is(tmp_path):
    np.save(tmp_path / "rows.npy", np.arange(160, dtype=np.float32).reshape(10, 16))
    array = np.asarray(np.load(tmp_path / "rows.npy", mmap_mode="r"))
    dataset = bridge.from_source(array, batch_size=4)
    assert np.shares_memory(np.asarray(memoryview(next(iter(dataset)))), array)
    for batch in dataset.map(lambda x: tf.nn.relu(-x)):
        assert batch.numpy().max() == 0  # and nothing wrote to it, which would end the process
    np.testing.assert_array_equal(np.concatenate([x.numpy() for x in dataset]), array)


def test_a_file_is_read_in_slices(tmp_path):
    (tmp_path / "raw").write_bytes(bytes(3) + np.arange(20, dtype=np.int32).tobytes())
    array = np.memmap(tmp_path / "raw", np.int32, "r", offset=3)
    assert numbers(bridge.from_source(array, batch_size=8)) == list(range(20))
    shuffled = bridge.from_source(array, batch_size=8, shuffle=True, seed=1)
    assert sorted(numbers(shuffled)) == list(range(20))


@pytest.mark.skipif(sys.platform != "linux", reason="/proc tells the memory")
def test_a_file_does_not_have_to_fit_in_memory(tmp_path):
    def own_memory():
        return int(re.search(r"RssAnon:\s+(\d+)", Path("/proc/self/status").read_text())[1]) << 10

    rows = np.lib.format.open_memmap(tmp_path / "rows.npy", "w+", np.float32, (1 << 16, 1 << 10))
    for shuffle in (False, True):
        dataset = bridge.from_source(rows, batch_size=64, shuffle=shuffle)
        before = own_memory()
        next(iter(dataset))
        assert own_memory() - before < rows.nbytes / 2


def test_items_of_varying_shape():
    dataset = bridge.from_source(
        [[1], [1, 2], []],
        output_signature=tf.TensorSpec((None,), tf.int32),
        varying="pad",
        padding_values=-1,
        batch_size=3,
    )
    assert next(iter(dataset)).numpy().tolist() == [[1, -1], [1, 2], [-1, -1]]


def test_an_empty_source_with_a_signature_gives_nothing():
    dataset = bridge.from_source([], output_signature=tf.TensorSpec((), tf.int32), batch_size=2)
    assert list(dataset) == []
    assert dataset.cardinality() == 0


def test_a_slice_of_another_shape_is_named():
    class Changing(Sliced):
        def __getitem__(self, index):
            found = super().__getitem__(index)
            return found if isinstance(index, slice) and index.start < 4 else found[..., :1]

    dataset = bridge.from_source(Changing(np.zeros((8, 3))), batch_size=4, chunk_size=4)
    iterator = iter(dataset)
    next(iterator)
    sentence = r"examples 4 to 7, component: expected a slice of shape \(4, 3\), found .*\(4, 1\)"
    with pytest.raises(tf.errors.InvalidArgumentError, match=sentence):
        next(iterator)


@pytest.mark.parametrize("source", [list(range(10)), np.arange(10)], ids=["list", "array"])
def test_a_source_read_by_workers(source):
    dataset = bridge.from_source(source, batch_size=4, num_workers=2)
    assert numbers(dataset) == list(range(10))
    shuffled = bridge.from_source(source, batch_size=4, num_workers=2, shuffle=True, seed=5)
    assert sorted(numbers(shuffled)) == list(range(10)) != numbers(shuffled)


def test_workers_read_several_sources_without_importing_tensorflow():
    # Defined nowhere: by reference it would bring this module, and TensorFlow with it.
    methods = {
        "__module__": "__main__",
        "__len__": lambda self: 4,
        "__getitem__": lambda self, index: "tensorflow" in sys.modules,
    }
    source = (np.arange(4), type("Reporting", (), methods)())
    dataset = bridge.from_source(source, batch_size=4, num_workers=2)
    assert not np.any([batch[1] for batch in dataset])


@pytest.mark.parametrize("num_workers", [0, 2])
def test_an_epoch_begins_nearly_as_fast_as_tf_data_s_own_generator(num_workers):
    """Functions inside a flat_map would be made ready anew in each epoch."""
    rows = np.zeros((8, 2), np.float32)
    spec = tf.TensorSpec((2,), tf.float32)
    ways = {
        "tf.data": tf.data.Dataset.from_generator(lambda: iter(rows), output_signature=spec).batch(
            4
        ),
        "bridge": bridge.from_source(list(rows), batch_size=4, num_workers=num_workers),
    }
    begun = {name: [] for name in ways}
    for _ in range(15):
        for name, way in ways.items():
            start = time.perf_counter()
            next(iter(way))
            begun[name].append(time.perf_counter() - start)
    ratios = [a / b for a, b in zip(begun["bridge"], begun["tf.data"], strict=True)]
    assert np.median(ratios[2:]) < 2.2
