"""One worker process, as its parent sees it: its pipes, its slots and its end."""

from __future__ import annotations

import contextlib
import functools
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
import weakref
from typing import NamedTuple

import numpy as np

from helpers.bridge import worker
from helpers.bridge.shared import SPARE_SLOTS, SlotLayout, Slots

STREAMED_BYTES = 32 << 10  # rows from this size on are written past the cache; see _environment
STOP_SECONDS = 0.5  # how long a worker may take over its `finally` blocks before it is killed


class WorkerError(RuntimeError):
    """A worker process raised, exited or was killed. Its message holds the worker's traceback."""


@functools.cache
def _error_type(kind: type[Exception]) -> type[WorkerError]:
    """The WorkerError that is of this kind too: TensorFlow goes by the kind."""
    return WorkerError if kind is RuntimeError else type("WorkerError", (WorkerError, kind), {})


class Report(NamedTuple):
    """What a worker told: see `worker.REPORT`."""

    kind: int
    epoch: int
    slot: int
    rows: int
    payload: bytes


class Lane:
    """A worker process with the slots that it fills.

    Args:
      setup_fd: What the worker is to do, as `crew` writes it.
      layout: Layout of a slot.
      shard: Number of this worker.
      num_shards: Number of workers.
      max_slots: Most slots that it may have, more than `SPARE_SLOTS`.
    """

    def __init__(
        self, setup_fd: int, layout: SlotLayout, shard: int, num_shards: int, max_slots: int
    ):
        self.shard = shard
        self.num_shards = num_shards
        self.epoch = worker.NO_EPOCH  # the one that the worker has not finished yet
        self._owner = os.getpid()
        self._stopped = False
        self._ended = False
        self._ending = threading.RLock()
        orders_read, orders_write = os.pipe()
        # Without a reference to the lane, whose end closes the pipes.
        self._order = functools.partial(_order, orders_write, self._owner)
        self.slots = Slots(layout, max_slots, functools.partial(self._order, worker.FREE))
        self._reports, reports_write = os.pipe()
        theirs = (setup_fd, self.slots.fd, orders_read, reports_write)
        weakref.finalize(self, _close, orders_write, self._reports).atexit = False
        try:
            self.process = subprocess.Popen(
                [sys.executable, worker.__file__, str(shard), str(num_shards), str(os.getpid())]
                + [str(fd) for fd in theirs],
                stdin=subprocess.DEVNULL,
                pass_fds=theirs,
                env=_environment(num_shards, layout.largest_row),
                start_new_session=True,  # the terminal's Ctrl-C goes to the parent alone
            )
        finally:
            _close(orders_read, reports_write)
            self.slots.close_fd()
        self.slots.open(SPARE_SLOTS + 1)

    def fileno(self) -> int:
        """Read end of the pipe of reports, to wait for several lanes at once."""
        return self._reports

    def start(self, epoch: int, seed: int) -> None:
        """Has the worker begin an epoch."""
        self.epoch = epoch
        self._order(worker.START, epoch, seed)

    def abandon(self) -> None:
        """Has the worker leave its epoch; `settle` tells when it has done so."""
        self._order(worker.ABANDON)

    def settle(self, deadline: float) -> bool:
        """Discards reports until the worker is idle.

        Args:
          deadline: When to give up, on the clock of time.monotonic.

        Returns:
          Whether the worker lives and is idle.
        """
        try:
            while self.epoch != worker.NO_EPOCH:
                if not self._has_report(deadline - time.monotonic()):
                    return False
                report = self._read()
                if report.kind == worker.ERROR:
                    return False
                if report.kind == worker.CHUNK:
                    self._order(worker.FREE, report.slot)
        except WorkerError:
            return False
        return self.process.poll() is None and not self._has_report(0)  # nor at its end

    def check(self) -> None:
        """Raises WorkerError when the worker is gone and the pipe does not tell.

        A process that the generator started may hold the pipe open after the worker's end.
        """
        if self.process.poll() is not None and not self._has_report(0):
            raise self._gone()

    def receive(self) -> Report:
        """Waits for the next report.

        Raises:
          WorkerError: The worker raised, or is gone.
        """
        self.slots.take_back()
        while not self._has_report(worker.CHECK_SECONDS):
            self.check()
        report = self._read()
        if report.kind == worker.ERROR:
            line, text, kind = pickle.loads(report.payload)
            raise _error_type(kind)(f"{self} raised {line}\n\nTraceback in the worker:\n{text}")
        return report

    def chunk(self, report: Report) -> tuple[np.ndarray | list, ...]:
        """Lends out the chunk that a report is about.

        Returns:
          For each component an array over shared memory (its slot is filled again once nothing
          refers to any array of the chunk), or a list of the rows' values if it travels pickled.
        """
        lists = iter(pickle.loads(report.payload) if report.payload else ())
        arrays = self.slots.lend(report.slot, report.rows)
        return tuple(next(lists) if array is None else array for array in arrays)

    def stop(self) -> None:
        """Asks the worker to end; `end` waits for it."""
        self._stopped = True
        self._order(worker.STOP)

    def end(self, deadline: float) -> None:
        """Waits for the worker's end and kills what is left of it, and of what it started.

        Args:
          deadline: When to kill, on the clock of time.monotonic.
        """
        if os.getpid() != self._owner:  # a fork of the parent has copies of the pipes, but no say
            return
        with self._ending:  # whoever else ends it waits, too, until it is gone
            if not self._ended:  # after that, another process may have its number
                self._ended = True
                self._end(deadline)

    def _end(self, deadline: float) -> None:
        with contextlib.suppress(OSError):
            while self._has_report(deadline - time.monotonic()):
                if not os.read(self._reports, 1 << 16):
                    break
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(max(0.0, deadline - time.monotonic()))
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def _has_report(self, seconds: float) -> bool:
        """Waits for a report, or for the end of the pipe."""
        poller = select.poll()  # threads must not share one
        poller.register(self._reports, select.POLLIN)
        return bool(poller.poll(max(0.0, seconds) * 1000))

    def _read(self) -> Report:
        *fields, size = worker.REPORT.unpack(self._read_bytes(worker.REPORT.size))
        report = Report(*fields, self._read_bytes(size) if size else b"")
        if report.kind != worker.CHUNK:
            self.epoch = worker.NO_EPOCH
        return report

    def _read_bytes(self, size: int) -> bytes | bytearray:
        data = os.read(self._reports, size)
        if len(data) == size:
            return data
        parts = bytearray(data)
        while len(parts) < size:
            data = os.read(self._reports, min(size - len(parts), 1 << 20))
            if not data:
                raise self._gone()
            parts += data
        return parts

    def _gone(self) -> WorkerError:
        if self._stopped:
            return WorkerError("the worker processes were closed in the middle of an epoch")
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            return WorkerError(f"{self} closed its pipe")
        if code >= 0:
            return WorkerError(
                f"{self} exited with code {code} in the middle of an epoch; "
                "a generator ends with return, not by ending its process"
            )
        name = signal.Signals(-code).name
        hint = {
            signal.SIGKILL: "; when nobody did that, the machine was short of memory",
            signal.SIGBUS: "; that happens when there is no memory left to share",
        }.get(-code, "")
        return WorkerError(f"{self} was killed by {name}{hint}")

    def __str__(self) -> str:
        return f"worker {self.shard} of {self.num_shards} (process {self.process.pid})"


def _order(fd: int, owner: int, kind: int, number: int = 0, seed: int = 0) -> None:
    # Never blocks: the pipe has room for an order a slot. A worker that is gone is noticed where
    # its reports are read. A fork of the parent has no say.
    if os.getpid() == owner:
        with contextlib.suppress(OSError):
            os.write(fd, worker.ORDER.pack(kind, number, seed))


def _close(*fds: int) -> None:
    for fd in fds:
        os.close(fd)


def _environment(num_shards: int, row_bytes: int) -> dict[str, str]:
    """What a worker finds in its environment, unless the user has set it.

    Args:
      num_shards: Number of workers, among whose numeric libraries the cores are shared out.
      row_bytes: Bytes of the largest component of a row.
    """
    threads = str(max(1, (os.cpu_count() or 1) // num_shards))
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    defaults = dict.fromkeys(names, threads)
    if row_bytes >= STREAMED_BYTES:
        # A slot is read by another process, later: glibc's memcpy writes such rows past the cache
        # (non-temporal stores, x86 only), so that their memory is not read into it first.
        defaults["GLIBC_TUNABLES"] = f"glibc.cpu.x86_non_temporal_threshold={row_bytes}"
    return {**defaults, **os.environ}
