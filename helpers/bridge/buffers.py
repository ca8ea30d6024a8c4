"""Aligned buffers on lease: TensorFlow may alias them, and nobody refills them while it does.

TensorFlow takes over the memory of a C-contiguous NumPy array without a copy when its address is a
multiple of 64, and copies it otherwise (tensorflow/python/lib/core/ndarray_tensor.cc). A generator
that refills an aliased array therefore changes tensors that were handed out before. Here a buffer
is lent out as an array, and it is lent again only after that array, every view of it and every
tensor over it are gone.
"""

from __future__ import annotations

import collections
import math
import weakref
from collections.abc import Callable, Sequence

import numpy as np

ALIGNMENT = 64  # bytes: EIGEN_MAX_ALIGN_BYTES, the alignment at which TensorFlow aliases
SPARE_BLOCKS = 4  # free blocks a pool keeps: TensorFlow returns some late, at its next Python call


def aligned_bytes(size: int) -> memoryview:
    """Allocates `size` writable bytes whose address is a multiple of 64."""
    raw = np.empty(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return memoryview(raw[start : start + size])


def is_aligned(array: np.ndarray) -> bool:
    """Tells whether TensorFlow aliases `array` (True) or copies it (False).

    Args:
      array: An array of a numeric or boolean type.
    """
    return array.flags.c_contiguous and array.ctypes.data % ALIGNMENT == 0


def aligned(array: np.ndarray) -> np.ndarray:
    """Gives an array that TensorFlow can take over without a copy.

    NumPy's own arrays start at a multiple of 16 bytes, TensorFlow wants 64.

    Args:
      array: An array of numbers or booleans.

    Returns:
      `array` itself if it is C-contiguous and starts at a multiple of 64 bytes, else a copy that
      does, in the native byte order.

    Raises:
      TypeError: The array holds Python objects or text.
    """
    if array.dtype.kind not in "biufc":
        raise TypeError(
            f"only arrays of numbers or booleans can be aligned; this one holds {array.dtype}"
        )
    if array.dtype.isnative and is_aligned(array):
        return array
    dtype = array.dtype.newbyteorder("=")
    copy = np.frombuffer(aligned_bytes(array.size * dtype.itemsize), dtype).reshape(array.shape)
    copy[...] = array
    return copy


def lend(
    memory: memoryview,
    shape: Sequence[int],
    dtype: np.dtype,
    on_return: Callable[[], object],
    *,
    offset: int = 0,
) -> np.ndarray:
    """Lends memory out as an array, and calls back once nothing refers to the array any more.

    The array, its views (a slice, a reshape) and the tensors that TensorFlow makes of any of them
    all keep the lease.

    Args:
      memory: Writable bytes; their address plus `offset` should be a multiple of 64.
      shape: Shape of the array.
      dtype: Its NumPy type, without Python objects inside.
      on_return: Called without arguments, in whichever thread drops the last reference. It must
        not block.
      offset: Where the array starts, in bytes.

    Returns:
      A C-contiguous array over `memory`, its contents undefined.
    """
    # NumPy shortens chains of views from array to array. The base of `root` is a memoryview, so the
    # chain of every view ends at `root`, and the death of `root` is the death of them all. Were
    # it given the memoryview, np.ndarray would take the array behind that as base, past the lease.
    root = np.frombuffer(memory, np.uint8)
    weakref.finalize(root, on_return).atexit = False
    return np.ndarray(shape, dtype, buffer=root, offset=offset)


class Pool:
    """Blocks of aligned memory of one size, lent out again and again.

    The memory held is bounded by what is out on lease: `SPARE_BLOCKS` free blocks, or as many as
    there are lent ones if that is more, are kept for the next lease; the rest is freed. The blocks
    of a pool that is dropped live on until their leases end. Leases may end in any thread.

    Args:
      block_bytes: Size of each block in bytes. It grows with the largest lease.
    """

    def __init__(self, block_bytes: int = 0):
        self.block_bytes = block_bytes
        # Atomic operations instead of a lock: a lease may end in the middle of any call.
        self._free: collections.deque[memoryview] = collections.deque()
        self._lent: set[int] = set()

    @property
    def lent(self) -> int:
        """Number of blocks out on lease."""
        return len(self._lent)

    @property
    def free(self) -> int:
        """Number of blocks kept for the next lease."""
        return len(self._free)

    def lease(self, shape: Sequence[int], dtype: np.dtype) -> np.ndarray:
        """Lends one block as an array; it comes back when nothing refers to the array any more.

        Args:
          shape: Shape of the array.
          dtype: Its NumPy type, without Python objects inside.

        Returns:
          An aligned C-contiguous array with undefined contents.
        """
        needed = math.prod(map(int, shape)) * np.dtype(dtype).itemsize
        if needed > self.block_bytes:
            self.block_bytes = needed
            self._free.clear()
        try:
            block = self._free.pop()  # the last to come back is the likeliest to be in the cache
        except IndexError:
            block = aligned_bytes(self.block_bytes)
        self._lent.add(id(block))
        return lend(block, shape, dtype, lambda: self._take_back(block))

    def _take_back(self, block: memoryview) -> None:
        self._lent.discard(id(block))
        # A smaller block is from before the size grew.
        if block.nbytes == self.block_bytes and len(self._free) < max(SPARE_BLOCKS, self.lent):
            self._free.append(block)
