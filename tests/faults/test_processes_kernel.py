"""Workers of a notebook's kernel: defined in a cell, gone with a restart or an interrupt."""

import contextlib
import threading
import time

import psutil
import pytest
from jupyter_client.manager import KernelManager

pytestmark = pytest.mark.faults
SECONDS = 20

CELL = """
import os, sys, types
import numpy as np
import helpers
# Without the package's __init__, which takes seconds to import TensorFlow.
bridge = sys.modules["helpers.bridge"] = types.ModuleType("helpers.bridge")
bridge.__path__ = [os.path.join(helpers.__path__[0], "bridge")]
from helpers.bridge.processes import WorkerPool
from helpers.bridge.sharding import GeneratorShards

def fails():
    raise ValueError("from a cell")  # this line is in no file

def rows(shard, num_shards):
    while True:
        yield shard
        if shard == stop_at:
            fails()

stop_at = None
def make():
    return WorkerPool(GeneratorShards(rows), [(np.int64, ())], chunk_rows=4, num_workers=2)
pool = make()
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
    # The traceback shows the line, which is in no file, and comes once.
    out, error = notebook.run("stop_at = 1\nfor chunk in make().epoch(): pass")
    assert out == ""
    assert error.startswith("WorkerError: worker 1 of 2 (process ")
    assert 'raise ValueError("from a cell")  # this line is in no file' in error
    out, error = notebook.run("del pool, epoch, chunk")
    assert (out, error) == ("", "")
