"""A generator that raises is told of and read on; a worker that ends is one error, nothing left."""

import os
import re
import signal
import subprocess
import sys
import time

import cloudpickle
import numpy as np
import psutil
import pytest
from unit.pooling import (
    SCALAR,
    TEXT,
    closing_pools,
    descriptors,
    drain,
    gone,
    lanes_of,
    open_pool,
    source_shards,
    wait_for,
)

from helpers.bridge.errors import GeneratorError, MismatchError, WorkerError

pytestmark = pytest.mark.faults
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # as if written in a notebook


@pytest.fixture
def make_pool():
    with closing_pools() as make:
        yield make


def events_of(epoch, errors=(GeneratorError, MismatchError)):
    """The rows of each chunk of an epoch, and the texts of its errors, to its end."""
    events = []
    while True:
        try:
            events.append(next(epoch)[0].tolist())
        except errors as error:
            events.append(str(error))
        except StopIteration:
            return events


def only_error(events):
    """The text of the only error, with what came before and after it."""
    (place,) = (place for place, event in enumerate(events) if isinstance(event, str))
    return events[place], events[:place], events[place + 1 :]


def read_until_error(pool):
    """The rows that came before the end of a worker, its error, and the process ids."""
    rows, pids = [], []
    with pytest.raises(WorkerError) as caught:
        for chunk in pool.epoch(0):
            rows += list(chunk[0])
            pids = pool.processes
    assert gone(pids)  # all of them have ended when the error is raised
    assert pool.processes == []
    return rows, str(caught.value), pids


def fails_at(row, action):
    def rows(shard, num_shards):
        for k in range(shard, 100, num_shards):
            if k == row:
                action()
            yield k

    return rows


def inner_frame():
    raise KeyError("no such image")


@pytest.mark.parametrize("components", [SCALAR, TEXT], ids=["numbers", "pickled"])
def test_raise(make_pool, components):
    def rows(shard, num_shards):
        for k in range(shard, 24, num_shards):
            if k == 13:
                inner_frame()
            yield k if components == SCALAR else str(k)

    pool = make_pool(rows, components)
    pids = None
    for _ in range(2):
        message, before, after = only_error(events_of(pool.epoch(0)))
        # Shard 1 raises at its seventh row, in a batch of which two rows were good.
        numbers = [[int(x) for x in chunk] for chunk in before]
        assert numbers == [[0, 2, 4, 6], [1, 3, 5, 7], [8, 10, 12, 14]]
        # The other shard goes on; this one's generator has ended with its error.
        assert [[int(x) for x in chunk] for chunk in after] == [[16, 18, 20, 22]]
        first, *others = message.splitlines()
        assert first.startswith("example 6 of shard 1: KeyError: 'no such image', at ")
        assert first.endswith('in inner_frame: raise KeyError("no such image")')
        assert __file__ in first
        assert message.count("KeyError: 'no such image'") == 1
        assert [line for line in others if "in rows: inner_frame()" in line]
        for ours in ("filling.py", "worker.py", "chunks.py"):  # the user's code, and only that
            assert ours not in message
        pids = pids or pool.processes
        assert pool.processes == pids


def test_raise_in_the_middle_of_a_chunk_of_several_batches(make_pool):
    pool = make_pool(fails_at(50, inner_frame), chunk_batches=5, num_workers=1)
    message, before, after = only_error(events_of(pool.epoch(0)))
    assert [x for chunk in before for x in chunk] == list(range(48))  # its full batches
    assert message.startswith("example 50: KeyError")
    assert after == []


def test_an_error_comes_right_after_the_batches_before_it(make_pool):
    """Not after a chunk of another shard: the order is that of a chunk a turn."""
    pool = make_pool(fails_at(10, inner_frame), chunk_batches=2)
    events = events_of(pool.epoch(0))
    assert events[0] == [0, 2, 4, 6]
    assert events[1].startswith("example 5 of shard 0: KeyError")
    assert events[2] == [1, 3, 5, 7, 9, 11, 13, 15]


def test_an_iterator_that_goes_on_after_an_error_is_read_on(make_pool):
    class Rows:
        def __init__(self, shard):
            self.numbers = iter(range(10 * shard, 10 * shard + 10))

        def __iter__(self):
            return self

        def __next__(self):
            number = next(self.numbers)
            if number in (5, 16):
                raise KeyError(number)
            return number if number != 18 else "eighteen"

    def rows(shard, num_shards):
        return Rows(shard)

    events = events_of(make_pool(rows, chunk_rows=2).epoch(0))
    texts = [event if isinstance(event, list) else event.split(",")[0] for event in events]
    assert texts == [
        [0, 1],
        [10, 11],
        [2, 3],
        [12, 13],
        "example 5 of shard 0: KeyError: 5",
        [14, 15],
        [6, 7],
        "example 6 of shard 1: KeyError: 16",
        [8, 9],
        "example 8 of shard 1",
        [19],
    ]


def test_raise_with_a_cause(make_pool):
    def chained():
        try:
            inner_frame()
        except KeyError as error:
            raise RuntimeError("cannot read row") from error

    message, *_ = only_error(events_of(make_pool(fails_at(0, chained)).epoch(0)))
    first, *others = message.splitlines()
    assert first.startswith("example 0 of shard 0: RuntimeError: cannot read row, at ")
    assert "in chained: raise RuntimeError" in first
    (cause,) = (line for line in others if line.startswith("from "))
    assert cause.startswith("from KeyError: 'no such image', at ")
    assert "in inner_frame" in cause


def test_raise_before_the_first_row(make_pool):
    def broken(shard, num_shards):
        raise OSError(2, "No such file", "data.bin")

    epoch = make_pool(broken).epoch(0)
    for shard in (0, 1, 0, 1):  # as often as it is asked for, which is what tf.data does
        with pytest.raises(GeneratorError) as caught:
            next(epoch)
        first = str(caught.value).splitlines()[0]
        assert re.match(rf"example \d of shard {shard}: FileNotFoundError: .*data.bin", first)


@pytest.mark.parametrize("num_workers", [1, 2])
def test_raise_in_a_source(make_pool, num_workers):
    class Source:
        def __len__(self):
            return 20

        def __getitem__(self, index):
            return 1 // (index - 9)

    epoch = make_pool(source_shards(Source()), num_workers=num_workers).epoch(0)
    message, before, after = only_error(events_of(epoch))
    assert [x for chunk in before for x in chunk] == [1 // (k - 9) for k in range(8)]
    assert [x for chunk in after for x in chunk] == [1 // (k - 9) for k in range(10, 20)]
    first = message.splitlines()[0]
    assert first.startswith("example 9: ZeroDivisionError")
    assert "return 1 // (index - 9)" in first


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.zeros(3), "component 0: expected shape (2,), found shape (3,)"),
        (np.zeros(()), "component 0: expected shape (2,), found shape ()"),
        ("abc", "component 0: expected float32, found 'abc' of type str"),
    ],
)
def test_rows_of_another_shape_or_type(make_pool, value, message):
    def rows(shard, num_shards):
        yield np.ones(2)
        yield value  # here
        yield from 6 * [np.full(2, shard)]

    pool = make_pool(rows, [(np.dtype(np.float32), (2,))])
    for _ in range(2):
        errors, chunks = [], []
        for event in events_of(pool.epoch()):
            (errors if isinstance(event, str) else chunks).append(event)
        assert [error.partition(", ")[0] for error in errors] == [
            "example 1 of shard 0",
            "example 1 of shard 1",
        ]
        for error in errors:
            first = error.splitlines()[0]
            assert message in first
            assert f"yielded at {__file__}:" in first
            assert first.endswith(" in rows")
        assert [chunk[0][0] for chunk in chunks] == [0, 1, 0, 1]  # six rows a shard after it
        assert [len(chunk) for chunk in chunks] == [4, 4, 2, 2]


def test_rows_with_a_component_too_many(make_pool):
    def rows(shard, num_shards):
        yield 1, 2, 3

    error = "example 0 of shard 0, the row: expected 2 components, found 3"
    with pytest.raises(MismatchError, match=error):
        next(make_pool(rows, SCALAR * 2).epoch())


def test_sys_exit_is_an_error_of_its_row(make_pool):
    message, before, _ = only_error(
        events_of(make_pool(fails_at(12, lambda: sys.exit(7))).epoch(0))
    )
    rows = [int(row) for chunk in before for row in chunk]
    assert rows == [0, 2, 4, 6, 1, 3, 5, 7]  # the full batches before it
    assert message.startswith("example 6 of shard 0: SystemExit: 7, at ")
    assert "sys.exit(7)" in message


def test_os_exit(make_pool):
    rows, message, _ = read_until_error(make_pool(fails_at(9, lambda: os._exit(7))))
    assert rows[:8] == [0, 2, 4, 6, 1, 3, 5, 7]
    assert "worker 1 of 2" in message
    assert "exited with code 7 in the middle of an epoch" in message


def test_a_worker_that_kills_itself(make_pool):
    def suicide():
        os.kill(os.getpid(), signal.SIGKILL)

    _, message, _ = read_until_error(make_pool(fails_at(9, suicide)))
    assert "worker 1 of 2" in message
    assert "was killed by SIGKILL; when nobody did that, the machine was short of memory" in message


def test_a_worker_that_crashes(make_pool):
    def crash():
        os.kill(os.getpid(), signal.SIGSEGV)

    _, message, _ = read_until_error(make_pool(fails_at(0, crash)))
    assert "was killed by SIGSEGV" in message


def endless(shard, num_shards):
    while True:
        yield shard


def test_a_worker_killed_from_outside(make_pool):
    pool = make_pool(endless)
    epoch = pool.epoch()
    next(epoch)
    pids = pool.processes
    os.kill(pids[1], signal.SIGKILL)
    with pytest.raises(WorkerError, match=r"worker 1 of 2 .* was killed by SIGKILL"):
        while True:
            next(epoch)
    assert gone(pids)
    with pytest.raises(StopIteration):  # one error, not one each time it is asked
        next(epoch)


def test_a_worker_killed_while_the_parent_waits_for_it(make_pool):
    def stuck(shard, num_shards):
        yield from range(4)
        print("", end="")
        time.sleep(3600)

    pool = make_pool(stuck, num_workers=1)
    epoch = pool.epoch()
    next(epoch)
    killer = subprocess.Popen(["sh", "-c", f"sleep 0.3; kill -9 {pool.processes[0]}"])
    with pytest.raises(WorkerError, match="was killed by SIGKILL"):
        next(epoch)
    killer.wait()


def test_a_dead_worker_whose_pipe_stays_open(make_pool, tmp_path):
    """What a generator starts may inherit the pipes: their end then tells nothing."""

    def forks(shard, num_shards):
        yield from range(4)
        if shard == 1:
            pid = os.fork()
            if pid == 0:
                time.sleep(3600)
            (tmp_path / "fork").write_text(str(pid))
            os._exit(3)
        yield from range(4)

    pool = make_pool(forks)
    with pytest.raises(WorkerError, match=r"worker 1 of 2 .* exited with code 3"):
        list(pool.epoch())
    fork = int((tmp_path / "fork").read_text())
    wait_for(lambda: not psutil.pid_exists(fork) or is_zombie(fork))  # it ended with its worker


def is_zombie(pid):
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_worker_killed_between_epochs_is_replaced(make_pool):
    pool = make_pool(fails_at(-1, None))
    whole = drain(pool.epoch())
    pids = pool.processes
    lane = lanes_of(pool)[0]
    os.kill(pids[0], signal.SIGKILL)
    wait_for(lambda: lane._has_report(0))
    assert drain(pool.epoch()) == whole
    assert not set(pids) & set(pool.processes)
    assert gone(pids)


def test_workers_ignore_ctrl_c(make_pool):
    pool = make_pool(fails_at(-1, None))
    epoch = pool.epoch()
    rows = [row for _ in range(2) for row in next(epoch)[0].tolist()]  # both have started
    for pid in pool.processes:
        os.kill(pid, signal.SIGINT)
    rows += [row for chunk in epoch for row in chunk[0].tolist()]
    assert sorted(rows) == list(range(100))


def test_closing_in_the_middle(make_pool):
    pool = make_pool(endless)
    epoch = pool.epoch()
    kept = next(epoch)
    pids = pool.processes
    pool.close()
    assert gone(pids)
    assert kept[0].tolist() == [0] * 4
    with pytest.raises(WorkerError, match="were closed in the middle of an epoch"):
        while True:
            next(epoch)


def test_closing_a_worker_that_hangs(make_pool):
    def hangs(shard, num_shards):
        yield from range(4)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        time.sleep(3600)

    pool = make_pool(hangs)
    epoch = pool.epoch()
    next(epoch)
    pids = pool.processes
    pool.close()
    assert gone(pids)


def test_closing_runs_the_generators_clean_up(make_pool, tmp_path):
    def tidy(shard, num_shards):
        try:
            while True:
                yield shard
        finally:
            (tmp_path / str(shard)).touch()

    pool = make_pool(tidy)
    epoch = pool.epoch()
    assert [next(epoch)[0][0] for _ in range(2)] == [0, 1]
    pool.close()
    assert sorted(os.listdir(tmp_path)) == ["0", "1"]


def test_a_worker_that_cannot_be_started(make_pool, monkeypatch):
    pool = make_pool(endless)
    pool.parcel(())  # is kept for the next workers
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    before = descriptors()
    with pytest.raises(FileNotFoundError, match="/no/such/python"):
        next(pool.epoch())
    assert descriptors() <= before
    monkeypatch.undo()
    assert next(pool.epoch())[0].tolist() == [0] * 4


def test_a_module_that_the_worker_does_not_find(make_pool, monkeypatch, tmp_path):
    (tmp_path / "only_here.py").write_text("def rows(shard, num_shards):\n    yield shard\n")
    monkeypatch.syspath_prepend(tmp_path)
    import only_here

    pool = make_pool(only_here.rows)
    assert drain(pool.epoch()) == [[0], [1]]
    pool.close()
    (tmp_path / "only_here.py").unlink()
    with pytest.raises(WorkerError, match="ModuleNotFoundError: No module named 'only_here'"):
        next(pool.epoch())


def test_no_descriptor_is_left():
    before = descriptors()
    for close in (False, True, True):
        pool = open_pool(endless)
        kept = next(pool.epoch())
        if close:
            pool.close()
        del pool
        assert kept[0].tolist() == [0] * 4
        del kept
    assert descriptors() <= before
