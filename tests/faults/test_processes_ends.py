"""However the parent ends, nothing is left: no process, no shared memory, no word on stderr."""

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("no_keras")]
ROOT = Path(__file__).parents[2]
SECONDS = 30  # for everything that is waited for

PREAMBLE = f"""
import functools, gc, os, sys, time
import numpy as np
sys.path.insert(0, {str(ROOT / "tests")!r})
from unit.pooling import open_pool
assert "tensorflow" not in sys.modules

def endless(shard, num_shards):
    row = np.full((64, 64), shard, np.float32)
    while True:
        yield row

def slow(shard, num_shards):
    yield np.zeros((64, 64), np.float32)
    time.sleep(3600)

def short(shard, num_shards):
    for _ in range(20):
        yield np.zeros((64, 64), np.float32)

def make_pool(rows=endless):
    return open_pool(rows, [(np.dtype(np.float32), (64, 64))], chunk_rows=1)

def ready():  # the test takes down the process ids before it goes on
    print("ready", flush=True)
    sys.stdin.readline()
"""


def wait_for(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "condition not met in time"
        time.sleep(0.01)


def is_alive(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Script:
    """A process that runs a script with worker processes below it."""

    def __init__(self, text):
        self.process = subprocess.Popen(
            [sys.executable, "-c", PREAMBLE + textwrap.dedent(text)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        self.children = []

    def go_on(self, workers=2):
        """Waits for the script's `ready()` and lets it go on."""
        assert self.process.stdout.readline() == "ready\n", self.process.stderr.read()
        self.children = psutil.Process(self.process.pid).children(recursive=True)
        assert len(self.children) == workers
        for child in self.children:
            assert "worker.py" in " ".join(child.cmdline())
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def finish(self):
        """Waits for its end; what it wrote and its exit code, once all is gone."""
        out, err = self.process.communicate(timeout=SECONDS)
        wait_for(lambda: not any(is_alive(child) for child in self.children))
        return out, err, self.process.returncode


@pytest.fixture
def run():
    scripts = []

    def start(text):
        scripts.append(Script(text))
        return scripts[-1]

    yield start
    for script in scripts:
        for process in script.children:
            if is_alive(process):
                process.kill()
        script.process.kill()
        script.process.communicate()


NOTHING = ("", "", 0)


def test_normal_end(run):
    script = run("""
        pool = make_pool(short)
        assert len(list(pool.epoch())) == 40
        ready()
        assert len(list(pool.epoch())) == 40
    """)
    script.go_on()
    assert script.finish() == NOTHING


@pytest.mark.skipif(not os.path.isdir("/proc/self/map_files"), reason="reads /proc")
def test_the_shared_memory_has_no_name(run):
    script = run("""
        epoch = make_pool().epoch()
        kept = [next(epoch) for _ in range(30)]
        ready()
    """)
    assert script.process.stdout.readline() == "ready\n"
    parent = psutil.Process(script.process.pid)
    script.children = parent.children()
    for process in (parent, *script.children):
        maps = Path(f"/proc/{process.pid}/maps").read_text().splitlines()
        shared = [line for line in maps if line.split()[1].endswith("s")]
        assert any("memfd:tfdata-workbook (deleted)" in line for line in shared)
        assert not [line for line in shared if "/dev/shm" in line]
    script.process.kill()
    script.finish()


@pytest.mark.parametrize(
    "held",
    [
        "epoch",  # an iterator that is half way
        "chunks = [next(epoch) for _ in range(30)]",  # leases and copies
        "sys.modules['held'] = next(epoch), epoch, pool",  # until the very end
    ],
)
def test_end_in_the_middle(run, held):
    script = run(f"""
        pool = make_pool()
        epoch = pool.epoch()
        next(epoch), next(epoch)
        {held}
        ready()
    """)
    script.go_on()
    assert script.finish() == NOTHING


def test_end_with_a_thread_that_waits_for_a_row(run):
    script = run("""
        import threading
        pool = make_pool(slow)
        epoch = pool.epoch()
        next(epoch), next(epoch)
        def wait():
            try:
                next(epoch)
            except Exception as error:
                assert "closed in the middle" in str(error)
        threading.Thread(target=wait, daemon=True).start()
        ready()
    """)
    script.go_on()
    assert script.finish() == NOTHING


def test_end_by_an_error(run):
    script = run("""
        epoch = make_pool().epoch()
        next(epoch), next(epoch)
        ready()
        raise SystemExit("an error of the reader's own")
    """)
    script.go_on()
    assert script.finish() == ("", "an error of the reader's own\n", 1)


def test_del(run):
    script = run("""
        pool = make_pool()
        epoch = pool.epoch()
        chunk = next(epoch)
        pids = pool.processes
        ready()
        del pool
        assert all(os.path.exists(f"/proc/{pid}") for pid in pids)  # the iterator needs them
        next(epoch)
        del epoch
        gc.collect()
        assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
        assert (chunk[0] == 0).all()
    """)
    script.go_on()
    assert script.finish() == NOTHING


def test_drop_without_a_collection(run):
    script = run("""
        gc.disable()
        pool = make_pool()
        for _ in range(3):
            epoch = pool.epoch()
            next(epoch)
            del epoch
        pids = pool.processes
        assert len(pids) == 2
        ready()
        del pool
        assert not any(os.path.exists(f"/proc/{pid}") for pid in pids)
    """)
    script.go_on()
    assert script.finish() == NOTHING


@pytest.mark.parametrize("rows", ["endless", "slow"])
@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGTERM])
def test_the_parent_is_killed(run, rows, sign):
    script = run(f"""
        pool = make_pool({rows})
        epoch = pool.epoch()
        next(epoch), next(epoch)
        ready()
        for chunk in epoch:
            pass
    """)
    script.go_on()
    script.process.send_signal(sign)
    assert script.finish() == ("", "", -sign)


def test_the_parent_is_killed_while_its_workers_start(run):
    script = run("""
        import psutil, threading
        epoch = make_pool().epoch()
        threading.Thread(target=next, args=(epoch,), daemon=True).start()
        while len(psutil.Process().children()) < 2:
            time.sleep(0.001)
        os.kill(os.getpid(), 9)
    """)
    pid = script.process.pid
    out, err, code = script.finish()
    assert (out, err, code) == ("", "", -signal.SIGKILL)
    # Their command line names their parent.
    wait_for(lambda: not [p for p in psutil.process_iter() if is_worker_of(pid, p)])


def is_worker_of(pid, process):
    try:
        command = process.cmdline()
    except psutil.Error:
        return False
    return len(command) > 4 and command[1].endswith("worker.py") and command[4] == str(pid)


def test_the_parent_is_killed_and_a_fork_of_it_lives_on(run):
    """The fork holds the pipes open, so that they do not tell the workers."""
    script = run("""
        epoch = make_pool().epoch()
        next(epoch), next(epoch)
        ready()
        if os.fork() == 0:
            os.close(0), os.close(1), os.close(2)
            time.sleep(3600)
        print("forked", flush=True)
        time.sleep(3600)
    """)
    script.go_on()
    assert script.process.stdout.readline() == "forked\n"
    children = psutil.Process(script.process.pid).children()
    (fork,) = set(children) - set(script.children)
    script.process.kill()
    try:
        assert script.finish() == ("", "", -signal.SIGKILL)
        assert is_alive(fork)
    finally:
        fork.kill()


@pytest.mark.parametrize("rows", ["endless", "slow"])
def test_ctrl_c(run, rows):
    script = run(f"""
        pool = make_pool({rows})
        try:
            epoch = pool.epoch()
            next(epoch), next(epoch)
            ready()
            for chunk in epoch:
                pass
        except KeyboardInterrupt:
            print("interrupted", pool.processes)
        if {rows} is endless:
            assert len(next(pool.epoch())) == 1  # and on with new workers
    """)
    script.go_on()
    # As a terminal does: to every process of the group.
    os.killpg(script.process.pid, signal.SIGINT)
    out, err, code = script.finish()
    assert out.startswith("interrupted")
    assert (err, code) == ("", 0)


def test_ctrl_c_that_nobody_catches(run):
    script = run("""
        epoch = make_pool(slow).epoch()
        next(epoch), next(epoch)
        ready()
        next(epoch)
    """)
    script.go_on()
    os.killpg(script.process.pid, signal.SIGINT)
    out, err, code = script.finish()
    assert (out, code) == ("", -signal.SIGINT)
    assert err.count("Traceback") == 1
    assert err.endswith("KeyboardInterrupt\n")


def test_a_fork_does_not_end_the_workers(run):
    script = run("""
        pool = make_pool()
        epoch = pool.epoch()
        next(epoch), next(epoch)
        ready()
        pid = os.fork()
        if pid == 0:
            pool.close()
            del pool, epoch
            sys.exit(0)
        assert os.waitpid(pid, 0)[1] == 0
        for _ in range(100):
            next(epoch)
    """)
    script.go_on()
    assert script.finish() == NOTHING


def test_memory_stays_flat(run):
    script = run("""
        import psutil
        pool = make_pool()
        epoch = pool.epoch()
        next(epoch), next(epoch)
        ready()
        def everything():
            processes = [psutil.Process(), *psutil.Process().children()]
            return sum(p.memory_info().rss for p in processes)
        for _ in range(2000):
            next(epoch)
        before = everything()
        for _ in range(8000):
            next(epoch)
        grown = everything() - before
        assert grown < 2_000_000, grown  # 8000 chunks are 130 MB
    """)
    script.go_on()
    assert script.finish() == NOTHING
