"""The rows that every way carries. No TensorFlow here: workers import this module."""

from collections.abc import Iterator

import numpy as np

COUNT = 26  # neither whole batches nor whole chunks
BATCH = 4
CHUNK = 12
WIDTH = 4

NUMBERS = np.arange(COUNT)
X = (NUMBERS[:, None] + np.arange(WIDTH) / 10).astype(np.float32)  # a row tells its number
Y = NUMBERS % 3  # class labels


def rows(shard: int = 0, num_shards: int = 1) -> Iterator[tuple[np.ndarray, np.int64]]:
    """Yields the rows of a shard: (x of shape (WIDTH,), y)."""
    for index in range(shard, COUNT, num_shards):
        yield X[index], Y[index]


def varying_rows(shard: int = 0, num_shards: int = 1) -> Iterator[tuple[np.ndarray, np.int64]]:
    """Yields rows whose x has one to four values."""
    for index in range(shard, COUNT, num_shards):
        yield X[index, : 1 + index % WIDTH], Y[index]


class Items:
    """A source that gives one row at a time and knows nothing of slices."""

    def __len__(self) -> int:
        return COUNT

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.int64]:
        if not 0 <= index < COUNT:
            raise IndexError(index)
        return X[index], Y[index]


def shard_batches(
    num_shards: int, chunk: int, drop_remainder: bool = False
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the batches of several workers as the docstring of `from_generator` words them.

    The shards give a chunk in turn, a batch holds rows of one shard, and each shard may end in a
    smaller one.

    Args:
      num_shards: Number of shards.
      chunk: Rows in a chunk, whole batches.
      drop_remainder: Leaves out batches of fewer rows.
    """
    shards = [NUMBERS[shard::num_shards] for shard in range(num_shards)]
    for start in range(0, COUNT, chunk):
        for shard in shards:
            part = shard[start : start + chunk]
            for first in range(0, len(part), BATCH):
                batch = part[first : first + BATCH]
                if len(batch) == BATCH or not drop_remainder:
                    yield X[batch], Y[batch]
