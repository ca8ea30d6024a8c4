"""Shuffled reading along the chunks of a file: the same rows in the same order, fewer reads."""

import itertools

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.bridging import events
from unit.pooling import plan_of
from unit.test_bridge_source import RELAXED, Sliced, numbers

from helpers import bridge
from helpers.bridge import windows
from helpers.quiet import tf


class Chunked(Sliced):
    """Gives slices, says how it is cut, and counts the chunks that are read for them."""

    def __init__(self, array, rows):
        super().__init__(array)
        self.chunks = None if rows is None else (rows, *array.shape[1:])
        self.reads = 0

    def __getitem__(self, index):
        low, high = (index.start, index.stop) if isinstance(index, slice) else (index, index + 1)
        if self.chunks:
            self.reads += (high - 1) // self.chunks[0] - low // self.chunks[0] + 1
        return super().__getitem__(index)


@pytest.fixture
def small_windows(monkeypatch):
    """Windows of 100 rows of 8 bytes, and pieces of 10 of them."""
    monkeypatch.setattr(windows, "WINDOW_BYTES", 800)
    monkeypatch.setattr(windows, "PIECE_BYTES", 80)
    monkeypatch.setattr(windows, "CONTIGUOUS_BYTES", 40)


@settings(RELAXED, max_examples=100)
@given(
    count=st.integers(1, 300),
    chunk=st.one_of(st.none(), st.integers(1, 50)),
    batch_size=st.integers(1, 40),
    window=st.sampled_from([8, 400, 1 << 20]),
    steps=st.lists(st.integers(1, 120), min_size=1),
)
def test_slices_are_those_of_the_shuffled_array(count, chunk, batch_size, window, steps):
    array = np.random.default_rng(0).permutation(count)
    order = np.random.default_rng(1).permutation(count)
    plan = plan_of([(np.int64, ())], batch_size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(windows, "WINDOW_BYTES", window)
        shuffled = windows.Shuffled(Chunked(array, chunk), order, plan)
        start = 0
        for rows in itertools.cycle(steps):
            stop = min(start + rows, count)
            np.testing.assert_array_equal(shuffled[start:stop], array[order[start:stop]])
            if stop == count:
                break
            start = stop


@pytest.mark.parametrize("chunk", [None, 7])
@pytest.mark.parametrize("options", [{}, {"chunk_size": 50, "drop_remainder": True}])
def test_the_batches_are_those_of_reading_row_by_row(chunk, options, small_windows):
    options = {"batch_size": 9, "shuffle": True, "seed": 5, **options}
    along = bridge.from_source(Chunked(np.arange(200) * 3, chunk), **options)
    by_row = bridge.from_source(Sliced(np.arange(200) * 3), **options)
    for _ in range(2):
        np.testing.assert_equal(events(along), events(by_row))
    assert along.element_spec == by_row.element_spec


def test_a_chunk_is_read_once_a_window(tmp_path, small_windows):
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        stored = file.create_dataset("x", data=np.arange(1000), chunks=(50,), compression="gzip")
        source = Chunked(stored, 50)
        shuffled = bridge.from_source(source, batch_size=10, chunk_size=10, shuffle=True, seed=0)
        source.reads = 0
        assert sorted(numbers(shuffled)) == list(range(1000))
        # Windows of 10 and of 100 rows; the file has 20 chunks.
        assert source.reads <= 10 + 10 * 20
        source.reads = 0
        next(iter(shuffled.take(1)))
        assert source.reads <= 10 + 2 * 20  # the first batch does not wait for a whole window


def test_a_file_that_fits_a_window_is_read_few_times():
    source = Chunked(np.arange(10_000), 100)
    dataset = bridge.from_source(source, batch_size=100, shuffle=True, seed=0)
    source.reads = 0
    list(dataset)
    assert source.reads <= 3 * 100  # windows of 100, 1600 and the rest


def test_what_is_held_is_a_window(small_windows):
    plan_source = Chunked(np.arange(1000), 50)
    held = []

    class Watched(windows.Shuffled):
        def __getitem__(self, rows):
            found = super().__getitem__(rows)
            held.append(sum(array.nbytes for array in self._window))
            return found

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("helpers.bridge.source.Shuffled", Watched)
        dataset = bridge.from_source(plan_source, batch_size=10, chunk_size=10, shuffle=True)
        assert len(numbers(dataset)) == 1000
    assert max(held) == 800


def test_parts_of_a_source_stay_together_each_along_its_own_chunks(tmp_path, small_windows):
    count = 500
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        rows = np.arange(count)
        source = {
            "x": file.create_dataset("x", data=np.stack([rows] * 3, 1), chunks=(7, 2)),
            "text": file.create_dataset("t", data=[str(k) for k in rows], chunks=(64,)),
            "plain": file.create_dataset("p", data=rows.astype(np.float32)),  # contiguous
            "array": rows * 2,
        }
        options = {"batch_size": 32, "shuffle": True, "seed": 3}
        seen = []
        for batch in bridge.from_source(source, **options):
            x = batch["x"].numpy()
            seen += x[:, 0].tolist()
            assert (x == x[:, :1]).all()
            assert batch["plain"].numpy().tolist() == x[:, 0].tolist()
            assert batch["array"].numpy().tolist() == (2 * x[:, 0]).tolist()
            assert batch["text"].numpy().tolist() == [b"%d" % k for k in x[:, 0]]
    assert seen == numbers(bridge.from_source(Sliced(np.arange(count)), **options))


def test_an_iterator_goes_on_at_a_checkpoint_in_the_middle_of_a_window(tmp_path, small_windows):
    source = Chunked(np.arange(400), 30)
    dataset = bridge.from_source(source, batch_size=8, chunk_size=8, shuffle=True, seed=1)
    iterator = iter(dataset)
    first = [next(iterator).numpy().tolist() for _ in range(20)]
    saved = tf.train.Checkpoint(iterator=iterator).save(str(tmp_path / "at"))
    rest = [batch.numpy().tolist() for batch in iterator]
    again = iter(dataset)
    tf.train.Checkpoint(iterator=again).restore(saved)
    assert [batch.numpy().tolist() for batch in again] == rest
    assert sorted(row for batch in first + rest for row in batch) == list(range(400))


class Torn(Chunked):
    """A file some of whose chunks cannot be read."""

    def __init__(self, array, rows, bad):
        super().__init__(array, rows)
        self.bad = bad

    def __getitem__(self, index):
        found = super().__getitem__(index)
        if set(np.atleast_1d(found).tolist()) & self.bad:
            raise OSError("inflate() failed")
        return found


def messages(dataset):
    seen = []
    iterator = iter(dataset)
    while True:
        try:
            seen.append(next(iterator).numpy().tolist())
        except StopIteration:
            return seen
        except tf.errors.OpError as error:
            seen.append(error.message.splitlines()[0])


@pytest.mark.parametrize("bad", [{5}, {17, 18, 19}, set(range(100, 110)), set(range(2, 200))])
def test_a_chunk_that_cannot_be_read_costs_what_it_costs_row_by_row(bad, small_windows):
    build = {"batch_size": 8, "chunk_size": 8, "shuffle": True, "seed": 1}
    along = messages(bridge.from_source(Torn(np.arange(200), 10, bad), **build))

    class ByRow(Torn):
        chunks = property(lambda self: (), lambda self, value: None)

    by_row = messages(bridge.from_source(ByRow(np.arange(200), 10, bad), **build))
    assert along == by_row
    named = [int(text.split("(item ")[1].split()[0]) for text in along if isinstance(text, str)]
    assert set(named) == bad


def test_a_piece_of_another_shape_is_not_broadcast(small_windows):
    class Thin(Chunked):
        def __getitem__(self, index):
            found = super().__getitem__(index)
            return found[..., :1] if isinstance(index, slice) and index.start > 20 else found

    dataset = bridge.from_source(
        Thin(np.arange(120).reshape(40, 3), 10), batch_size=4, shuffle=True
    )
    for batch in dataset:  # the items are right
        assert (np.diff(batch.numpy()) == 1).all()


@pytest.mark.parametrize("chunks", [((10, 10),), (), "auto", 10])
def test_chunks_of_another_kind_say_nothing(chunks):
    class Odd(Sliced):
        pass

    source = Odd(np.arange(20))
    source.chunks = chunks
    assert not windows.has_chunks(source)
    assert sorted(numbers(bridge.from_source(source, batch_size=4, shuffle=True))) == [*range(20)]
