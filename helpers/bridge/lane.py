"""One worker process, as its parent sees it: its pipes, its slots and its end."""

from __future__ import annotations

import collections
import contextlib
import functools
import os
import pickle
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import weakref
from typing import Any, NamedTuple

from helpers.bridge import errors, protocol
from helpers.bridge.errors import WorkerError
from helpers.bridge.sending import Parcel
from helpers.bridge.shared import SPARE_SLOTS, SlotLayout, Slots, clear_of_standard

STREAMED_BYTES = 32 << 10  # rows from this size on are written past the cache; see _environment
WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "worker.py")
STOP_SECONDS = 0.5  # how long a worker may take over its `finally` blocks before it is killed


class Report(NamedTuple):
    """What a worker told: see `protocol.REPORT`."""

    kind: int
    flags: int
    epoch: int
    slot: int
    rows: int
    next_row: int
    payload: bytes

    @property
    def stays(self) -> bool:
        """Whether the next report of this worker comes before those of the others."""
        return bool(self.flags & protocol.STAY)


class Lane:
    """A worker process with the slots that it fills.

    Args:
      layout: Layout of a slot.
      shard: Number of this worker.
      num_shards: Number of workers.
      max_slots: Most slots that it may have, more than `SPARE_SLOTS`.
      ahead: Whether it reads ahead; otherwise it fills a slot when it is asked for one.
    """

    def __init__(
        self, layout: SlotLayout, shard: int, num_shards: int, max_slots: int, ahead: bool
    ):
        self.shard = shard
        self.num_shards = num_shards
        self.epoch = protocol.NO_EPOCH  # the one that the worker has not finished yet
        self._wanted = protocol.NO_EPOCH  # the one whose reports are not stale
        self._parcel: Parcel | None = None  # the one that the worker has
        self._heard = False
        self._owner = os.getpid()
        self._stopped = False
        self._ended = False
        self._ending = threading.RLock()
        self._ahead = ahead
        self._idle_slots: collections.deque[int] = collections.deque()
        self._asked = False
        ours, theirs = socket.socketpair()
        orders = socket.socket(fileno=clear_of_standard(ours.detach()))
        orders_theirs = clear_of_standard(theirs.detach())
        # Without a reference to the lane, whose end closes the socket and the pipe.
        self._order = functools.partial(_order, orders, self._owner)
        free = functools.partial(self._order, protocol.FREE)
        self.slots = Slots(layout, max_slots, free if ahead else self._idle_slots.append)
        self._reports, reports_theirs = map(clear_of_standard, os.pipe())
        passed = (self.slots.fd, orders_theirs, reports_theirs)
        weakref.finalize(self, _close, orders, self._reports).atexit = False
        try:
            self.process = subprocess.Popen(
                [sys.executable, WORKER, str(shard), str(num_shards), str(os.getpid())]
                + [str(fd) for fd in passed],
                stdin=subprocess.DEVNULL,
                stdout=None if _is_open(1) else subprocess.DEVNULL,
                stderr=None if _is_open(2) else subprocess.DEVNULL,
                pass_fds=passed,
                env=_environment(num_shards, layout.largest_row),
                start_new_session=True,  # the terminal's Ctrl-C goes to the parent alone
            )
        finally:
            os.close(orders_theirs)
            os.close(reports_theirs)
            self.slots.close_fd()
        self.slots.open(SPARE_SLOTS + 1)

    def fileno(self) -> int:
        """Read end of the pipe of reports, to wait for several lanes at once."""
        return self._reports

    def start(self, epoch: int, seed: int, first: int, parcel: Parcel, as_it_is: bool) -> None:
        """Has the worker begin an epoch.

        Args:
          epoch: Its number, larger than that of any before.
          seed: Its seed.
          first: Number of the row with which to begin.
          parcel: What to do.
          as_it_is: Whether random generators in the parcel stay as they are.
        """
        self.epoch = self._wanted = epoch
        flags, fds = protocol.AS_IT_IS if as_it_is else 0, []
        if parcel is not self._parcel:
            self._parcel, flags, fds = parcel, flags | protocol.PARCEL, [parcel.fd]
        self._order(protocol.START, epoch, seed, first, flags=flags, fds=fds)

    def abandon(self) -> None:
        """Has the worker leave its epoch; `settle` tells when it has done so."""
        self._order(protocol.ABANDON, self.epoch)

    def settle(self, deadline: float) -> bool:
        """Waits for the worker to be idle, or to be on its way there.

        Args:
          deadline: When to give up, on the clock of time.monotonic.

        Returns:
          Whether the worker lives and can be given another epoch: it is idle, or it has not come as
          far as to read anything yet.
        """
        self._wanted = protocol.NO_EPOCH
        try:
            while self.epoch != protocol.NO_EPOCH:
                seconds = deadline - time.monotonic() if self._heard else 0
                if not self._has_report(seconds):
                    if self._heard:
                        return False
                    break
                if self._discard(self._read()):
                    return False
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
        """Waits for the next report of the epoch.

        Raises:
          WorkerError: The worker is gone, or cannot do its work.
        """
        while True:
            self.slots.take_back()
            if not self._ahead and not self._asked and self._idle_slots:
                self._asked = True
                self._order(protocol.FREE, self._idle_slots.popleft())
            while not self._has_report(protocol.CHECK_SECONDS):
                self.check()
            report = self._read()
            if report.kind == protocol.ERROR and report.flags & protocol.FATAL:
                _, kind, text = pickle.loads(report.payload)
                raise errors.as_kind(WorkerError, kind)(f"{self} ended with {text}")
            if report.epoch == self._wanted and report.kind != protocol.ERROR:
                return report
            self._discard(report)
            if report.epoch == self._wanted:
                return report

    def _discard(self, report: Report) -> bool:
        """Takes back the slot that a report is about; whether it tells of the worker's end."""
        is_fatal = report.kind == protocol.ERROR and bool(report.flags & protocol.FATAL)
        if report.kind in (protocol.CHUNK, protocol.ERROR) and not is_fatal:
            self.slots.put_back(report.slot)
        return is_fatal

    def error(self, report: Report) -> Exception:
        """Gives the error that a report is about."""
        name, kind, text = pickle.loads(report.payload)
        error_type = getattr(errors, name, None)
        if error_type is None:
            return errors.as_kind(WorkerError, kind)(f"{self}: {name}: {text}")
        return errors.as_kind(error_type, kind)(text)

    def chunk(self, report: Report) -> list:
        """Lends out the chunk that a report is about.

        Returns:
          For each component an array over shared memory (its slot is filled again once nothing
          refers to any array of the chunk), or what has come pickled.
        """
        pickled = iter(pickle.loads(report.payload) if report.payload else ())
        arrays = self.slots.lend(report.slot, report.rows)
        return [next(pickled) if array is None else array for array in arrays]

    def stop(self) -> None:
        """Asks the worker to end; `end` waits for it."""
        self._stopped = True
        self._order(protocol.STOP)

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
        *fields, size = protocol.REPORT.unpack(self._read_bytes(protocol.REPORT.size))
        report = Report(*fields, self._read_bytes(size) if size else b"")
        self._heard = True
        if report.kind in (protocol.CHUNK, protocol.ERROR):
            self._asked = False
        if report.kind == protocol.DONE and report.epoch == self.epoch:
            self.epoch = protocol.NO_EPOCH
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


def _order(
    orders: socket.socket,
    owner: int,
    kind: int,
    number: int = 0,
    seed: int = 0,
    first: int = 0,
    *,
    flags: int = 0,
    fds: Any = (),
) -> None:
    # Never blocks: the socket has room for an order a slot. A worker that is gone is noticed where
    # its reports are read. A fork of the parent has no say.
    if os.getpid() == owner:
        with contextlib.suppress(OSError):
            socket.send_fds(
                orders, [protocol.ORDER.pack(kind, flags, number, seed, first)], list(fds)
            )


def _close(orders: socket.socket, reports: int) -> None:
    orders.close()
    os.close(reports)


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


def _environment(num_shards: int, row_bytes: int) -> dict[str, str]:
    """What a worker finds in its environment, unless the user has set it.

    Args:
      num_shards: Number of workers, among whose numeric libraries the cores are shared out.
      row_bytes: Bytes of the largest component of a row.
    """
    threads = str(max(1, (os.cpu_count() or 1) // num_shards))
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    defaults = dict.fromkeys(names, threads)
    # glibc returns the top of its heap to the system when more than a threshold is free, and the
    # next row takes it again, a page fault for each page. The threshold follows the largest block
    # that was freed, so that it differs by chance of the process; these values are those at which
    # it stops to (mallopt(3), M_TRIM_THRESHOLD and M_MMAP_THRESHOLD).
    tunables = {"malloc.trim_threshold": 64 << 20, "malloc.mmap_threshold": 32 << 20}
    if row_bytes >= STREAMED_BYTES:
        # A slot is read by another process, later: glibc's memcpy writes such rows past the cache
        # (non-temporal stores, x86 only), so that their memory is not read into it first.
        tunables["cpu.x86_non_temporal_threshold"] = row_bytes
    each = (f"glibc.{name}={value}" for name, value in tunables.items())
    defaults["GLIBC_TUNABLES"] = ":".join(each)
    return {**defaults, **os.environ}
