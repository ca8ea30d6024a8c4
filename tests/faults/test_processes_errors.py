"""A worker that raises, exits, hangs or is killed: one clear error, and nothing is left."""

import os
import signal
import subprocess
import sys
import time

import cloudpickle
import numpy as np
import psutil
import pytest

from helpers.bridge.processes import WorkerError, WorkerPool
from helpers.bridge.sharding import GeneratorShards, SourceShards

pytestmark = pytest.mark.faults
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # as if written in a notebook

SCALAR = [(np.dtype(np.int64), ())]
SECONDS = 20  # for everything that is waited for


def wait_for(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "condition not met in time"
        time.sleep(0.01)


def gone(pids):
    return not any(psutil.pid_exists(pid) for pid in pids)


@pytest.fixture
def make_pool():
    pools = []

    def make(rows, components=SCALAR, *, num_workers=2, **options):
        shards = rows if isinstance(rows, SourceShards) else GeneratorShards(rows)
        pools.append(
            WorkerPool(shards, components, chunk_rows=4, num_workers=num_workers, **options)
        )
        return pools[-1]

    yield make
    for pool in pools:
        pids = pool.processes
        pool.close()
        assert gone(pids)


def read_until_error(pool):
    """The rows that came before the error, the error, and the process ids of the workers."""
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


def test_raise(make_pool):
    pool = make_pool(fails_at(13, inner_frame))
    for _ in range(2):  # a pool can be used again, and fails again
        rows, message, _ = read_until_error(pool)
        # Shard 1 raises at its seventh row: two rows of that chunk were good. Shard 0 came before.
        assert rows == [0, 2, 4, 6, 1, 3, 5, 7, 8, 10, 12, 14, 9, 11]
        assert "worker 1 of 2 (process " in message
        assert "raised KeyError: 'no such image'" in message
        assert 'raise KeyError("no such image")' in message
        assert "in inner_frame" in message
        assert "worker.py" not in message  # the traceback begins in the reader's code
        assert message.count("KeyError: 'no such image'") == 2  # its line, and the traceback's


def test_raise_with_a_cause(make_pool):
    def chained():
        try:
            inner_frame()
        except KeyError as error:
            raise RuntimeError("cannot read row") from error

    _, message, _ = read_until_error(make_pool(fails_at(0, chained)))
    assert "raised RuntimeError: cannot read row" in message
    assert "no such image" in message
    assert "direct cause" in message


def test_raise_before_the_first_row(make_pool):
    def broken(shard, num_shards):
        raise OSError(2, "No such file", "data.bin")

    rows, message, _ = read_until_error(make_pool(broken))
    assert rows == []
    assert "worker 0 of 2" in message
    assert "data.bin" in message


def test_raise_in_a_source(make_pool):
    class Source:
        def __len__(self):
            return 20

        def __getitem__(self, index):
            return 1 // (index - 9)

    rows, message, _ = read_until_error(make_pool(SourceShards(Source(), 4)))
    assert len(rows) == 9
    assert "ZeroDivisionError" in message
    assert "return 1 // (index - 9)" in message


@pytest.mark.parametrize("pickled", [False, True])
def test_raise_with_payloads_under_way(make_pool, pickled):
    components = [None] if pickled else SCALAR
    rows, message, _ = read_until_error(make_pool(fails_at(50, inner_frame), components))
    assert len(rows) == 49
    assert "KeyError" in message


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            np.zeros(3),
            r"example 1 of shard 0, component 0: expected shape \(2,\), found shape \(3,\)",
        ),
        (
            np.zeros(()),
            r"example 1 of shard 0, component 0: expected shape \(2,\), found shape \(\)",
        ),
        ("abc", "abc"),
    ],
)
def test_rows_of_another_shape_or_type(make_pool, value, message):
    def rows(shard, num_shards):
        yield np.ones(2)
        yield value

    with pytest.raises(WorkerError, match=message):
        list(make_pool(rows, [(np.dtype(np.float32), (2,))]).epoch())


def test_rows_with_a_component_too_many(make_pool):
    def rows(shard, num_shards):
        yield 1, 2

    with pytest.raises(WorkerError, match="example 0 of shard 0, expected 1 components, found 2"):
        list(make_pool(rows, unpack=tuple).epoch())


def test_sys_exit(make_pool):
    rows, message, _ = read_until_error(make_pool(fails_at(4, lambda: sys.exit(7))))
    assert rows == [0, 2]
    assert "raised SystemExit: 7" in message


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


@pytest.mark.parametrize("ordered", [True, False])
def test_a_worker_killed_from_outside(make_pool, ordered):
    pool = make_pool(endless, ordered=ordered)
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


@pytest.mark.parametrize("ordered", [True, False])
def test_a_dead_worker_whose_pipe_stays_open(make_pool, ordered, tmp_path):
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
        time.sleep(3600 if not ordered else 0)

    pool = make_pool(forks, ordered=ordered)
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
    whole = [chunk[0].tolist() for chunk in pool.epoch()]
    pids = pool.processes
    lane = next(iter(pool._crews)).lanes[0]
    os.kill(pids[0], signal.SIGKILL)
    wait_for(lambda: lane._has_report(0))
    assert [chunk[0].tolist() for chunk in pool.epoch()] == whole
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
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    before = psutil.Process().num_fds()
    with pytest.raises(FileNotFoundError, match="/no/such/python"):
        next(pool.epoch())
    assert psutil.Process().num_fds() == before
    monkeypatch.undo()
    assert next(pool.epoch())[0].tolist() == [0] * 4


def test_a_module_that_the_worker_does_not_find(make_pool, monkeypatch, tmp_path):
    (tmp_path / "only_here.py").write_text("def rows(shard, num_shards):\n    yield shard\n")
    monkeypatch.syspath_prepend(tmp_path)
    import only_here

    pool = make_pool(only_here.rows)
    assert [chunk[0].tolist() for chunk in pool.epoch()] == [[0], [1]]
    pool.close()
    (tmp_path / "only_here.py").unlink()
    with pytest.raises(WorkerError, match="ModuleNotFoundError: No module named 'only_here'"):
        next(pool.epoch())


def test_no_descriptor_is_left(make_pool):
    process = psutil.Process()
    make_pool(endless).close()
    before = process.num_fds()
    for _ in range(3):
        pool = make_pool(endless)
        kept = next(pool.epoch())
        pool.close()
        del kept
    assert process.num_fds() == before
