"""The workers of one pool that run one epoch together."""

from __future__ import annotations

import time
from collections.abc import Iterator

from helpers.bridge import protocol
from helpers.bridge.lane import STOP_SECONDS, Lane, Report
from helpers.bridge.sending import Parcel
from helpers.bridge.shared import SlotLayout

SETTLE_SECONDS = 0.2  # how long a worker may take to leave an abandoned epoch; then another starts


class Crew:
    """Workers that run one epoch at a time together.

    Args:
      layout: Layout of their slots.
      num_workers: Number of workers.
      max_slots: Most slots of each.
      ahead: Whether they read ahead.
      is_first: Whether no crew of this pool came before.
    """

    def __init__(
        self, layout: SlotLayout, num_workers: int, max_slots: int, ahead: bool, is_first: bool
    ):
        self.lanes: list[Lane] = []
        self._is_first = is_first
        self._epoch = protocol.NO_EPOCH
        self._parcels = 0
        self._parcel: Parcel | None = None
        try:
            for shard in range(num_workers):
                self.lanes.append(Lane(layout, shard, num_workers, max_slots, ahead))
        except BaseException:
            self.close()
            raise

    def epoch(self, parcel: Parcel, seed: int, first: int) -> Iterator[tuple[Lane, Report]]:
        """Runs one epoch; gives the reports of chunks and errors in turn.

        Args:
          parcel: What the workers do.
          seed: Seed of the epoch.
          first: Number of the row with which to begin.

        Raises:
          WorkerError: A worker is gone, or cannot do its work.
        """
        self._epoch += 1
        if parcel is not self._parcel:
            self._parcel = parcel
            self._parcels += 1
        as_it_is = self._is_first and self._parcels == 1
        for lane in self.lanes:
            lane.start(self._epoch, seed, first, parcel, as_it_is)
        return self._reports()

    def _reports(self) -> Iterator[tuple[Lane, Report]]:
        active = list(self.lanes)
        turn = 0
        while active:
            turn %= len(active)
            report = active[turn].receive()
            if report.kind == protocol.DONE:
                del active[turn]
                continue
            if report.kind == protocol.PASS:
                turn += 1
                continue
            yield active[turn], report
            if not report.stays:
                turn += 1

    @property
    def is_reading(self) -> bool:
        """Whether an epoch is under way."""
        return any(lane.epoch != protocol.NO_EPOCH for lane in self.lanes)

    def abandon(self) -> None:
        """Has the workers leave the epoch."""
        for lane in self.lanes:
            lane.abandon()

    def settle(self, seconds: float = SETTLE_SECONDS) -> bool:
        """Waits a moment for the workers to leave an abandoned epoch; False if one does not."""
        deadline = time.monotonic() + seconds
        settled = [
            lane.settle(deadline) for lane in self.lanes
        ]  # each is told, whatever the others
        return all(settled)

    def close(self) -> None:
        """Ends the workers."""
        for lane in self.lanes:
            lane.stop()
        deadline = time.monotonic() + STOP_SECONDS
        for lane in self.lanes:
            lane.end(deadline)
