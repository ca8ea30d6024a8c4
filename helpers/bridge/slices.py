"""Chunks that a source gives as slices."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.bridge.chunks import Plan, Workspace
from helpers.bridge.columns import Column
from helpers.bridge.errors import RAISED, GeneratorError, MismatchError, as_kind, kind_of, told
from helpers.bridge.structure import children, is_nested


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
      plan: How rows become chunks.
      workspace: Its buffers, and how many batches a chunk holds.
      first: Number of the row with which to begin.

    Attributes:
      resumes_at: Number of the row with which the next chunk begins.
    """

    def __init__(self, source: Any, count: int, plan: Plan, workspace: Workspace, first: int):
        self.resumes_at = first
        self._source = source
        self._count = count
        self._plan = plan
        self._workspace = workspace
        self._read: Callable = plan.layout.reader()
        self._columns = [
            Column(component, number, pool)
            for number, (component, pool) in enumerate(
                zip(plan.layout.components, workspace.pools, strict=True)
            )
        ]

    def __iter__(self) -> Slices:
        """Returns itself."""
        return self

    def __next__(self) -> list:
        """Reads the next slice.

        Raises:
          GeneratorError: The source raised.
          MismatchError: The slice has another shape than its items promised.
        """
        start, batch_size = self.resumes_at, self._plan.batch_size
        if start >= self._count:
            raise StopIteration
        begin = time.perf_counter()
        batches = self._plan.chunk_batches or self._workspace.batches
        rows = min(batches * batch_size, self._count - start)
        try:
            arrays = self._slice(start, rows)
        except Exception:
            if rows <= batch_size:
                self.resumes_at += rows
                raise
            rows = batch_size  # batches before the one that fails are good
            self.resumes_at += rows
            arrays = self._slice(start, rows)
        self.resumes_at = start + rows
        if self._plan.chunk_batches is None:
            seconds = time.perf_counter() - begin
            self._workspace.resize(seconds, arrays, rows, batch_size)
        return arrays

    def _slice(self, start: int, rows: int) -> list[np.ndarray]:
        where = f"examples {start} to {start + rows - 1}"
        try:
            values = self._read(self._source[start : start + rows])
        except MismatchError as error:
            raise MismatchError(f"{where}, {error}") from None
        except RAISED as error:
            kind = as_kind(GeneratorError, kind_of(error))
            raise kind(f"{where}: {told(error)}") from None
        return [
            self._copy(column, array, where, rows)
            for column, array in zip(self._columns, values, strict=True)
        ]

    def _copy(self, column: Column, values: Any, where: str, rows: int) -> np.ndarray:
        component = column.component
        shape = (rows, *component.shape)
        values = np.asarray(values)
        if values.shape != shape:
            raise MismatchError(
                f"{where}, {component.name}: expected a slice of shape {shape}, found shape "
                f"{values.shape}"
            )
        if component.guessed and values.dtype != component.dtype:
            try:
                component.check_held(values)
            except MismatchError as error:
                raise MismatchError(f"{where}, {error}") from None
        array = column.lease(shape)
        array[...] = values
        return array
