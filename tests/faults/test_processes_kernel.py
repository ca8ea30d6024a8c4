"""Workers of a notebook's kernel: defined in a cell, gone with a restart or an interrupt."""

import contextlib
import threading
import time
from pathlib import Path

import psutil
import pytest
from jupyter_client.manager import KernelManager

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("no_keras")]
SECONDS = 20

TESTS = Path(__file__).parents[1]

CELL = f"""
import sys
import time
sys.path.insert(0, {str(TESTS)!r})
from unit.pooling import open_pool

def fails():
    raise ValueError("from a cell")  # this line is in no file

def rows(shard, num_shards):
    while True:
        time.sleep(0.005)  # so that an interrupt meets the epoch waiting, not the loop around it
        yield shard
        if shard == stop_at:
            fails()

stop_at = None
pool = open_pool(rows)
epoch = pool.epoch()
print([next(epoch)[0].tolist() for _ in range(2)], pool.processes)
"""


class Notebook:
    """A kernel with a client."""

    def __init__(self):
        self.manager = KernelManager()
        self.manager.start_kernel()
        self.client = self.manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SECONDS)

    def run(self, code):
        """Runs a cell; its text output and its error, each as a string."""
        out, error = [], []

        def hook(message):
            content = message["content"]
            if message["msg_type"] == "stream":
                out.append(content["text"])
            elif message["msg_type"] == "error":
                error.append(f"{content['ename']}: {content['evalue']}")

        self.client.execute_interactive(code, timeout=SECONDS, output_hook=hook)
        return "".join(out), "".join(error)

    def close(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


@pytest.fixture
def notebook():
    notebook = Notebook()
    yield notebook
    notebook.close()


def start(notebook):
    out, error = notebook.run(CELL)
    assert error == ""
    assert out.startswith("[[0, 0, 0, 0], [1, 1, 1, 1]]")
    kernel = psutil.Process(notebook.manager.provisioner.pid)
    workers = [p for p in kernel.children() if "worker.py" in " ".join(p.cmdline())]
    assert len(workers) == 2
    return workers


def gone(processes):
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(psutil.NoSuchProcess):
            if any(p.is_running() and p.status() != psutil.STATUS_ZOMBIE for p in processes):
                time.sleep(0.01)
                continue
        return True
    return False


def test_a_restart_leaves_no_worker(notebook):
    workers = start(notebook)
    notebook.manager.restart_kernel(now=True)
    assert gone(workers)


def test_an_interrupt_and_an_error_in_a_cell(notebook):
    workers = start(notebook)
    interrupt = threading.Timer(0.5, notebook.manager.interrupt_kernel)
    interrupt.start()
    out, error = notebook.run("for chunk in epoch: pass")
    interrupt.join()
    assert (out, error) == ("", "KeyboardInterrupt: ")
    assert gone(workers)
    # The first line shows the line of the cell, which is in no file.
    out, error = notebook.run("stop_at = 1\nfor chunk in open_pool(rows).epoch(): pass")
    assert out == ""
    first = error.splitlines()[0]
    assert first.startswith("GeneratorError: example 1 of shard 1: ValueError: from a cell, at ")
    assert first.endswith('in fails: raise ValueError("from a cell")  # this line is in no file')
    out, error = notebook.run("del pool, epoch, chunk")
    assert (out, error) == ("", "")
