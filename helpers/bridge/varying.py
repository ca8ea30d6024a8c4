"""Where rows of varying shape gather: padded to the largest of the batch, or end to end.

Rows are copied as they come, as in `columns`; what they become is known at the end of the batch.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from helpers.bridge.buffers import Pool
from helpers.bridge.columns import Column
from helpers.bridge.structure import Component


class PaddedColumn(Column):
    """Keeps rows of varying shape and pads them to the largest of the batch.

    Args:
      component: The component.
      number: Its place among the components of a row.
      pool: Where its buffers come from.
      padding: The value to pad with.
    """

    def __init__(self, component: Component, number: int, pool: Pool, padding: object = None):
        super().__init__(component, number, pool)
        self.padding = padding

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
        """Copies rows of this one component; `filled` says how many, after an error too."""
        kept, array_type = self._kept, np.ndarray
        append, put = kept.append, self.put
        dtype, rank = self.component.dtype, len(self.component.shape)
        open_sizes = set(self.component.shape) == {None} and not self.component.is_text
        try:
            for value in rows:
                if (
                    open_sizes
                    and type(value) is array_type
                    and value.dtype is dtype
                    and value.ndim == rank
                ):
                    append(value.copy())
                else:
                    put(len(kept), value)
        finally:
            self.filled = len(kept)

    def close(self, rows: int) -> np.ndarray:
        """Ends the chunk after its first `rows` rows and hands it over."""
        kept, self._kept = self._kept[:rows], []
        sizes = map(max, zip(*(row.shape for row in kept), strict=True))
        padded = self.lease((rows, *sizes))
        padded[...] = self.padding
        if padded.ndim == 2:
            for target, row in zip(padded, kept, strict=True):
                target[: len(row)] = row
        else:
            for target, row in zip(padded, kept, strict=True):
                target[tuple(map(slice, row.shape))] = row
        return padded


class RaggedColumn(PaddedColumn):
    """Keeps rows of varying shape and hands over their values end to end, with their lengths."""

    def close(self, rows: int) -> tuple[np.ndarray, ...]:
        """Ends the chunk after its first `rows` rows.

        Returns:
          The values of all rows, then for each ragged dimension, outermost first, its lengths.
        """
        kept, self._kept = self._kept[:rows], []
        rank = self.component.ragged_rank
        outer = np.array([row.shape[:rank] for row in kept], np.int64)
        counts = outer.prod(axis=1)
        inner = self.component.shape[rank:]
        values = self.lease((int(counts.sum()), *inner))
        if rank > 1:
            kept = [row.reshape(n, *inner) for row, n in zip(kept, counts, strict=True)]
        np.concatenate(kept, out=values)
        repeats = np.cumprod(np.c_[np.ones(rows, np.int64), outer[:, :-1]], axis=1)
        return (values, *(np.repeat(outer[:, k], repeats[:, k]) for k in range(rank)))
