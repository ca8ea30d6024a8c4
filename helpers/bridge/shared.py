"""Memory that the parent shares with its worker processes, and that no crash can leave behind.

A segment here has no name when a worker starts: the worker inherits its file descriptor. The kernel
frees it with the last process that holds it, so not even `kill -9` of every process leaves anything
in /dev/shm, and no resource tracker has to clean up.
"""

from __future__ import annotations

import collections
import contextlib
import math
import mmap
import os
import secrets
import sys
import weakref
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

with contextlib.suppress(ImportError):  # Windows, which has no workers
    import fcntl

from helpers.bridge.buffers import ALIGNMENT, aligned_bytes

PAGE = mmap.PAGESIZE
SPARE_SLOTS = 2  # what a worker keeps: one to fill while another waits to cross

Component = tuple[np.dtype, tuple[int, ...]]  # dtype and shape of one row of a component


def anonymous_file(size: int) -> int:
    """Opens `size` bytes of shared memory that has no name.

    Pages take memory only once they are written to.

    Args:
      size: In bytes, at least 1.

    Returns:
      A file descriptor that child processes do not inherit unless it is passed on.
    """
    if sys.platform == "linux":
        # Unlike /dev/shm, a memfd is not subject to the 64 MB that containers get by default.
        fd = os.memfd_create("tfdata-workbook", os.MFD_CLOEXEC)
    else:
        fd = _unlinked_segment()
    os.ftruncate(fd, size)
    return clear_of_standard(fd)


def clear_of_standard(fd: int) -> int:
    """Moves a file descriptor off the numbers of standard input, output and error.

    A program that was started with one of them closed gives its number to the next file that it
    opens, and a new process gets something else there.
    """
    if fd > 2:
        return fd
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3)
    os.close(fd)
    return moved


def _unlinked_segment() -> int:
    """Opens a POSIX shared-memory segment and takes its name away at once (macOS)."""
    import _posixshmem  # what multiprocessing.shared_memory uses, without its tracker

    name = f"/tfdata-{secrets.token_hex(6)}"  # macOS allows 31 characters
    fd = _posixshmem.shm_open(name, os.O_CREAT | os.O_EXCL | os.O_RDWR, mode=0o600)
    _posixshmem.shm_unlink(name)
    os.set_inheritable(fd, False)
    return fd


class SlotLayout(NamedTuple):
    """Where the components of a chunk lie inside a slot. Plain values, cheap to send to a worker.

    Attributes:
      components: For each component the dtype and row shape, or None for one that does not fit
        into a slot (strings, varying shapes) and travels pickled.
      offsets: Where each component starts in its slot, in bytes, a multiple of 64.
      chunk_rows: Rows in a full chunk.
      slot_bytes: Distance from slot to slot, a multiple of the page size; 0 without any component.
    """

    components: tuple[Component | None, ...]
    offsets: tuple[int, ...]
    chunk_rows: int
    slot_bytes: int

    @classmethod
    def of(cls, components: Sequence[Component | None], chunk_rows: int) -> SlotLayout:
        """Lays out the components one after the other.

        Args:
          components: (dtype, row shape) of each component, None for one that travels pickled.
          chunk_rows: Rows in a full chunk.
        """
        plain, offsets, end = [], [], 0
        for component in components:
            offsets.append(end)
            if component is None:
                plain.append(None)
                continue
            dtype, shape = np.dtype(component[0]), tuple(int(size) for size in component[1])
            if dtype.hasobject:
                raise TypeError(
                    f"component {len(plain)} holds Python objects ({dtype}); give None in its place"
                )
            plain.append((dtype, shape))
            size = chunk_rows * _row_bytes(dtype, shape)
            end += -(-size // ALIGNMENT) * ALIGNMENT
        return cls(tuple(plain), tuple(offsets), chunk_rows, -(-end // PAGE) * PAGE)

    @property
    def largest_row(self) -> int:
        """Bytes of the largest component of a row."""
        return max((_row_bytes(*c) for c in self.components if c is not None), default=0)


def _row_bytes(dtype: np.dtype, shape: tuple[int, ...]) -> int:
    return dtype.itemsize * math.prod(shape)


def slot_views(
    components: Sequence[Component | None],
    offsets: Sequence[int],
    slot: memoryview | np.ndarray,
    rows: int,
) -> list[np.ndarray | None]:
    """Gives the arrays over a slot's memory.

    Args:
      components: (dtype, row shape) of each component, None for one that travels pickled.
      offsets: Where each component starts in the slot, in bytes.
      slot: The slot's memory.
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


class Lease(weakref.ref):
    """Refers to the memory of a slot that is out on lease."""

    __slots__ = ("slot",)


class Slots:
    """The slots of one worker, and who has them.

    More slots are opened, up to `max_slots`, while TensorFlow keeps hold of chunks. Once all but
    `SPARE_SLOTS` of them are on lease, chunks are copied out, so that the worker can always go on.

    Args:
      layout: Layout of a slot.
      max_slots: Most slots that there may be, more than `SPARE_SLOTS`.
      free: Called with the number of a slot that the worker may fill.

    Attributes:
      fd: File descriptor of their memory, until `close_fd`.
      count: Number of slots in use.
    """

    def __init__(self, layout: SlotLayout, max_slots: int, free: Callable[[int], None]):
        self.count = 0
        self._layout = layout
        self._max_slots = max_slots
        self._free = free
        self._leases: dict[int, Lease] = {}  # by slot
        # A lease ends by an append to this, which no Ctrl-C can interrupt, and not by Python code.
        self._ended: collections.deque[Lease] = collections.deque()
        self.fd = anonymous_file(max(layout.slot_bytes * max_slots, PAGE))
        self._memory = memoryview(mmap.mmap(self.fd, 0))

    def close_fd(self) -> None:
        """Closes the file descriptor; the memory stays."""
        os.close(self.fd)

    @property
    def leased(self) -> int:
        """Number of slots out on lease."""
        return len(self._leases) - len(self._ended)

    def open(self, count: int = 1) -> None:
        """Opens more slots."""
        for _ in range(count):
            self.count += 1
            self._free(self.count - 1)

    def put_back(self, slot: int) -> None:
        """Has a slot filled again that was filled and not lent."""
        self._free(slot)

    def take_back(self) -> None:
        """Has the slots whose leases have ended filled again."""
        while self._ended:
            lease = self._ended.popleft()
            del self._leases[lease.slot]
            self._free(lease.slot)

    def lend(self, slot: int, rows: int) -> list[np.ndarray | None]:
        """Lends out the arrays of a filled slot, or copies of them.

        Args:
          slot: Number of the slot; it goes back to the worker when nothing refers to any of them.
          rows: Rows in the slot.

        Returns:
          One array a component, None for one that travels pickled.
        """
        self.take_back()
        size = self._layout.slot_bytes
        # All arrays of the chunk, and their views, get this array as their base, and none gets
        # its own base, since that is no array: it dies when nothing refers to the chunk.
        memory = np.frombuffer(self._memory[slot * size : (slot + 1) * size], np.uint8)
        if size == 0:
            self._free(slot)
        elif self.count - len(self._leases) > SPARE_SLOTS or self.count < self._max_slots:
            if self.count - len(self._leases) <= SPARE_SLOTS:
                self.open()
            self._leases[slot] = lease = Lease(memory, self._ended.append)
            lease.slot = slot
        else:
            lent, memory = memory, np.frombuffer(aligned_bytes(size), np.uint8)
            memory[:] = lent
            self._free(slot)
        return slot_views(self._layout.components, self._layout.offsets, memory, rows)
