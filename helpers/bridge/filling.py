"""What a worker process does: it fills shared-memory slots with the rows of one shard.

It imports NumPy, the part of the bridge that gathers rows, and what the generator itself needs:
importing is most of the time to the first batch.
"""

from __future__ import annotations

import collections
import linecache
import mmap
import os
import pickle
import select
import signal
import socket
import sys
import threading
from typing import Any, NamedTuple

import numpy as np

from helpers.bridge import protocol, received
from helpers.bridge.buffers import Pool
from helpers.bridge.chunks import Chunks, Workspace
from helpers.bridge.errors import kind_of, told
from helpers.bridge.sharding import Stretch, Turn
from helpers.quiet import quieten_later


class Abandoned(BaseException):
    """The parent does not want the rest of this epoch."""


class Start(NamedTuple):
    """An order to begin an epoch."""

    epoch: int
    flags: int
    seed: int
    first: int
    parcel: int | None  # file descriptor


class Orders:
    """Takes the parent's orders in a thread of its own, and ends this process with the parent.

    Args:
      fd: This side of the socket of orders.
      parent: Process id of the parent.
    """

    def __init__(self, fd: int, parent: int):
        self.left = protocol.NO_EPOCH  # this epoch and those before it are over
        self.stopped = False
        self.free: list[int] = []  # slots that may be filled
        self._starts: collections.deque[Start] = collections.deque()
        self._parcels: collections.deque[int] = collections.deque()
        self._changed = threading.Condition()
        threading.Thread(
            target=self._read, args=(socket.socket(fileno=fd), parent), daemon=True
        ).start()

    def _read(self, orders: socket.socket, parent: int) -> None:
        poller = select.poll()
        poller.register(orders, select.POLLIN)
        pending = b""
        while True:
            if not poller.poll(protocol.CHECK_SECONDS * 1000):
                # A process forked from the parent may hold the socket open after the parent's end.
                if os.getppid() != parent:
                    _end_group()
                continue
            try:
                data, parcels, _, _ = socket.recv_fds(orders, 4096, 8)
            except ConnectionError:
                data = b""
            if not data:
                _end_group()
            pending += data
            whole = len(pending) - len(pending) % protocol.ORDER.size
            with self._changed:
                self._parcels.extend(parcels)
                for order in protocol.ORDER.iter_unpack(pending[:whole]):
                    self._take(*order)
                self._changed.notify()
            pending = pending[whole:]

    def _take(self, kind: int, flags: int, number: int, seed: int, first: int) -> None:
        if kind == protocol.FREE:
            self.free.append(number)
        elif kind == protocol.START:
            parcel = self._parcels.popleft() if flags & protocol.PARCEL else None
            self._starts.append(Start(number, flags, seed, first, parcel))
        elif kind == protocol.ABANDON:
            self.left = number
        else:
            self.stopped = True

    def is_over(self, epoch: int) -> bool:
        """Whether the parent does not want the rest of an epoch."""
        return self.stopped or epoch <= self.left

    def next_start(self) -> Start | None:
        """Waits for an epoch to begin; None when the worker has to end."""
        with self._changed:
            self._changed.wait_for(lambda: self.stopped or self._starts)
            return None if self.stopped else self._starts.popleft()

    def slot(self, epoch: int) -> int:
        """Waits for a free slot; raises Abandoned if the epoch is over."""
        with self._changed:
            self._changed.wait_for(lambda: self.free or self.is_over(epoch))
            if self.is_over(epoch):
                raise Abandoned
            return self.free.pop()  # the last one is the likeliest to be in the cache


def _end_group() -> None:
    """Ends this process and those that the generator started: they are one process group."""
    os.killpg(0, signal.SIGKILL)


class Reports:
    """Tells the parent what happens here.

    Args:
      fd: Write end of the pipe of reports.
    """

    def __init__(self, fd: int):
        self.fd = fd

    def send(
        self, kind: int, epoch: int, *, flags=0, slot=0, rows=0, next_row=0, payload=b""
    ) -> None:
        """Sends a report; ends this process when the parent no longer reads them."""
        head = protocol.REPORT.pack(kind, flags, epoch, slot, rows, next_row, len(payload))
        data = memoryview(head + payload)
        try:
            while data:
                data = data[os.write(self.fd, data) :]
        except BrokenPipeError:
            _end_group()

    def error(self, epoch: int, text: str, error: BaseException, **fields: int) -> None:
        """Reports an error: its type's name, its kind, and what is to be said of it."""
        payload = pickle.dumps((type(error).__name__, kind_of(error), text))
        self.send(protocol.ERROR, epoch, payload=payload, **fields)


class SlotPool:
    """Lends the place of one component in the slot that is being filled.

    Args:
      offset: Where the component starts in a slot, in bytes.
    """

    def __init__(self, offset: int):
        self.slot: memoryview | None = None
        self._offset = offset

    def lease(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """Gives an array of this shape and type over the slot."""
        return np.ndarray(shape, dtype, buffer=self.slot, offset=self._offset)


class Filler:
    """Fills slots with the rows of one shard.

    Args:
      fd: The shared memory of the slots.
      shard: Number of this worker.
      num_shards: Number of workers.
      orders: What the parent wants.
      reports: Where chunks, errors and the end of an epoch are reported.
    """

    def __init__(self, fd: int, shard: int, num_shards: int, orders: Orders, reports: Reports):
        self._memory = memoryview(mmap.mmap(fd, 0))
        self._shard = shard
        self._num_shards = num_shards
        self._orders = orders
        self._reports = reports
        self._workspace: Workspace | None = None

    def load(self, parcel: int) -> None:
        """Takes what is to be done from a parcel."""
        objects = received.unpack(parcel)
        sys.path[:], sources = next(objects)
        linecache.cache.update(sources)  # so that messages show the lines of notebook cells
        self._plan, self._layout, self._shards, self._args = next(objects)
        os.close(parcel)
        self._in_slot = [component is not None for component in self._layout.components]
        if self._workspace is None:
            pools: list[Any] = [
                SlotPool(offset) if in_slot else Pool()
                for offset, in_slot in zip(self._layout.offsets, self._in_slot, strict=True)
            ]
            most = self._layout.chunk_rows // self._plan.batch_size
            self._workspace = Workspace(pools, most_batches=most)

    def epoch(self, start: Start) -> None:
        """Runs one epoch."""
        turn = Turn(
            self._shard,
            self._num_shards,
            start.seed,
            start.first,
            bool(start.flags & protocol.AS_IT_IS),
        )
        try:
            if not self._orders.is_over(start.epoch):
                for stretch in self._shards(turn, self._args):
                    self._read(stretch, start.epoch)
        except Abandoned:
            pass
        self._reports.send(protocol.DONE, start.epoch)

    def _read(self, stretch: Stretch, epoch: int) -> None:
        def look() -> None:
            if self._orders.is_over(epoch):
                raise Abandoned

        chunks = Chunks(
            stretch.open_rows,
            self._plan,
            self._workspace,
            number=stretch.number,
            first=stretch.first,
            look=look,
        )
        try:
            while stretch.end is None or chunks.resumes_at < stretch.end:
                if not self._chunk(chunks, stretch.end, epoch):
                    if stretch.end is not None:  # the last report said that there is more
                        self._reports.send(protocol.PASS, epoch)
                    break
        finally:
            if hasattr(chunks.rows, "close"):  # runs the `finally` blocks of an abandoned generator
                chunks.rows.close()

    def _chunk(self, chunks: Chunks, end: int | None, epoch: int) -> bool:
        """Fills and reports one chunk; False once there are no more rows."""
        slot = self._orders.slot(epoch)
        start = slot * self._layout.slot_bytes
        for pool in self._workspace.pools:
            if isinstance(pool, SlotPool):
                pool.slot = self._memory[start : start + self._layout.slot_bytes]
        reported = False
        try:
            parts = next(chunks, None)
            if parts is None:
                return False
            payload = [
                part for part, in_slot in zip(parts, self._in_slot, strict=True) if not in_slot
            ]
            self._reports.send(
                protocol.CHUNK,
                epoch,
                flags=self._stays(chunks, end),
                slot=slot,
                rows=chunks.length,
                next_row=chunks.resumes_at,
                payload=pickle.dumps(payload, protocol=5) if payload else b"",
            )
            reported = True
        except Exception as error:
            flags, next_row = self._stays(chunks, end), chunks.resumes_at
            self._reports.error(epoch, str(error), error, flags=flags, slot=slot, next_row=next_row)
            reported = True
        finally:
            if not reported:
                self._orders.free.append(slot)
        return True

    @staticmethod
    def _stays(chunks: Chunks, end: int | None) -> int:
        more = chunks.is_failing if end is None else chunks.resumes_at < end
        return protocol.STAY if more else 0


def run(shard: int, num_shards: int, parent: int, slots: int, orders: int, reports: int) -> None:
    """Runs a worker until its parent ends it.

    Args:
      shard: Its number.
      num_shards: Number of workers.
      parent: Process id of the parent.
      slots: File descriptor of the memory of its slots.
      orders: That of its side of the socket of orders.
      reports: That of the write end of its pipe of reports.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to decide on
    quieten_later()
    taken = Orders(orders, parent)
    told_to = Reports(reports)
    filler = Filler(slots, shard, num_shards, taken, told_to)
    epoch = protocol.NO_EPOCH
    try:
        while (start := taken.next_start()) is not None:
            epoch = start.epoch
            if start.parcel is not None:
                filler.load(start.parcel)
            filler.epoch(start)
    except BaseException as error:  # SystemExit too: the parent waits for this shard
        told_to.error(epoch, told(error), error, flags=protocol.FATAL)
        sys.exit(1)
