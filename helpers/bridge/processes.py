"""Worker processes that fill shared-memory slots, which TensorFlow aliases.

One Python process runs one row generator at a time; several processes run several. Each worker
process fills slots of shared memory with the rows of its shard, the parent hands the slots out as
arrays without a copy, and a slot is filled again when nothing refers to its arrays any more.
"""

from __future__ import annotations

import atexit
import secrets
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from helpers.bridge.crew import Chunk, Crew, pickled_by_value
from helpers.bridge.lane import WorkerError
from helpers.bridge.sharding import Shards
from helpers.bridge.shared import SPARE_SLOTS, Component, SlotLayout

__all__ = ["WorkerError", "WorkerPool"]

MAX_SLOTS = 8  # a worker
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
      shards: Called in each worker, once an epoch, with the shard's number, the number of shards
        and the epoch's seed; gives the rows. See `helpers.bridge.sharding`.
      components: (dtype, row shape) of each component of a row; None for one that does not have a
        fixed size, which travels pickled, slower.
      chunk_rows: Rows in a chunk.
      num_workers: Number of processes, which is the number of shards.
      unpack: Takes a row apart into its flat components, in the worker; None when a row is its
        only component.
      early: (rows, seconds): a chunk of a multiple of so many rows comes as it is, if so many
        seconds have gone into it. For one worker, whose chunks all come in turn.
      ordered: Whether chunks come from the workers in turn, so that every run gives the same order;
        otherwise each comes as soon as it is full.
      max_slots: Most slots a worker has; with all but two of them on lease, chunks are copied.

    Raises:
      ValueError: A number is out of range, or the system is Windows.
      TypeError: `shards` or `unpack` cannot be sent to another process.
    """

    def __init__(
        self,
        shards: Shards,
        components: Sequence[Component | None],
        *,
        chunk_rows: int,
        num_workers: int,
        unpack: Callable[[Any], Sequence] | None = None,
        early: tuple[int, float] | None = None,
        ordered: bool = True,
        max_slots: int = MAX_SLOTS,
    ):
        if sys.platform == "win32":
            raise ValueError(
                "num_workers needs Linux or macOS: Windows does not hand memory and pipes on to "
                "new processes in this way; use num_workers=0, or WSL"
            )
        for name, value, least in (
            ("num_workers", num_workers, 1),
            ("chunk_rows", chunk_rows, 1),
            ("max_slots", max_slots, SPARE_SLOTS + 1),
        ):
            if value < least:
                raise ValueError(f"{name} must be at least {least}, not {value}")
        self._layout = SlotLayout.of(components, chunk_rows)
        self._work = pickled_by_value(tuple(self._layout), shards, unpack, early)
        self._num_workers = num_workers
        self._ordered = ordered
        self._max_slots = max_slots
        self._crews: set[Crew] = set()
        self._idle: list[Crew] = []
        weakref.finalize(self, _close_all, self._crews).atexit = False  # see _close_pools
        _pools.add(self)

    def epoch(self, seed: int | None = None) -> Iterator[Chunk]:
        """Runs one epoch.

        With `ordered`, chunks come from the shards in turn, and a shard that is at its end drops
        out. Iterators that are dropped half way leave their workers to the next epoch.

        Args:
          seed: The same seed gives the same epoch: each worker seeds `random` and `numpy.random`
            with a number drawn from it and its shard. Not negative; None for a new one each time.

        Yields:
          A tuple with one item a component: an array of shape (rows, *row shape) that must not be
          written to, or a list of rows when the component travels pickled. Memory of an array is
          its own until nothing refers to any array of the chunk.

        Raises:
          WorkerError: A worker raised, exited or was killed; all of them have ended then, and the
            next epoch starts new ones.
        """
        seed = secrets.randbits(32) if seed is None else seed
        if not 0 <= seed < 1 << 64:
            raise ValueError(f"seed must be between 0 and 2**64 - 1, not {seed}")
        crew = self._take_crew()
        try:
            yield from crew.epoch(seed)
        except GeneratorExit:
            crew.abandon()
            self._put_back(crew)
            raise
        except BaseException:  # after Ctrl-C too the pipes may be in the middle of a report
            self._dismiss(crew)
            raise
        self._put_back(crew)

    def close(self) -> None:
        """Ends all workers; chunks on lease stay good, and another epoch starts new workers."""
        self._idle.clear()
        _close_all(self._crews)

    @property
    def processes(self) -> list[int]:
        """Process ids of the workers."""
        return [lane.process.pid for crew in list(self._crews) for lane in crew.lanes]

    def _take_crew(self) -> Crew:
        while True:
            try:
                crew = self._idle.pop()  # atomic: epochs begin in any of TensorFlow's threads
            except IndexError:
                break
            if crew.settle():
                return crew
            self._dismiss(crew)
        if not _at_end.is_set():
            crew = Crew(self._work, self._layout, self._num_workers, self._ordered, self._max_slots)
            self._crews.add(crew)
            if not _at_end.is_set():
                return crew
            self._dismiss(crew)
        raise WorkerError("no worker starts at the end of the program")

    def _put_back(self, crew: Crew) -> None:
        if crew in self._crews and not self._idle:
            self._idle.append(crew)
        else:
            self._dismiss(crew)

    def _dismiss(self, crew: Crew) -> None:
        crew.close()
        self._crews.discard(crew)  # not before: the end of the program waits for those it finds


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
