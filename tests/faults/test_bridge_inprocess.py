"""The bridge in this process: whoever keeps a tensor keeps its memory, and nobody else does."""

import gc
import itertools
import tracemalloc
import weakref

import numpy as np
import pytest

from helpers import bridge
from helpers.bridge import batcher
from helpers.bridge.buffers import SPARE_BLOCKS, Pool, aligned_bytes
from helpers.quiet import tf

pytestmark = pytest.mark.faults

WIDTH = 16  # floats: a row is 64 bytes, so that every batch is aligned and aliased
BATCH = 4


def rows(count=400):
    return lambda: (np.full(WIDTH, index, np.float32) for index in range(count))


def build(generator, signature=None, **options):
    signature = tf.TensorSpec((WIDTH,), tf.float32) if signature is None else signature
    options = {"batch_size": BATCH} | options
    return bridge.from_generator(generator, output_signature=signature, **options)


def firsts(batches):
    """The first number of each row, which is the row's index."""
    return np.concatenate([np.asarray(batch)[:, 0] for batch in batches])


def address(tensor):
    return np.asarray(memoryview(tensor)).ctypes.data


@pytest.fixture
def workspaces(monkeypatch):
    """The workspaces of the data sets that the test builds."""
    made = []

    class Watched(batcher.Workspace):
        def __init__(self, *args, **options):
            super().__init__(*args, **options)
            made.append(weakref.ref(self))

    monkeypatch.setattr(batcher, "Workspace", Watched)
    return made


def refilled(buffer, count=8):
    """A generator that fills one array again and again."""
    for index in range(count):
        buffer[...] = index
        yield buffer


def aligned_row():
    return np.frombuffer(aligned_bytes(4 * WIDTH), np.float32)


def test_a_refilled_aligned_row_corrupts_from_generator_and_not_the_bridge():
    spec = tf.TensorSpec((WIDTH,), tf.float32)
    plain = tf.data.Dataset.from_generator(lambda: refilled(aligned_row()), output_signature=spec)
    assert firsts(plain.batch(BATCH)).tolist() != list(range(8))  # the trap is still there
    assert firsts(build(lambda: refilled(aligned_row()))).tolist() == list(range(8))


@pytest.mark.parametrize("chunk_size", [BATCH, 64])
@pytest.mark.parametrize(
    "behind",
    [
        lambda d: list(d),
        lambda d: d.prefetch(8),
        lambda d: d.cache(),
        lambda d: list(d.cache().repeat(2))[100:],
        lambda d: d.shuffle(1000, seed=1),
        lambda d: d.unbatch().batch(7),
        lambda d: d.map(lambda x: x + 0, num_parallel_calls=4),
        lambda d: [tf.identity(x) for x in d],
        lambda d: [memoryview(x) for x in d],  # outlives its tensor
        lambda d: [np.asarray(x) for x in d],
        lambda d: [x[1:] - 1 for x in d.rebatch(BATCH + 1)],
    ],
    ids=[
        "list", "prefetch", "cache", "cached twice", "shuffle", "unbatch", "map", "identity",
        "memoryview", "asarray", "slices",
    ],
)  # fmt: skip
def test_what_keeps_a_batch_keeps_its_content(behind, chunk_size):
    found = firsts(list(behind(build(rows(), chunk_size=chunk_size))))
    if len(found) == 400:
        assert sorted(found) == list(range(400))
    else:  # x[1:] - 1 of every five
        assert found.tolist() == [i - 1 for i in range(400) if i % 5]


def test_a_kept_batch_is_aliased_and_its_buffer_is_not_lent_again():
    iterator = iter(build(rows(), chunk_size=BATCH))
    kept = [next(iterator) for _ in range(3)]
    taken = {address(tensor) for tensor in kept}
    assert all(place % 64 == 0 for place in taken)
    assert not taken & {address(tensor) for tensor in iterator}
    assert firsts(kept).tolist() == list(range(12))


def test_keras_fit_sees_the_same_batches_as_from_tensor_slices():
    data = np.random.default_rng(0).random((64, WIDTH), np.float32)
    target = data.sum(axis=1)
    pairs = build(
        lambda: zip(data, target.tolist(), strict=True),
        (tf.TensorSpec((WIDTH,), tf.float32), tf.TensorSpec((), tf.float32)),
    )

    def losses(dataset):
        tf.keras.utils.set_random_seed(1)
        model = tf.keras.Sequential([tf.keras.layers.Dense(1)])
        model.compile("sgd", "mse")
        return model.fit(dataset.prefetch(2), epochs=2, verbose=0).history["loss"]

    expected = losses(tf.data.Dataset.from_tensor_slices((data, target)).batch(BATCH))
    assert losses(pairs) == expected


def test_an_iterator_that_is_dropped_closes_its_generator_and_spoils_no_other():
    closed = []

    def generator():
        try:
            yield from rows()()
        finally:
            closed.append(True)

    dataset = build(generator, chunk_size=BATCH)
    first, second = iter(dataset), iter(dataset)
    kept = next(first)
    del first
    gc.collect()
    assert closed == [True]
    assert firsts([kept, *second]).tolist() == [0, 1, 2, 3, *range(400)]


def test_several_iterators_share_buffers_but_no_content():
    dataset = build(rows(), chunk_size=BATCH)
    iterators = [iter(dataset) for _ in range(3)]
    for start in range(0, 40, BATCH):
        for iterator in iterators:
            assert firsts([next(iterator)]).tolist() == list(range(start, start + BATCH))


def test_memory_is_flat_over_many_rows(workspaces):
    row = np.zeros(WIDTH, np.float32)
    dataset = build(lambda: itertools.repeat(row, 200_000), batch_size=32)
    options = tf.data.Options()  # TensorFlow adds a prefetch otherwise, which keeps as many batches
    options.experimental_optimization.inject_prefetch = False  # as it likes
    dataset = dataset.with_options(options)
    iterator = iter(dataset)
    (workspace,) = (reference() for reference in workspaces)
    (pool,) = workspace.pools
    most, traced = 0, []
    tracemalloc.start()
    try:
        for number, _ in enumerate(iterator):
            most = max(most, pool.lent + pool.free)
            if number in (3000, 6000):
                traced.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    assert number == 6249
    assert most <= SPARE_BLOCKS + 4
    assert traced[1] - traced[0] < 4 * pool.block_bytes


def test_a_pool_keeps_no_more_than_was_lent_at_once():
    pool = Pool()
    leases = [pool.lease((WIDTH,), np.dtype(np.float32)) for _ in range(100)]
    assert (pool.lent, pool.free) == (100, 0)
    del leases
    assert pool.lent == 0
    assert pool.free <= 50 + SPARE_BLOCKS


def test_buffers_go_with_the_data_set_though_tensorflow_remembers_the_generator(workspaces):
    dataset = build(rows()).prefetch(2)
    kept = next(iter(dataset))
    (reference,) = workspaces
    assert reference() is not None
    del dataset
    gc.collect()
    assert reference() is None
    assert firsts([kept]).tolist() == [0, 1, 2, 3]


def test_a_data_set_built_inside_a_graph_outlives_its_python_object():
    def batches(start):
        return build(
            lambda start: (np.full(WIDTH, start + k, np.float32) for k in range(BATCH)),
            args=(start,),
        )

    nested = tf.data.Dataset.range(0, 12, BATCH).flat_map(batches)
    gc.collect()
    assert firsts(nested).tolist() == list(range(12))


def boom(count):
    yield from rows(count)()
    raise LookupError("no row 10")


@pytest.mark.parametrize("chunk_size", [BATCH, 64])
def test_an_error_comes_after_the_full_batches_with_its_own_traceback(chunk_size):
    iterator = iter(build(lambda: boom(10), chunk_size=chunk_size))
    assert firsts([next(iterator), next(iterator)]).tolist() == list(range(8))
    with pytest.raises(tf.errors.UnknownError, match="LookupError: no row 10") as caught:
        next(iterator)
    assert "in boom" in str(caught.value)
    with pytest.raises(StopIteration):
        next(iterator)


def test_an_error_in_one_iterator_leaves_the_next_epoch_alone():
    failing = [True]
    dataset = build(lambda: boom(10) if failing.pop() else rows(8)())
    with pytest.raises(tf.errors.UnknownError):
        list(dataset)
    failing.append(False)
    assert firsts(dataset).tolist() == list(range(8))


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"x": np.zeros(3), "y": 1}, r"component \['x'\]: expected shape \(2,\), found .*\(3,\)"),
        (
            {"x": np.zeros(2), "y": [1, 2]},
            r"component \['y'\]: expected shape \(\), found .*\(2,\)",
        ),
        ({"x": np.zeros(2), "y": "one"}, r"component \['y'\]: expected int32, found 'one' of type"),
        ({"x": np.zeros(2)}, r"the row: expected the keys \['x', 'y'\], found the keys \['x'\]"),
        ([np.zeros(2), 1], "the row: expected a dict of 2 components, found .* of type list"),
    ],
)
@pytest.mark.parametrize("chunk_size", [BATCH, 64])
def test_a_row_that_does_not_match_is_named(row, sentence, chunk_size):
    good = {"x": np.zeros(2), "y": 1}
    dataset = build(
        lambda: iter([good] * 6 + [row] + [good] * 5),
        {"x": tf.TensorSpec((2,), tf.float32), "y": tf.TensorSpec((), tf.int32)},
        chunk_size=chunk_size,
    )
    iterator = iter(dataset)
    next(iterator)
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"example 6, {sentence}"):
        next(iterator)
    assert len(list(iterator)) == 2  # and reading can go on


def test_rows_of_varying_shape_name_the_way_out():
    dataset = build(
        lambda: iter([np.zeros(1), np.zeros(2)]), tf.TensorSpec((None,), tf.float32), batch_size=2
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"found shape \(2,\); varying='pad'"):
        next(iter(dataset))


@pytest.mark.parametrize("batch", [BATCH, 2 * BATCH])
def test_tensorflow_never_writes_into_a_source(batch):
    array = bridge.aligned(np.arange(64 * WIDTH, dtype=np.float32).reshape(64, WIDTH))
    before = array.copy()
    dataset = bridge.from_source(array, batch_size=batch)
    assert address(next(iter(dataset))) == array.ctypes.data
    for _ in dataset.map(lambda x: tf.sqrt(tf.abs(x * 2 + 1))).rebatch(BATCH).map(tf.nn.relu):
        pass
    batches = list(dataset)
    del dataset
    gc.collect()
    for tensor in tf.data.Dataset.from_tensors(batches.pop()).map(lambda x: tf.nn.relu(-x)):
        tf.nn.relu(-tensor)
    np.testing.assert_array_equal(array, before)


def test_a_change_to_an_aligned_source_changes_the_batches():
    array = bridge.aligned(np.zeros((8, WIDTH), np.float32))
    batch = next(iter(bridge.from_source(array, batch_size=BATCH)))
    array[...] = 7
    assert firsts([batch]).tolist() == [7] * BATCH  # as the docstring says


def test_an_array_lives_as_long_as_tensors_over_it_and_no_longer():
    array = bridge.aligned(np.ones((8, WIDTH), np.float32))
    dead = []
    weakref.finalize(array, dead.append, True)
    dataset = bridge.from_source(array, batch_size=BATCH)
    batch = next(iter(dataset))
    del array, dataset
    gc.collect()
    assert firsts([batch]).tolist() == [1] * BATCH
    assert not dead
    del batch
    gc.collect()
    assert dead


def test_dropping_iterators_half_way_does_not_hang():
    array = bridge.aligned(np.zeros((4000, WIDTH), np.float32))
    for shuffle in (False, True):
        dataset = bridge.from_source(array, batch_size=BATCH, shuffle=shuffle)
        dataset = dataset.map(lambda x: x + 1, num_parallel_calls=2).prefetch(4)
        for count in range(6):
            iterator = iter(dataset)
            for _ in range(count):
                next(iterator)
            del iterator
