"""Worker processes that fill shared-memory slots, which TensorFlow aliases.

One Python process runs one row generator at a time; several processes run several. Each worker
process fills slots of shared memory with the rows of its shard, the parent hands the slots out as
arrays without a copy, and a slot is filled again when nothing refers to its arrays any more.
"""

from __future__ import annotations

import atexit
import contextlib
import math
import secrets
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence

from helpers.bridge import protocol
from helpers.bridge.chunks import CHUNK_BYTES, Plan
from helpers.bridge.crew import Crew
from helpers.bridge.errors import WorkerError
from helpers.bridge.sending import Parcel, check_sendable
from helpers.bridge.sharding import Stretch, Turn
from helpers.bridge.shared import SPARE_SLOTS, SlotLayout
from helpers.bridge.spent import Watch
from helpers.quiet import sources_in_no_file

Shards = Callable[[Turn, Sequence], Iterable[Stretch]]  # a worker's turn, arguments -> its rows

MAX_SLOTS = 8  # a worker
LOOKING = 0.05  # share of an epoch's time that may pass looking at whether arrays have changed
EXIT_SECONDS = 2.0  # at the end of the program, how long it waits for TensorFlow's threads, and
QUIET_SECONDS = 0.05  # how long none of them enters Python before it goes on

_pools: weakref.WeakSet[WorkerPool] = weakref.WeakSet()
_at_end = threading.Event()  # set when the program is about to end


class WorkerPool:
    """Worker processes that live on from epoch to epoch.

    They start with the first epoch. An epoch that begins while another one is still being read
    gets workers of its own. Nothing is left of the workers when the pool is closed, deleted or its
    process ends, however it ends. `print` in a worker goes where the parent's standard output goes.

    Args:
      shards: What each worker reads in an epoch; see `helpers.bridge.sharding`.
      plan: How rows become chunks.
      num_workers: Number of processes, which is the number of shards.
      ahead: Whether workers read ahead of what they are asked for.
      max_slots: Most slots a worker has; with all but two of them on lease, chunks are copied.

    Raises:
      ValueError: A number is out of range, or the system is Windows.
    """

    def __init__(
        self,
        shards: Shards,
        plan: Plan,
        *,
        num_workers: int,
        ahead: bool = True,
        max_slots: int = MAX_SLOTS,
    ):
        if sys.platform == "win32":
            raise ValueError(
                "num_workers needs Linux or macOS: Windows does not hand memory and pipes on to "
                "new processes in this way; use num_workers=0, or WSL"
            )
        for name, value, least in (
            ("num_workers", num_workers, 1),
            ("max_slots", max_slots, SPARE_SLOTS + 1),
        ):
            if value < least:
                raise ValueError(f"{name} must be at least {least}, not {value}")
        self._shards = shards
        self._plan = plan
        self._layout = SlotLayout.of(
            [(c.dtype, c.shape) if c.fits_slots else None for c in plan.layout.components],
            _chunk_rows(plan),
        )
        self._num_workers = num_workers
        self._ahead = ahead
        self._max_slots = max_slots
        self._parcel: Parcel | None = None
        self._crews: set[Crew] = set()
        self._idle: list[Crew] = []
        self._leaving: list[Crew] = []  # still at the row at which their epoch was abandoned
        self._has_started = False
        self.watch = Watch()
        self.epoch_seconds = 0.0  # how long the last epoch took
        weakref.finalize(self, _close_all, self._crews).atexit = False  # see _close_pools
        _pools.add(self)

    def epoch(self, seed: int | None = None, *, first: int = 0, args: Sequence = ()) -> Epoch:
        """Runs one epoch, with its first chunk at the earliest.

            Workers see what the generator refers to as it is when the epoch starts.

        Args:
          seed: The same seed gives the same epoch: each worker seeds `random` and `numpy.random`
            with a number drawn from it and its shard. Not negative; None for a new one each time.
          first: Row of a source with which to begin.
          args: Arguments of a generator.
        """
        seed = secrets.randbits(32) if seed is None else seed
        if not 0 <= seed < 1 << 64:
            raise ValueError(f"seed must be between 0 and 2**64 - 1, not {seed}")
        return Epoch(self, seed, first, args)

    def close(self) -> None:
        """Ends all workers; chunks on lease stay good, and another epoch starts new workers."""
        self._idle.clear()
        self._leaving.clear()
        _close_all(self._crews)

    @property
    def processes(self) -> list[int]:
        """Process ids of the workers."""
        return [lane.process.pid for crew in list(self._crews) for lane in crew.lanes]

    def parcel(self, args: Sequence) -> Parcel:
        """Packs what workers have to do now; the same parcel as before if that has not changed."""
        work = (self._plan, self._layout, self._shards, tuple(args))
        parcel = self._parcel
        try:
            if parcel is None or not parcel.ends_with(work, LOOKING * self.epoch_seconds):
                self._parcel = parcel = Parcel((list(sys.path), sources_in_no_file()), work)
        except Exception:
            check_sendable(*self._shards.subject)  # says it in a sentence
            raise
        return parcel

    def take_crew(self) -> Crew:
        """Gives workers that are idle, or new ones.

        Raises:
          WorkerError: The program is about to end.
        """
        for crews, seconds in ((self._idle, {}), (self._leaving, {"seconds": 0.0})):
            with contextlib.suppress(IndexError):  # epochs begin in any of TensorFlow's threads
                crew = crews.pop()
                if crew.settle(**seconds):
                    return crew
                self._put_aside(crew)
        if not _at_end.is_set():
            crew = Crew(
                self._layout,
                self._num_workers,
                self._max_slots,
                self._ahead,
                is_first=not self._has_started,
            )
            self._has_started = True
            self._crews.add(crew)
            if not _at_end.is_set():
                return crew
            self.dismiss(crew)
        raise WorkerError("no worker starts at the end of the program")

    def _put_aside(self, crew: Crew) -> None:
        dead = any(lane.process.poll() is not None for lane in crew.lanes)
        if dead or self._leaving:
            self.dismiss(crew)
        else:
            self._leaving.append(crew)

    def put_back(self, crew: Crew) -> None:
        """Keeps workers for the next epoch."""
        if crew in self._crews and not self._idle:
            self._idle.append(crew)
        else:
            self.dismiss(crew)

    def dismiss(self, crew: Crew) -> None:
        """Ends workers."""
        crew.close()
        self._crews.discard(crew)  # not before: the end of the program waits for those it finds


class Epoch:
    """Iterator over the chunks of one epoch, each a list with one part a component.

    A part is an array of shape (rows, *row shape) that must not be written to, and whose memory is
    its own until nothing refers to any array of the chunk; or what a column of another kind closes
    with. Chunks come from the shards in turn, and a shard that is at its end drops out. An error of
    the generator, or of a row that does not match, comes in its place, and reading may go on after
    it. An iterator that is dropped half way leaves its workers to the next epoch.

    Args:
      pool: Its workers.
      seed: Seed of the epoch.
      first: Number of the row with which to begin.
      args: Arguments of the generator.

    Attributes:
      resumes_at: Number of the row of a source with which the next chunk begins.
    """

    def __init__(self, pool: WorkerPool, seed: int, first: int, args: Sequence):
        self.resumes_at = first
        self._pool = pool
        self._seed = seed
        self._args = args
        self._crew: Crew | None = None
        self._reports: Iterator | None = None
        self._begun = 0.0
        self._has_rows = False
        self._ended = False

    def __iter__(self) -> Epoch:
        """Returns itself."""
        return self

    def __next__(self) -> list:
        """Waits for the next chunk.

        Raises:
          GeneratorError: The generator raised.
          MismatchError: A row does not match.
          WorkerError: A worker exited or was killed; all of them have ended then, and the next
            epoch starts new ones.
        """
        if self._ended:
            raise StopIteration
        try:
            if self._reports is None:
                self._start()
            lane, report = next(self._reports)
            self.resumes_at = report.next_row
            if report.kind == protocol.CHUNK:
                self._has_rows = True
                return lane.chunk(report)
            error = lane.error(report)
        except StopIteration:
            self._end(self._pool.put_back)
            self._pool.watch.ended(self._has_rows)
            raise
        except BaseException:  # after Ctrl-C too the pipes may be in the middle of a report
            self._end(self._pool.dismiss)
            raise
        raise error

    def _start(self) -> None:
        self._begun = time.monotonic()
        parcel = self._pool.parcel(self._args)
        self._crew = self._pool.take_crew()
        self._reports = self._crew.epoch(parcel, self._seed, self.resumes_at)

    def _end(self, leave: Callable[[Crew], None]) -> None:
        self._ended = True
        crew, self._crew, self._reports = self._crew, None, None
        if crew is not None:
            self._pool.epoch_seconds = time.monotonic() - self._begun
            leave(crew)

    def close(self) -> None:
        """Leaves the epoch."""
        self._end(self._abandon)

    def _abandon(self, crew: Crew) -> None:
        crew.abandon()
        self._pool.put_back(crew)

    def __del__(self) -> None:
        self.close()


def _chunk_rows(plan: Plan) -> int:
    """Rows that a slot has room for."""
    if plan.chunk_batches is not None:
        return plan.chunk_batches * plan.batch_size
    fitting = [c for c in plan.layout.components if c.fits_slots]
    row_bytes = sum(c.dtype.itemsize * math.prod(c.shape) for c in fitting)
    return plan.batch_size * max(1, CHUNK_BYTES // max(1, row_bytes * plan.batch_size))


def _close_all(crews: set[Crew]) -> None:
    while crews:
        crews.pop().close()


@atexit.register
def _close_pools() -> None:
    """Ends all workers at the end of the program, and lets the threads that read leave Python.

    TensorFlow waits for the thread that prefetches. If that is in Python when the interpreter is
    taken down it never comes back, and the program hangs: the error that the end of the workers
    raises there has to get through first.
    """
    pools = list(_pools)
    reading = any(crew.is_reading for pool in pools for crew in list(pool._crews))
    _at_end.set()
    for pool in pools:
        _close_all(pool._crews)
    ours = {thread.ident for thread in threading.enumerate()}
    deadline = time.monotonic() + EXIT_SECONDS
    quiet = time.monotonic() + QUIET_SECONDS
    while reading and time.monotonic() < min(quiet, deadline):
        time.sleep(0.001)
        if sys._current_frames().keys() - ours:  # TensorFlow's threads, while they are in Python
            quiet = time.monotonic() + QUIET_SECONDS
