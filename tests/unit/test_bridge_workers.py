"""The bridge with worker processes gives the same batches as tf.data's own from_generator."""

import sys

import cloudpickle
import numpy as np
import pytest
from contract.drawn import Point  # not from a module that imports TensorFlow: a worker would, too
from unit.bridging import assert_same, spec

from helpers import bridge
from helpers.bridge.processes import WorkerPool
from helpers.quiet import tf

cloudpickle.register_pickle_by_value(sys.modules[__name__])  # as if written in a notebook
pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="workers are not on Windows")


def arrays():
    row = np.empty((4, 2), np.float32)[1:]  # not aligned: from_generator corrupts those that are
    for k in range(23):
        row[:] = k  # the same array each time
        yield row


def dictionaries():
    for k in range(23):
        yield {"small": 40_000 * k, "share": k / 7, "flag": k % 3 == 0, "half": np.float64(k / 3)}


def texts():
    yield from (f"row {k}" * k for k in range(23))


def points():
    for k in range(23):
        yield Point((np.full(4, k), [k, k + 1]), k)


def sequences():
    yield from (np.arange(k % 6, dtype=np.int32) for k in range(23))


CASES = {
    "arrays": (arrays, spec((3, 2)), None),
    "other type": (arrays, spec((3, 2), tf.int64), None),
    "dictionaries": (
        dictionaries,
        {
            "flag": spec((), tf.bool),
            "half": spec((), tf.float32),
            "share": spec(),
            "small": spec((), tf.int16),
        },
        None,
    ),
    "texts": (texts, spec((), tf.string), None),
    "points": (points, Point((spec((4,)), spec((2,), tf.int64)), spec((), tf.float64)), None),
    "sequences": (sequences, spec((None,), tf.int32), "pad"),
}


@pytest.mark.parametrize("case", CASES)
def test_one_worker_runs_the_generator_as_it_is(case):
    rows, signature, varying = CASES[case]
    plain = tf.data.Dataset.from_generator(rows, output_signature=signature)
    ours = bridge.from_generator(
        rows, output_signature=signature, batch_size=5, varying=varying, num_workers=1
    )
    theirs = plain.padded_batch(5) if varying else plain.batch(5)
    for _ in range(2):
        assert_same(ours, theirs)


@pytest.fixture
def crossings(monkeypatch):
    """The rows of each chunk that a pool has given."""
    found = []
    epoch = WorkerPool.epoch

    def counted(pool, *args, **options):
        for chunk in epoch(pool, *args, **options):
            found.append(len(chunk[0]))
            yield chunk

    monkeypatch.setattr(WorkerPool, "epoch", counted)
    return found


def test_one_worker_takes_cheap_rows_across_in_growing_chunks(crossings):
    dataset = bridge.from_generator(
        arrays, output_signature=spec((3, 2)), batch_size=5, num_workers=1
    )
    for _ in range(100):  # on a busy machine it takes some epochs
        crossings.clear()
        assert [len(batch) for batch in dataset] == [5, 5, 5, 5, 3]
        assert sum(crossings) == 23
        assert all(rows % 5 == 0 for rows in crossings[:-1])
        if crossings == [23]:
            break
    assert crossings == [23]


def test_one_worker_takes_batches_across_one_by_one_if_told_to(crossings):
    dataset = bridge.from_generator(
        arrays, output_signature=spec((3, 2)), batch_size=5, num_workers=1, chunk_size=5
    )
    assert [len(batch) for batch in dataset] == [5, 5, 5, 5, 3] == crossings


def test_a_row_without_its_dictionary():
    def bare():
        yield np.zeros(3, np.float32)

    ours = bridge.from_generator(
        bare, output_signature={"x": spec((3,))}, batch_size=2, num_workers=1
    )
    with pytest.raises(tf.errors.OpError, match="the row: expected a dict of 1 components"):
        next(iter(ours))


def test_two_shards_need_the_parameters():
    with pytest.raises(ValueError, match="texts has no parameter shard"):
        bridge.from_generator(
            texts, output_signature=spec((), tf.string), batch_size=2, num_workers=2
        )


@pytest.mark.parametrize("num_workers", [0, 1, 2])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (ValueError, tf.errors.InvalidArgumentError),
        (UnicodeError, tf.errors.InvalidArgumentError),
        (TypeError, tf.errors.InvalidArgumentError),
        (NotImplementedError, tf.errors.UnimplementedError),
        (MemoryError, tf.errors.ResourceExhaustedError),
        (KeyError, tf.errors.UnknownError),
    ],
)
def test_an_error_is_of_the_same_kind_from_a_worker(num_workers, error, kind):
    def rows(shard=0, num_shards=1):
        yield 1.0
        raise error("of the generator")

    batches = bridge.from_generator(
        rows, output_signature=spec(()), batch_size=1, num_workers=num_workers
    )
    with pytest.raises(kind, match="of the generator"):
        list(batches)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_mismatch_names_the_example_and_the_component(num_workers):
    def rows():
        yield from ({"x": 0.5}, {"x": 1.5}, {"x": 2.5}, {"x": "three"})

    batches = bridge.from_generator(
        rows,
        output_signature={"x": spec(())},
        batch_size=2,
        num_workers=num_workers,
        chunk_size=2,  # so that it happens in the second chunk
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"example 3, .*'x'.*three"):
        list(batches)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc's way")
def test_a_worker_keeps_the_memory_that_rows_gave_back():
    def faults_of_rows():
        import resource

        for _ in range(200):
            kept = [np.ones(12_000) for _ in range(8)]  # each below 128 KB, all together above
            del kept
            yield resource.getrusage(resource.RUSAGE_SELF).ru_minflt

    batches = bridge.from_generator(
        faults_of_rows, output_signature=spec((), tf.int64), batch_size=10, num_workers=1
    )
    faults = np.concatenate([batch.numpy() for batch in batches])
    assert np.median(np.diff(faults)) < 5  # 190 pages are touched
