"""Bad arguments get one sentence each; what cannot be chunked takes the plain way and says so."""

import itertools

import numpy as np
import pytest
from unit.bridging import assert_same, events, spec

from helpers import bridge
from helpers.bridge import chunks
from helpers.quiet import tf


def one():
    yield 1.0


GENERATOR_ERRORS = {
    "generator object": ({"generator": one()}, TypeError, "a function .* found generator"),
    "no specs": ({"output_signature": tf.float32}, TypeError, "expected a tf.TypeSpec"),
    "in a list": ({"output_signature": [spec()]}, TypeError, "found list"),
    "in a dict": ({"output_signature": {"x": 3}}, TypeError, r"component \['x'\]: .* found int"),
    "batch 0": ({"batch_size": 0}, ValueError, "batch_size must be .* not 0"),
    "batch 2.5": ({"batch_size": 2.5}, ValueError, "batch_size must be a whole number"),
    "batch True": ({"batch_size": True}, ValueError, "batch_size must be a whole number"),
    "batch None": ({"batch_size": None}, ValueError, "batch_size must be a whole number"),
    "chunk 0": ({"chunk_size": 0}, ValueError, "chunk_size must be .* not 0"),
    "varying": ({"varying": "wrap"}, ValueError, "varying must be 'pad', 'ragged' or None"),
    "padding": ({"padding_values": 1}, ValueError, "padding_values need varying='pad'"),
    "padding type": (
        {"varying": "pad", "padding_values": "x", "output_signature": spec((None,))},
        ValueError,
        "padding_values, component: expected float32, found 'x'",
    ),
    "padding structure": (
        {"varying": "pad", "padding_values": (1, 2), "output_signature": {"x": spec((None,))}},
        ValueError,
        "padding_values must have the structure of a row",
    ),
    "workers": ({"num_workers": -1}, ValueError, "num_workers must be .* at least 0"),
    "workers without shards": ({"num_workers": 2}, ValueError, "shard and num_shards"),
    "workers with ragged": (
        {"num_workers": 1, "output_signature": tf.RaggedTensorSpec((None,), tf.int32)},
        ValueError,
        "component is a RaggedTensorSpec, which num_workers cannot hand over",
    ),
    "seed": ({"seed": 1}, ValueError, "seed has no effect here"),
    "seed -1": ({"seed": -1, "num_workers": 1}, ValueError, "seed must be .* at least 0"),
}


@pytest.mark.parametrize("case", GENERATOR_ERRORS)
def test_bad_arguments_of_from_generator(case):
    changes, error, sentence = GENERATOR_ERRORS[case]
    arguments = {"generator": one, "output_signature": spec(), "batch_size": 1} | changes
    with pytest.raises(error, match=sentence) as caught:
        bridge.from_generator(arguments.pop("generator"), **arguments)
    assert "\n" not in str(caught.value)


SOURCE_ERRORS = {
    "generator": (one, TypeError, "__len__ and __getitem__.*from_generator"),
    "text": ("text", TypeError, "found str"),
    "number": ({"x": 3}, TypeError, r"source\['x'\] must have a length .* found int"),
    "rank 0": (np.array(1.0), TypeError, "has no length"),
    "lengths": ((np.zeros(2), [1, 2, 3]), ValueError, r"source\[0\]: 2, source\[1\]: 3"),
    "empty": ([], ValueError, "output_signature"),
    "no parts": ((), TypeError, "holds no component"),
    "objects": ([object(), object()], TypeError, "holds object, which cannot be made a tensor"),
}


@pytest.mark.parametrize("case", SOURCE_ERRORS)
def test_bad_sources(case):
    source, error, sentence = SOURCE_ERRORS[case]
    with pytest.raises(error, match=sentence):
        bridge.from_source(source, batch_size=1)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"chunk_size": 4}, "chunk_size has no effect on arrays"),
        ({"varying": "pad"}, "varying has no effect on arrays"),
        ({"reshuffle_each_iteration": False}, "reshuffle_each_iteration=False has no effect"),
        ({"seed": 1}, "seed has no effect here"),
    ],
)
def test_options_that_have_no_effect_on_a_source(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        bridge.from_source(np.zeros(4), batch_size=2, **options)


def test_only_numbers_can_be_aligned():
    with pytest.raises(TypeError, match="numbers or booleans"):
        bridge.aligned(np.array(["a"]))


PLAIN = {
    "ragged": (
        tf.RaggedTensorSpec((None, None), tf.int32),
        lambda: iter([tf.ragged.constant([[1], [2, 3]]), tf.ragged.constant([[4, 5]])]),
    ),
    "sparse": (
        tf.SparseTensorSpec((3,), tf.float32),
        lambda: iter([tf.sparse.from_dense([0.0, 1.0, 0.0])] * 3),
    ),
    "unknown rank": (spec(None), lambda: iter([np.ones(2)] * 3)),
    "quantised": ((spec((), tf.qint8), spec()), lambda: iter([])),
}


@pytest.mark.parametrize("case", PLAIN)
def test_what_cannot_be_chunked_takes_the_plain_way_and_says_so_once(case):
    signature, rows = PLAIN[case]
    theirs = tf.data.Dataset.from_generator(rows, output_signature=signature).batch(2)
    with pytest.warns(UserWarning, match="cross one by one") as caught:
        ours = bridge.from_generator(rows, output_signature=signature, batch_size=2)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert ours.element_spec == theirs.element_spec
    if case == "sparse":
        assert [tf.sparse.to_dense(x).numpy().tolist() for x in ours] == [
            [[0, 1, 0], [0, 1, 0]],
            [[0, 1, 0]],
        ]
    else:
        np.testing.assert_equal(events(ours), events(theirs))


def test_args_reach_the_generator_as_arrays():
    def rows(count, step):
        assert isinstance(step, np.ndarray)
        yield from np.arange(count) * step

    options = {"args": (5, tf.constant([2])), "output_signature": spec((1,), tf.int64)}
    rows_of = lambda count, step: ([x] for x in np.arange(count) * step)  # noqa: E731
    theirs = tf.data.Dataset.from_generator(rows_of, **options).batch(2)
    assert_same(bridge.from_generator(rows_of, batch_size=2, **options), theirs)
    with pytest.raises(tf.errors.InvalidArgumentError):  # of shape () where (1,) is declared
        list(bridge.from_generator(rows, batch_size=2, **options))


def test_each_epoch_calls_the_generator_anew():
    calls = []

    def rows():
        calls.append(1)
        yield from range(3)

    dataset = bridge.from_generator(rows, output_signature=spec((), tf.int32), batch_size=2)
    assert [x.numpy().tolist() for x in dataset.repeat(2)] == [[0, 1], [2], [0, 1], [2]]
    assert len(calls) == 2


def without_prefetch(dataset):
    """TensorFlow adds a prefetch at the end of a pipeline otherwise."""
    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False
    return dataset.with_options(options)


def rows_read(chunk_size=None, batches=7):
    """How many rows have been read after each batch of two."""
    read, reached = [], []
    dataset = bridge.from_generator(
        lambda: (read.append(i) or i for i in range(100)),
        output_signature=spec((), tf.int32),
        batch_size=2,
        chunk_size=chunk_size,
    )
    iterator = iter(without_prefetch(dataset))
    assert read == []
    for _ in range(batches):
        next(iterator)
        reached.append(len(read))
    return reached


def test_a_chunk_of_one_batch_reads_no_further():
    assert rows_read(chunk_size=2) == [2, 4, 6, 8, 10, 12, 14]
    assert rows_read(chunk_size=1) == [2, 4, 6, 8, 10, 12, 14]
    assert rows_read(chunk_size=5) == [6, 6, 6, 12, 12, 12, 18]


def test_a_slow_generator_crosses_batch_by_batch(monkeypatch):
    ticks = itertools.count()
    monkeypatch.setattr(chunks.time, "perf_counter", lambda: next(ticks))  # seconds
    assert rows_read() == [2, 4, 6, 8, 10, 12, 14]


def test_a_fast_generator_crosses_in_growing_chunks_of_bounded_size(monkeypatch):
    monkeypatch.setattr(chunks.time, "perf_counter", lambda: 0.0)
    assert rows_read() == [2, 6, 6, 14, 14, 14, 14]
    monkeypatch.setattr(chunks, "CHUNK_BYTES", 4 * 4)
    assert rows_read() == [2, 6, 6, 10, 10, 14, 14]


def test_a_later_epoch_begins_with_the_chunks_of_the_last(monkeypatch):
    monkeypatch.setattr(chunks.time, "perf_counter", lambda: 0.0)
    read = []
    dataset = bridge.from_generator(
        lambda: (read.append(i) or i for i in range(14)),
        output_signature=spec((), tf.int32),
        batch_size=2,
    )
    assert len(list(dataset)) == 7
    read.clear()
    next(iter(without_prefetch(dataset)))
    assert len(read) == 14
