"""Chunks that a source gives as slices."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.bridge.chunks import Workspace
from helpers.bridge.columns import Column
from helpers.bridge.structure import Layout, MismatchError, children, is_nested


def first_slice(source: Any, count: int) -> Any:
    """Reads a first short slice of a source.

    Returns:
      A structure of arrays; None if the source does not give slices as arrays.
    """
    if count == 0:
        return None
    try:
        piece = source[0 : min(2, count)]
    except Exception:  # whatever a source without slices raises
        return None
    return piece if _are_arrays(piece, min(2, count)) else None


def _are_arrays(piece: Any, rows: int) -> bool:
    if is_nested(piece):
        return len(piece) > 0 and all(_are_arrays(part, rows) for _, part in children(piece))
    return isinstance(piece, np.ndarray) and piece.ndim > 0 and len(piece) == rows


class Slices:
    """Iterator over chunks that are slices of a source, copied into leased buffers.

    They are copied because TensorFlow may use memory that crosses as an array for its results.

    Args:
      source: Gives a structure of arrays for a slice.
      count: Its length.
      layout: Structure of a row.
      workspace: Its buffers, and how many batches a chunk holds.
      batch_size: Rows in a batch.
      chunk_batches: Batches in a chunk; None for as many as the workspace says.
    """

    def __init__(
        self,
        source: Any,
        count: int,
        layout: Layout,
        workspace: Workspace,
        *,
        batch_size: int,
        chunk_batches: int | None,
    ):
        self._source = source
        self._count = count
        self._layout = layout
        self._read: Callable = layout.reader()
        self._columns = [
            Column(component, number, pool)
            for number, (component, pool) in enumerate(
                zip(layout.components, workspace.pools, strict=True)
            )
        ]
        self._workspace = workspace
        self._batch_size = batch_size
        self._chunk_batches = chunk_batches
        self._start = 0

    def __iter__(self) -> Slices:
        """Returns itself."""
        return self

    def __next__(self) -> Any:
        """Reads the next slice."""
        if self._start >= self._count:
            raise StopIteration
        begin = time.perf_counter()
        batches = self._chunk_batches or self._workspace.batches
        rows = min(batches * self._batch_size, self._count - self._start)
        start, self._start = self._start, self._start + rows
        arrays = [
            self._copy(column, values, start, rows)
            for column, values in zip(
                self._columns, self._read(self._source[start : start + rows]), strict=True
            )
        ]
        if self._chunk_batches is None:
            self._workspace.resize(time.perf_counter() - begin, arrays, rows, self._batch_size)
        return self._layout.pack(arrays)

    def _copy(self, column: Column, values: Any, start: int, rows: int) -> np.ndarray:
        component = column.component
        shape = (rows, *component.shape)
        values = np.asarray(values)
        if values.shape != shape:
            raise MismatchError(
                f"examples {start} to {start + rows - 1}, {component.name}: expected a slice of "
                f"shape {shape}, found shape {values.shape}"
            )
        array = column.lease(shape)
        array[...] = values
        return array
