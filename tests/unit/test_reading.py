"""Reading a source at any row of any epoch, and where chunks can be resumed."""

import itertools

import numpy as np
import pytest
from unit.pooling import plan_of

from helpers.bridge import reading as readings
from helpers.bridge.chunks import Chunks, Workspace
from helpers.bridge.errors import GeneratorError, MismatchError, WorkerError, as_kind
from helpers.bridge.reading import Reading

NOTHING = [np.empty(0, np.int64)]
ROWS = 20


class Counting:
    """Gives the numbers of its rows, two a chunk; raises at some of them."""

    def __init__(self, log, seed, row, errors=()):
        self.log, self.seed, self.resumes_at, self.errors = log, seed, row, dict(errors)
        log.append(("open", seed, row))

    def __next__(self):
        if self.resumes_at in self.errors:
            error = self.errors[self.resumes_at]
            self.resumes_at += 1
            raise error
        if self.resumes_at >= ROWS:
            raise StopIteration
        self.resumes_at += 2
        return [np.arange(self.resumes_at - 2, self.resumes_at) + 100 * self.seed]

    def close(self):
        self.log.append(("close", self.seed, self.resumes_at))


@pytest.fixture
def log():
    return []


def read_on(reading, seed, row=0, steps=ROWS // 2):
    """Reads as a data set does: where the last chunk ended."""
    for _ in range(steps):
        values, row, state, text = reading.read(seed, row)
        assert (state, text) == (Reading.CHUNK, b"")
        assert values.tolist() == [row - 2 + 100 * seed, row - 1 + 100 * seed]
    return int(row)


def test_one_reader_goes_on_where_it_is(log):
    reading = Reading(lambda seed, row: Counting(log, seed, row), NOTHING)
    row = read_on(reading, 1)
    values, row, state, text = reading.read(1, row)
    assert (values.size, row, state, text) == (0, ROWS, Reading.END, b"")
    assert log == [("open", 1, 0)]
    read_on(reading, 2)
    assert log == [("open", 1, 0), ("open", 2, 0)]  # the end gave the first one up


def test_any_row_of_any_epoch_can_be_asked_for(log):
    reading = Reading(lambda seed, row: Counting(log, seed, row), NOTHING)
    for seed, row in ((1, 0), (1, 14), (2, 4), (1, 2), (1, 14)):
        assert read_on(reading, seed, row, steps=1) == row + 2
    assert [entry for entry in log if entry[0] == "open"] == [
        ("open", 1, 0), ("open", 1, 14), ("open", 2, 4), ("open", 1, 2), ("open", 1, 14),
    ]  # fmt: skip


def test_a_reader_whose_iterator_is_gone_is_given_up(log):
    reading = Reading(lambda seed, row: Counting(log, seed, row), NOTHING)
    for seed in range(5):
        read_on(reading, seed, steps=1)  # and never again
    assert len(reading._readers) == 1
    assert [entry for entry in log if entry[0] == "close"] == [("close", s, 2) for s in range(4)]


def test_iterators_at_the_same_time_come_to_have_readers_of_their_own(log):
    reading = Reading(lambda seed, row: Counting(log, seed, row), NOTHING)
    rows = dict.fromkeys(range(3), 0)
    for _ in range(ROWS // 2):
        for seed in rows:
            rows[seed] = read_on(reading, seed, rows[seed], steps=1)
    opened = [entry for entry in log if entry[0] == "open"]
    assert len(opened) <= 3 + 3  # each is given up once at most before there is room for it
    assert set(rows.values()) == {ROWS}


def test_there_is_a_bound_to_readers(log):
    reading = Reading(lambda seed, row: Counting(log, seed, row), NOTHING)
    rows = dict.fromkeys(range(7), 0)
    for _ in range(ROWS // 2):
        for seed in rows:
            rows[seed] = read_on(reading, seed, rows[seed], steps=1)
            opened, closed = (sum(entry[0] == kind for entry in log) for kind in ("open", "close"))
            assert opened - closed <= readings.MOST_READERS
    assert set(rows.values()) == {ROWS}


ERRORS = [
    GeneratorError("example 2"),
    as_kind(GeneratorError, ValueError)("example 2"),
    as_kind(GeneratorError, NotImplementedError)("example 2"),
    as_kind(GeneratorError, MemoryError)("example 2"),
    MismatchError("example 2"),
    WorkerError("worker 0 of 1"),
    as_kind(WorkerError, TypeError)("worker 0 of 1"),
]


@pytest.mark.parametrize(
    "error", ERRORS, ids=lambda e: "-".join(k.__name__ for k in type(e).mro()[:3])
)
def test_an_error_is_a_state_and_comes_back_as_what_it_was(log, error):
    reading = Reading(lambda seed, row: Counting(log, seed, row, {2: error}), NOTHING)
    row = read_on(reading, 1, steps=1)
    values, row, state, text = reading.read(1, row)
    assert state > Reading.CHUNK
    assert (values.size, row, text) == (0, 3, str(error).encode())
    again = Reading.error(int(state), text.decode())
    assert type(again) is type(error)
    assert str(again) == str(error)
    # It goes on after the error; only workers that have ended are started anew.
    read_on(reading, 1, int(row), steps=1)
    opened = [("open", 1, 0)] + [("open", 1, 3)] * isinstance(error, WorkerError)
    assert log == opened


def test_states_of_errors_differ():
    states = {readings._state(error) for error in ERRORS}
    assert len(states) == len(ERRORS)


class Bad:
    """Items of which some raise, and some do not match."""

    def __init__(self, raising=(), wrong=()):
        self.raising, self.wrong = raising, wrong

    def __getitem__(self, index):
        if index in self.raising:
            raise KeyError(index)
        return "wrong" if index in self.wrong else index


def chunks_of(source, first=0, count=ROWS, **options):
    plan = plan_of(chunk_rows=3, **options)
    rows = lambda: map(source.__getitem__, range(first, count))  # noqa: E731
    return Chunks(rows, plan, Workspace.of(plan.layout), first=first)


def events_of(chunks, limit=100):
    """For each chunk and error where it resumes, and what it is."""
    events = []
    for _ in range(limit):
        try:
            found = next(chunks)[0].tolist()
        except StopIteration:
            return events
        except (GeneratorError, MismatchError) as error:
            found = str(error).split(",")[0].split(":")[0]
        events.append((chunks.resumes_at, found))
    raise AssertionError("no end")


@pytest.mark.parametrize("chunk_batches", [1, 2, 5])
@pytest.mark.parametrize(
    ("raising", "wrong"),
    [((), ()), ((7,), ()), ((), (7,)), ((0, 1, 6), (2, 19)), ((2, 3), (4, 5, 11)), ((19,), ())],
)
def test_chunks_go_on_where_others_have_stopped(chunk_batches, raising, wrong):
    source = Bad(raising, wrong)
    events = events_of(chunks_of(source, chunk_batches=chunk_batches))
    rows = [row for _, found in events if isinstance(found, list) for row in found]
    assert not {*raising, *wrong} & {*rows}
    assert rows == sorted(rows)
    assert [f for _, f in events if isinstance(f, str)] == [
        f"example {row}" for row in sorted((*raising, *wrong))
    ]
    for number, (resumes_at, _) in enumerate(events):
        rest = events_of(chunks_of(source, resumes_at, chunk_batches=chunk_batches))
        assert rest == events[number + 1 :]


def test_a_failing_chunk_says_so():
    chunks = chunks_of(Bad(raising=(7,)), chunk_batches=5)
    assert next(chunks)[0].tolist() == list(range(6))
    assert chunks.is_failing
    assert chunks.resumes_at == 6  # another one would meet the error itself
    with pytest.raises(GeneratorError, match="example 7: KeyError: 7"):
        next(chunks)
    assert not chunks.is_failing
    assert chunks.resumes_at == 8


def test_a_row_of_a_new_shape_that_begins_a_batch_is_not_lost():
    rows = [np.zeros(2)] * 3 + [np.zeros(4)] * 3
    plan = plan_of([(np.float64, (None,))], 3, chunk_batches=2)
    chunks = Chunks(lambda: iter(rows), plan, Workspace.of(plan.layout))
    assert next(chunks)[0].shape == (3, 2)
    assert chunks.resumes_at == 3
    assert next(chunks)[0].shape == (3, 4)


def test_someone_may_look_and_end_the_reading():
    class Enough(BaseException):
        pass

    def look():
        if len(seen) > 1000:
            raise Enough

    seen = []
    plan = plan_of(chunk_rows=1 << 20)
    endless = (seen.append(1) or number for number in itertools.count())
    with pytest.raises(Enough):
        next(Chunks(lambda: endless, plan, Workspace.of(plan.layout), look=look))
