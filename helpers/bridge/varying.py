"""Where rows of varying shape gather: padded to the largest of their batch, or end to end.

Rows are copied as they come, as in `columns`; what they become is known at the end of the batch. A
chunk holds the values of its batches one after the other in one array, and a table that says where
each begins; `blocks` cuts it into batches on the side of TensorFlow.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from helpers.bridge.buffers import ALIGNMENT, Pool
from helpers.bridge.columns import Column
from helpers.bridge.structure import Component


class VaryingColumn(Column):
    """Keeps rows of varying shape until the chunk is closed.

    Args:
      component: The component.
      number: Its place among the components of a row.
      pool: Where its buffers come from.
      batch_size: Rows in a batch.
    """

    def __init__(self, component: Component, number: int, pool: Pool, batch_size: int):
        super().__init__(component, number, pool)
        self._batch_size = batch_size

    def open(self, rows: int) -> None:
        """Begins a chunk."""
        self.filled = 0
        self._kept: list[np.ndarray] = []

    def put(self, index: int, value: Any) -> None:
        """Copies the value of a row.

        Raises:
          MismatchError: The value does not match the component.
        """
        self._kept.append(np.array(self.component.convert(value)))

    def fill(self, rows: Iterable) -> None:
        """Copies more rows of this one component; `filled` says how many, after an error too."""
        kept, array_type = self._kept, np.ndarray
        append, put = kept.append, self.put
        dtype, rank = self.component.dtype, len(self.component.shape)
        open_sizes = set(self.component.shape) == {None} and not self.component.is_text
        try:
            for value in rows:
                if (
                    open_sizes
                    and type(value) is array_type
                    and value.dtype == dtype
                    and value.ndim == rank
                ):
                    append(value.copy())
                else:
                    put(len(kept), value)
        finally:
            self.filled = len(kept)

    def take(self, rows: int) -> list[list[np.ndarray]]:
        """Ends the chunk after its first `rows` rows and gives those of each batch."""
        kept, self._kept = self._kept[:rows], []
        size = self._batch_size
        return [kept[start : start + size] for start in range(0, rows, size)]

    def place(self, sizes: list[int]) -> tuple[np.ndarray, list[int]]:
        """Lends an array for blocks of so many values, and says where each begins.

        They begin at multiples of 64 bytes, so that TensorFlow need not copy what it cuts out.
        """
        step = 1 if self.component.is_text else max(1, ALIGNMENT // self.component.dtype.itemsize)
        starts, end = [], 0
        for size in sizes:
            starts.append(end)
            end += -(-size // step) * step
        return self.lease((end,)), starts


class PaddedColumn(VaryingColumn):
    """Pads rows to the largest of their batch.

    Args:
      component: The component.
      number: Its place among the components of a row.
      pool: Where its buffers come from.
      batch_size: Rows in a batch.
      padding: The value to pad with.
    """

    def __init__(
        self, component: Component, number: int, pool: Pool, batch_size: int, padding: object
    ):
        super().__init__(component, number, pool, batch_size)
        self._padding = padding

    def close(self, rows: int) -> tuple[np.ndarray, np.ndarray]:
        """Ends the chunk after its first `rows` rows.

        Returns:
          The values of all batches, and for each batch where it begins and ends, and its shape.
        """
        batches = self.take(rows)
        shapes = [
            (len(kept), *map(max, zip(*(row.shape for row in kept), strict=True)))
            for kept in batches
        ]
        values, starts = self.place(list(map(math.prod, shapes)))
        table = []
        for kept, shape, start in zip(batches, shapes, starts, strict=True):
            end = start + math.prod(shape)
            table.append((start, end, *shape))
            padded = values[start:end].reshape(shape)
            padded[...] = self._padding
            if padded.ndim == 2:
                for target, row in zip(padded, kept, strict=True):
                    target[: len(row)] = row
            else:
                for target, row in zip(padded, kept, strict=True):
                    target[tuple(map(slice, row.shape))] = row
        return values, np.array(table, np.int64)


class RaggedColumn(VaryingColumn):
    """Hands over the values of each batch end to end, with the row splits of a RaggedTensor."""

    def close(self, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Ends the chunk after its first `rows` rows.

        Returns:
          The values of all batches; the row splits of all batches, within each those of the
          outermost ragged dimension first; for each batch where its values begin and end, their
          shape, where each dimension's row splits begin, and where the last of them end.
        """
        batches = self.take(rows)
        rank = self.component.ragged_rank
        inner = self.component.shape[rank:]
        splits = [_row_splits(kept, rank) for kept in batches]
        shapes = [(int(parts[-1][-1]), *inner) for parts in splits]
        values, starts = self.place(list(map(math.prod, shapes)))
        table, begin = [], 0
        for kept, parts, shape, start in zip(batches, splits, shapes, starts, strict=True):
            end = start + math.prod(shape)
            if rank > 1:
                kept = [row.reshape(math.prod(row.shape[:rank]), *inner) for row in kept]
            np.concatenate(kept, out=values[start:end].reshape(shape))
            bounds = list(itertools.accumulate(map(len, parts), initial=begin))
            table.append((start, end, *shape, *bounds))
            begin = bounds[-1]
        joined = np.concatenate([part for parts in splits for part in parts])
        return values, joined, np.array(table, np.int64)


def _row_splits(kept: list[np.ndarray], rank: int) -> list[np.ndarray]:
    """Where the parts of each ragged dimension begin and end, outermost first."""
    if rank == 1:
        lengths = [np.fromiter(map(len, kept), np.int64, len(kept))]
    else:
        outer = np.array([row.shape[:rank] for row in kept], np.int64)
        repeats = np.cumprod(np.c_[np.ones(len(kept), np.int64), outer[:, :-1]], axis=1)
        lengths = [np.repeat(outer[:, k], repeats[:, k]) for k in range(rank)]
    return [np.concatenate([[0], np.cumsum(part)]) for part in lengths]
