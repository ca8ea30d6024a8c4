"""Generators and sources that fail on request. No TensorFlow here: workers import this module."""

from collections.abc import Iterator

import numpy as np

ROWS = 96
SHAPE = (64, 64)  # 16 KB: what is left of a chunk shows in the memory


def row(index: int) -> np.ndarray:
    """The row of a number, which is in all of its values."""
    return np.full(SHAPE, index, np.float32)


class Unruly:
    """A generator function, sharded or not, and a source, which may fail at one of its rows.

    Args:
      fails_at: Number of the row at which it fails; None for never.
      mismatch: Whether it then yields a row of another shape, or raises.
    """

    def __init__(self, fails_at: int | None = None, mismatch: bool = False):
        self.fails_at = fails_at
        self.mismatch = mismatch

    def __call__(self, shard: int = 0, num_shards: int = 1) -> Iterator[np.ndarray]:
        """Yields the rows of a shard."""
        for index in range(shard, ROWS, num_shards):
            yield self[index]

    def __len__(self) -> int:
        return ROWS

    def __getitem__(self, index: int) -> np.ndarray:
        if not 0 <= index < ROWS:
            raise IndexError(index)
        if index == self.fails_at and self.mismatch:
            return np.zeros(3, np.float32)
        if index == self.fails_at:
            raise KeyError("as asked for")
        return row(index)
