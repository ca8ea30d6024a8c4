"""Rows that were drawn beforehand, as a generator and as a source. Workers import this module."""

import collections
from collections.abc import Iterator

Point = collections.namedtuple("Point", "x y")


class Drawn:
    """Rows in a list: called as a generator function, sharded or not, or indexed as a source.

    Args:
      rows: The rows.
    """

    def __init__(self, rows: list):
        self.rows = rows

    def __call__(self, shard: int = 0, num_shards: int = 1) -> Iterator:
        """Yields the rows of a shard."""
        yield from self.rows[shard::num_shards]

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int):
        return self.rows[index]
