"""What runs in a worker process: it fills shared-memory slots with the rows of one shard.

`helpers.bridge.lane` runs this file as a script, so that a worker imports NumPy and what the
generator itself needs, and nothing else: importing is most of the time to the first batch.

Orders come through one pipe and reports leave through another. Both have a fixed size and at most
one per slot is under way, so that those pipes never fill up. A report of kind CHUNK or ERROR may be
followed by a pickled payload.
"""

from __future__ import annotations

import copy
import linecache
import mmap
import os
import pickle
import random
import select
import signal
import struct
import sys
import threading
import time
import traceback

import numpy as np

ORDER = struct.Struct("<BxxxIQ")  # kind, epoch or slot, seed of the epoch
START, ABANDON, FREE, STOP = range(4)

REPORT = struct.Struct("<BxxxIIIQ")  # kind, epoch, slot, rows, bytes of payload that follow
CHUNK, DONE, ERROR = range(3)

CHECK_SECONDS = 1.0  # how often to look whether the other side lives, in case no pipe tells
NO_EPOCH = 0

# The kinds of errors that TensorFlow tells apart (tensorflow/python/lib/core/py_func.cc).
KINDS = (TypeError, ValueError, NotImplementedError, MemoryError)


class Abandoned(BaseException):
    """The parent does not want the rest of this epoch."""


def worker_seed(epoch_seed: int, shard: int) -> int:
    """Derives the seed of one shard in one epoch: 32 bits, independent between shards.

    Args:
      epoch_seed: Seed of the epoch, the same for all shards, not negative.
      shard: Number of the shard.
    """
    return int(np.random.SeedSequence((epoch_seed, shard)).generate_state(1)[0])


def slot_views(components, offsets, slot, rows: int) -> list[np.ndarray | None]:
    """Gives the arrays over a slot's memory.

    Args:
      components: (dtype, row shape) of each component, None for one that travels pickled.
      offsets: Where each component starts in the slot, in bytes.
      slot: The slot's memory: a memoryview, or an array of bytes.
      rows: Length of each array.

    Returns:
      One array a component, which keeps `slot` alive; None for one that travels pickled.
    """
    return [
        None
        if component is None
        else np.ndarray((rows, *component[1]), component[0], buffer=slot, offset=offset)
        for component, offset in zip(components, offsets, strict=True)
    ]


class Orders:
    """Takes the parent's orders in a thread of its own, and ends this process with the parent.

    Args:
      fd: Read end of the pipe of orders.
      parent: Process id of the parent.
    """

    def __init__(self, fd: int, parent: int):
        self.epoch = NO_EPOCH  # the one that the parent wants now
        self.seed = 0
        self.stopped = False
        self.free: list[int] = []  # slots that may be filled
        self._changed = threading.Condition()
        threading.Thread(target=self._read, args=(fd, parent), daemon=True).start()

    def _read(self, fd: int, parent: int) -> None:
        poller = select.poll()
        poller.register(fd, select.POLLIN)
        pending = b""
        while True:
            if not poller.poll(CHECK_SECONDS * 1000):
                # A process forked from the parent may hold the pipe open after the parent's end.
                if os.getppid() != parent:
                    _end_group()
                continue
            data = os.read(fd, 4096)
            if not data:
                _end_group()
            pending += data
            whole = len(pending) - len(pending) % ORDER.size
            with self._changed:
                for order in ORDER.iter_unpack(pending[:whole]):
                    self._take(*order)
                self._changed.notify()
            pending = pending[whole:]

    def _take(self, kind: int, number: int, seed: int) -> None:
        if kind == FREE:
            self.free.append(number)
        elif kind == START:
            self.epoch, self.seed = number, seed
        elif kind == ABANDON:
            self.epoch = NO_EPOCH
        else:
            self.stopped, self.epoch = True, NO_EPOCH

    def next_epoch(self, last: int) -> int:
        """Waits for an epoch after number `last`; NO_EPOCH when the worker has to end."""
        with self._changed:
            self._changed.wait_for(lambda: self.stopped or self.epoch not in (NO_EPOCH, last))
            return self.epoch

    def slot(self, epoch: int) -> int:
        """Waits for a free slot; raises Abandoned if the epoch is over."""
        with self._changed:
            self._changed.wait_for(lambda: self.free or self.epoch != epoch)
            if self.epoch != epoch:
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

    def send(self, kind: int, epoch: int, slot=0, rows=0, payload=b"") -> None:
        """Sends a report; ends this process when the parent no longer reads them."""
        data = memoryview(REPORT.pack(kind, epoch, slot, rows, len(payload)) + payload)
        try:
            while data:
                data = data[os.write(self.fd, data) :]
        except BrokenPipeError:
            _end_group()

    def error(self, epoch: int, error: BaseException) -> None:
        """Reports an exception: a line, the traceback from the generator's frames on, its kind."""
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename == __file__:
            frames = frames.tb_next
        error.__traceback__ = frames
        line = traceback.format_exception_only(error)[-1].strip()
        text = "".join(traceback.format_exception(error)).rstrip()
        kind = next((kind for kind in KINDS if isinstance(error, kind)), RuntimeError)
        self.send(ERROR, epoch, payload=pickle.dumps((line, text, kind)))


class Filler:
    """Fills slots with the rows of one shard.

    Args:
      fd: The shared memory of the slots.
      layout: The fields of a SlotLayout.
      shards: Called with the shard, the number of shards and the epoch's seed, gives the rows.
      unpack: Takes a row apart into its flat components; None when each row is one component. Its
        `is_bare` says that a row as it comes is the only component.
      early: After how many rows, and their multiples, and seconds a chunk is reported before it is
        full; None for full chunks only.
      reports: Where chunks and the end of an epoch are reported.
    """

    def __init__(self, fd, layout, shards, unpack, early, reports):
        self.components, self.offsets, self.chunk_rows, self.slot_bytes = layout
        self.memory = memoryview(mmap.mmap(fd, 0))
        self.shards = shards
        self.unpack = unpack
        self.is_bare = len(self.components) == 1 and getattr(unpack, "is_bare", unpack is None)
        self.early_rows, self.early_seconds = early or (self.chunk_rows, 0.0)
        self.reports = reports

    def epoch(self, orders: Orders, epoch: int, shard: int, num_shards: int) -> None:
        """Runs one epoch; raises what the generator raises."""
        seed = worker_seed(orders.seed, shard)
        random.seed(seed)
        np.random.seed(seed)
        self.seen = 0  # rows in the chunks of this epoch before this one
        self.place = f" of shard {shard}" if num_shards > 1 else ""
        rows = None
        try:
            rows = iter(self.shards(shard, num_shards, orders.seed))
            while self._chunk(rows, orders, epoch):
                pass
        except Abandoned:
            pass
        finally:
            if hasattr(rows, "close"):  # runs the `finally` blocks of an abandoned generator
                rows.close()
        self.reports.send(DONE, epoch)

    def _chunk(self, rows, orders: Orders, epoch: int) -> bool:
        """Fills and reports one chunk; False once there are no more rows."""
        slot = orders.slot(epoch)
        start = slot * self.slot_bytes
        memory = self.memory[start : start + self.slot_bytes]
        views = slot_views(self.components, self.offsets, memory, self.chunk_rows)
        lists = [[] if view is None else None for view in views]
        only = views[0] if self.is_bare else None
        dtype, shape = (None, None) if only is None else (only.dtype, only.shape[1:])
        array_type = np.ndarray
        filled, stop = 0, min(self.early_rows, self.chunk_rows)
        begun = time.perf_counter()
        try:
            for row in rows:
                if orders.epoch != epoch:
                    raise Abandoned
                # Nothing to convert or to take apart. Pickled dtypes are equal, not the same.
                if type(row) is array_type and row.dtype == dtype and row.shape == shape:
                    only[filled] = row
                else:
                    self._put(row, filled, views, lists)
                filled += 1
                if filled == stop:
                    if stop == self.chunk_rows or time.perf_counter() - begun > self.early_seconds:
                        return True
                    stop = min(stop + self.early_rows, self.chunk_rows)
            return False
        finally:
            self.seen += filled
            # After an error too: what came before it is good, and crosses before it is raised.
            if filled and orders.epoch == epoch:
                pickled = [values for values in lists if values is not None]
                payload = pickle.dumps(pickled, protocol=5) if pickled else b""
                self.reports.send(CHUNK, epoch, slot, filled, payload)
            else:
                orders.free.append(slot)

    def _put(self, row, index: int, views, lists) -> None:
        try:
            self._convert(row, index, views, lists)
        except (TypeError, ValueError) as error:
            raise TypeError(f"example {self.seen + index}{self.place}, {error}").with_traceback(
                error.__traceback__
            ) from None

    def _convert(self, row, index: int, views, lists) -> None:
        values = (row,) if self.unpack is None else self.unpack(row)
        if len(values) != len(views):
            raise TypeError(f"expected {len(views)} components, found {len(values)}")
        for number, (view, value) in enumerate(zip(views, values, strict=True)):
            if view is None:
                # The generator may go on to change it before it is pickled.
                lists[number].append(copy.deepcopy(value))
                continue
            array = np.asarray(value, view.dtype)
            if array.shape != view.shape[1:]:
                raise TypeError(
                    f"component {number}: expected shape {view.shape[1:]}, "
                    f"found shape {array.shape}"
                )
            view[index] = array


def main() -> None:
    """Runs the worker that the command line describes until the parent ends it."""
    shard, num_shards, parent, setup_fd, slots_fd, orders_fd, reports_fd = map(int, sys.argv[1:])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to decide on
    orders = Orders(orders_fd, parent)
    reports = Reports(reports_fd)
    epoch = NO_EPOCH
    try:
        with mmap.mmap(setup_fd, 0, prot=mmap.PROT_READ) as setup:
            sys.path[:], sources = pickle.load(setup)
            linecache.cache.update(sources)  # so that tracebacks show the lines of notebook cells
            work = pickle.load(setup)
        filler = Filler(slots_fd, *work, reports)
        while (epoch := orders.next_epoch(epoch)) != NO_EPOCH:
            filler.epoch(orders, epoch, shard, num_shards)
    except BaseException as error:  # SystemExit too: the parent waits for this shard
        reports.error(epoch, error)
        sys.exit(1)


if __name__ == "__main__":
    main()
