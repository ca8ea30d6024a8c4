"""The workers of one pool that run one epoch together, and what they are told to do."""

from __future__ import annotations

import linecache
import mmap
import os
import pickle
import select
import sys
import time
from collections.abc import Iterator

import cloudpickle
import numpy as np

from helpers.bridge import worker
from helpers.bridge.lane import STOP_SECONDS, Lane
from helpers.bridge.shared import SlotLayout, anonymous_file

SETTLE_SECONDS = 5.0  # how long a worker may take to leave an abandoned epoch; then it is replaced

Chunk = tuple[np.ndarray | list, ...]


class Crew:
    """Workers that run one epoch at a time together.

    Args:
      work: What they do, from `pickled_by_value`.
      layout: Layout of their slots.
      num_workers: Number of workers.
      ordered: Whether chunks come from them in turn.
      max_slots: Most slots of each.
    """

    def __init__(
        self, work: bytes, layout: SlotLayout, num_workers: int, ordered: bool, max_slots: int
    ):
        self.lanes: list[Lane] = []
        self._ordered = ordered
        self._chunk_rows = layout.chunk_rows
        self._epoch = worker.NO_EPOCH
        setup_fd = _setup(work)
        try:
            for shard in range(num_workers):
                self.lanes.append(Lane(setup_fd, layout, shard, num_workers, max_slots))
        except BaseException:
            self.close()
            raise
        finally:
            os.close(setup_fd)

    def epoch(self, seed: int) -> Iterator[Chunk]:
        """Runs one epoch; see `WorkerPool.epoch`."""
        self._epoch += 1
        for lane in self.lanes:
            lane.start(self._epoch, seed)
        active = list(self.lanes)
        turn = 0
        while active:
            turn %= len(active)
            if not self._ordered:
                turn = _next_ready(active, turn)
            report = active[turn].receive()
            if report.kind == worker.DONE:
                del active[turn]
                continue
            # Nothing here may refer to the chunk while it is out: its lease would not end.
            yield active[turn].chunk(report)
            # After a short chunk comes the shard's end or error, or it is the only shard: either
            # way the same lane is next.
            if report.rows == self._chunk_rows:
                turn += 1

    @property
    def is_reading(self) -> bool:
        """Whether an epoch is under way."""
        return any(lane.epoch != worker.NO_EPOCH for lane in self.lanes)

    def abandon(self) -> None:
        """Has the workers leave the epoch."""
        for lane in self.lanes:
            lane.abandon()

    def settle(self) -> bool:
        """Waits a moment for the workers to leave an abandoned epoch; False if one does not."""
        deadline = time.monotonic() + SETTLE_SECONDS
        return all(lane.settle(deadline) for lane in self.lanes)

    def close(self) -> None:
        """Ends the workers."""
        for lane in self.lanes:
            lane.stop()
        deadline = time.monotonic() + STOP_SECONDS
        for lane in self.lanes:
            lane.end(deadline)


def _next_ready(lanes: list[Lane], turn: int) -> int:
    """Waits until a lane has a report; the index of the first that has one, from `turn` on."""
    poller = select.poll()
    for lane in lanes:
        poller.register(lane, select.POLLIN)
    while not (ready := {fd for fd, _ in poller.poll(worker.CHECK_SECONDS * 1000)}):
        for lane in lanes:
            lane.check()
    order = [*range(turn, len(lanes)), *range(turn)]
    return next(index for index in order if lanes[index].fileno() in ready)


def pickled_by_value(*work: object) -> bytes:
    """Pickles what the workers need.

    What the workbook itself defines is pickled by value: importing it by name would import
    TensorFlow into a worker that has no use for it, which takes seconds.
    """
    package = sys.modules[__package__.partition(".")[0]]
    cloudpickle.register_pickle_by_value(package)
    try:
        return cloudpickle.dumps(work)
    except Exception as error:
        raise TypeError(
            "num_workers has to send the generator or source to other processes, and it cannot be "
            f"pickled: {error}. Let the generator itself open what it needs, such as files, locks "
            "and connections."
        ) from error
    finally:
        cloudpickle.unregister_pickle_by_value(package)


def _setup(work: bytes) -> int:
    """Writes down what a worker needs, for all workers to read; a file descriptor."""
    # Sources that are in no file (notebook cells), so that the worker's tracebacks can show them.
    sources = {
        name: entry
        for name, entry in list(linecache.cache.items())
        if len(entry) == 4 and entry[1] is None
    }
    data = pickle.dumps((sys.path, sources)) + work
    fd = anonymous_file(len(data))
    with mmap.mmap(fd, 0) as memory:
        memory[: len(data)] = data
    return fd
