"""The bridge gives what tf.data's own from_generator(...).batch(...) gives."""

import functools
import gc
import pickle

import numpy as np
import pytest
from contract.structures import Rows, signatures, value_of
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from unit.bridging import assert_same, events, spec

from helpers import bridge
from helpers.bridge.structure import Component
from helpers.quiet import tf

RELAXED = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # shrinking takes minutes where each example opens data sets
    suppress_health_check=[HealthCheck.too_slow],
)


@RELAXED
@given(
    signature=signatures,
    count=st.integers(0, 23),
    batch_size=st.integers(1, 6),
    chunk_size=st.one_of(st.none(), st.integers(1, 30)),
    drop_remainder=st.booleans(),
    seed=st.integers(0, 99),
)
def test_batches_are_those_of_from_generator(
    signature, count, batch_size, chunk_size, drop_remainder, seed
):
    rows = Rows(signature, count, batch_size, seed)
    theirs = tf.data.Dataset.from_generator(rows, output_signature=signature).batch(
        batch_size, drop_remainder=drop_remainder
    )
    ours = bridge.from_generator(
        rows,
        output_signature=signature,
        batch_size=batch_size,
        chunk_size=chunk_size,
        drop_remainder=drop_remainder,
    )
    assert_same(ours, theirs)


class Script:
    """An iterator that raises, or yields what does not match, and goes on after it."""

    def __init__(self, steps):
        self.steps = iter(steps)

    def __iter__(self):
        return self

    def __next__(self):
        step = next(self.steps)
        if isinstance(step, Exception):
            raise step
        return step


scalars = st.lists(
    st.one_of(
        st.integers(0, 9),
        st.sampled_from([[1, 2], "word", ValueError("x"), KeyError("y"), {"a": 1}, 2**40]),
    ),
    max_size=25,
)
vectors = st.lists(
    st.one_of(
        st.integers(0, 3).map(np.ones),
        st.integers(0, 3).map(lambda size: np.ones(size, np.float32)),
        st.sampled_from([[1, "word"], 1, RuntimeError("x"), np.ones((1, 1)), [[1], [2, 3]]]),
    ),
    max_size=25,
)


class Stage:
    """A pair of data sets over rows that change from example to example: opening is cheap."""

    def __init__(self, signature, batch_size, drop_remainder=False, varying=None, **options):
        rows = tf.data.Dataset.from_generator(lambda: self.rows(), output_signature=signature)
        batch = {None: rows.batch, "pad": rows.padded_batch, "ragged": rows.ragged_batch}[varying]
        self.theirs = batch(batch_size, drop_remainder=drop_remainder)
        self.ours = bridge.from_generator(
            lambda: self.rows(),
            output_signature=signature,
            batch_size=batch_size,
            drop_remainder=drop_remainder,
            varying=varying,
            **options,
        )


stage = functools.cache(Stage)


def assert_same_events(ours, theirs):
    found, expected = events(ours), events(theirs)
    assert len(found) == len(expected)
    for ours_event, theirs_event in zip(found, expected, strict=True):
        np.testing.assert_equal(ours_event, theirs_event)


@RELAXED
@pytest.mark.parametrize(
    ("signature", "scripts"),
    [
        (spec((), tf.int32), scalars),
        (spec((None,)), vectors),
        (spec((2,)), vectors),
        (
            (spec((2,)), spec()),
            st.lists(st.sampled_from([(np.ones(2), 1), (1, 1), [1, 2], OSError("z")]), max_size=25),
        ),
    ],
    ids=["scalar", "unknown size", "fixed size", "pair"],
)
@given(data=st.data(), sizes=st.sampled_from([(1, 4), (3, 1), (2, 6), (4, 24)]))
def test_errors_come_where_from_generator_has_them(signature, scripts, data, sizes):
    batch_size, chunk_size = sizes
    steps = data.draw(scripts)
    pair = stage(signature, batch_size, chunk_size=chunk_size)
    pair.rows = lambda: Script(steps)
    assert_same_events(pair.ours, pair.theirs)


@RELAXED
@pytest.mark.parametrize("varying", ["pad", "ragged"])
@given(steps=vectors)
def test_errors_in_rows_of_varying_shape(varying, steps):
    pair = stage(spec((None,)), 3, varying=varying)
    pair.rows = lambda: Script(steps)
    found, expected = events(pair.ours), events(pair.theirs)
    # What follows an error is another thing in ragged_batch, which reads ahead.
    for ours_event, theirs_event in zip(found, expected, strict=varying == "pad"):
        np.testing.assert_equal(ours_event, theirs_event)
        if isinstance(theirs_event, str) and varying == "ragged":
            break


@RELAXED
@pytest.mark.parametrize(
    ("varying", "shape", "dtype"),
    [
        ("pad", (None,), tf.string),
        ("pad", (2, None), tf.float32),
        ("ragged", (None, 2), tf.string),
        ("ragged", (None, None), tf.int64),
        ("ragged", (2, None), tf.bool),
        ("ragged", (1, 3, None, 2), tf.int32),
        ("ragged", (None, 2, None), tf.string),
    ],
)
@given(count=st.integers(0, 9), drop_remainder=st.booleans(), seed=st.integers(0, 99))
def test_rows_of_varying_shape(varying, shape, dtype, count, drop_remainder, seed):
    def rows():
        rng = np.random.default_rng(seed)
        for index in range(count):
            sizes = tuple(int(rng.integers(4)) if d is None else d for d in shape)
            yield (value_of(rng, dtype, sizes, {}, 0), index)

    pair = stage((spec(shape, dtype), spec((), tf.int32)), 3, drop_remainder, varying)
    pair.rows = rows
    assert pair.ours.element_spec == pair.theirs.element_spec
    assert_same_events(pair.ours, pair.theirs)


@pytest.mark.parametrize("varying", ["pad", "ragged"])
def test_a_row_of_varying_shape_may_be_refilled_as_soon_as_it_was_yielded(varying):
    def refilled():
        row = np.empty(3, np.float32)
        for number in range(6):
            row[:] = number
            yield row[: 1 + number % 3]

    spec = tf.TensorSpec((None,), tf.float32)
    dataset = bridge.from_generator(refilled, output_signature=spec, batch_size=4, varying=varying)
    assert [float(row[0]) for batch in dataset for row in batch] == list(range(6))


@pytest.mark.parametrize("varying", ["pad", "ragged"])
@pytest.mark.parametrize("chunk_size", [4, 12, None])
def test_kept_batches_of_varying_shape_stay_what_they_were(varying, chunk_size):
    def rows():
        for number in range(50):
            yield np.full(1 + number % 3, number, np.float32), number

    dataset = bridge.from_generator(
        rows,
        output_signature=(spec((None,)), spec((), tf.int64)),
        batch_size=4,
        varying=varying,
        chunk_size=chunk_size,
    )
    kept = [batch for _ in range(4) for batch in dataset]
    assert len(kept) == 4 * 13
    for batch, numbers in kept:
        assert [float(row[0]) for row in batch] == numbers.numpy().tolist()
    assert [n for _, numbers in kept for n in numbers.numpy()] == [*range(50)] * 4


def test_padding_reaches_to_the_largest_row_of_the_batch_and_not_of_the_chunk():
    def rows():
        yield from (np.ones(length, np.float32) for length in (1, 2, 9, 1, 3, 3, 0, 0))

    dataset = bridge.from_generator(
        rows, output_signature=spec((None,)), batch_size=2, varying="pad", chunk_size=8
    )
    assert [tuple(batch.shape) for batch in dataset] == [(2, 2), (2, 9), (2, 3), (2, 0)]


def test_gathering_scalars_leaves_no_work_for_the_garbage_collector():
    records = [{"a": float(number), "b": number} for number in range(20_000)]
    rows = bridge.from_generator(
        lambda: iter(records),
        output_signature={"a": spec((), tf.float64), "b": spec((), tf.int64)},
        batch_size=1000,
    )
    assert sum(len(batch["a"]) for batch in rows) == len(records)
    phases = []
    gc.callbacks.append(collect := lambda phase, info: phases.append(phase))
    try:
        for _ in rows:
            pass
    finally:
        gc.callbacks.remove(collect)
    begun = phases.count("start")
    assert begun < len(records) / gc.get_threshold()[0] / 2  # a tuple kept for each row: more


@pytest.mark.parametrize("varying", [None, "pad"])
def test_a_row_whose_type_is_an_equal_object_is_copied_as_it_is(varying, monkeypatch):
    """As rows are that were pickled, and all rows where the plan was: in every worker."""
    dtype = pickle.loads(pickle.dumps(np.dtype(np.float32).newbyteorder("=")))
    assert dtype == np.float32 and dtype is not np.dtype(np.float32)
    row = np.empty(5, dtype)
    row[:] = range(5)

    def convert(self, value):
        raise AssertionError("no row here is to be converted")

    dataset = bridge.from_generator(
        lambda: iter([row] * 6), output_signature=spec((None if varying else 5,), tf.float32),
        batch_size=3, varying=varying,
    )  # fmt: skip
    monkeypatch.setattr(Component, "convert", convert)
    assert [batch.numpy().tolist() for batch in dataset] == [[list(range(5))] * 3] * 2


@pytest.mark.parametrize("varying", ["pad", "ragged"])
def test_no_chunk_has_a_graph_optimized_of_its_own(varying):
    """As `enumerate` has, whenever it is opened: that took longer than the chunk to cross."""
    dataset = bridge.from_generator(
        lambda: iter([np.zeros(3)]),
        output_signature=spec((None,), tf.float64),
        batch_size=2,
        varying=varying,
    )
    written = tf.raw_ops.DatasetToGraphV2(
        input_dataset=dataset._variant_tensor, external_state_policy=1
    )
    graph = tf.compat.v1.GraphDef.FromString(written.numpy())
    ops = {node.op for function in graph.library.function for node in function.node_def}
    assert "TensorSliceDataset" in ops
    assert "RewriteDataset" not in ops
