"""Batching before the crossing: rows of a generator become chunks of whole batches."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from helpers.bridge.buffers import Pool
from helpers.bridge.columns import (
    DenseColumn,
    NewShapeError,
    ScalarColumn,
    ScalarColumns,
)
from helpers.bridge.structure import Layout, Leaves, MismatchError
from helpers.bridge.varying import PaddedColumn, RaggedColumn, VaryingColumn

# A crossing costs 0.1 to 0.5 ms whatever it carries. While a chunk fills in less than FILL_SECONDS
# it grows, up to CHUNK_BYTES; the crossing is a small share of it then.
FILL_SECONDS = 0.004
CHUNK_BYTES = 16 << 20


class Workspace:
    """What one data set keeps from epoch to epoch.

    Args:
      layout: Structure of a row.

    Attributes:
      pools: Buffers for each component. New memory costs more than copying into it, because the
        system clears each page on its first use.
      batches: Batches in a chunk, as far as they fit `FILL_SECONDS` and `CHUNK_BYTES`.
    """

    def __init__(self, layout: Layout):
        self.pools = [Pool() for _ in layout.components]
        self.batches = 1

    def resize(self, seconds: float, arrays: list, rows: int, batch_size: int) -> None:
        """Learns from a chunk how many batches the next one should hold.

        Args:
          seconds: How long it took to fill.
          arrays: Its components, each an array or a tuple of arrays.
          rows: Its rows.
          batch_size: Rows in a batch.
        """
        batches = math.ceil(rows / batch_size)
        chunk_bytes = sum(
            array.nbytes
            for part in arrays
            for array in (part if isinstance(part, tuple) else (part,))
        )
        if seconds > 2 * FILL_SECONDS:
            self.batches = max(1, batches // 2)
        elif seconds < FILL_SECONDS and 2 * chunk_bytes <= CHUNK_BYTES:
            self.batches = max(2 * batches, self.batches)


class Chunks:
    """Iterator over chunks, each a structure of arrays whose rows are whole batches.

    Only the last chunk may end in a part of a batch. An error, of the generator or because a row
    does not match, comes at the batch in which it happens, as with `from_generator(...).batch(...)`
    of tf.data: full batches before it arrive, the rows of its own batch do not, and reading may go
    on after it if the generator can.

    Args:
      rows: The rows.
      gatherer: Where they gather, from `open_gatherer`.
      batch_size: Rows in a batch.
      drop_remainder: Leaves out a last batch of fewer rows.
      chunk_batches: Batches in a chunk; None for as many as the workspace says.
      workspace: Where that number is kept.
      pack: Makes a chunk from the list of its components.
    """

    def __init__(
        self,
        rows: Iterable,
        gatherer: DenseColumn | ScalarColumn | VaryingColumn | MixedColumns,
        *,
        batch_size: int,
        drop_remainder: bool,
        chunk_batches: int | None,
        workspace: Workspace,
        pack: Callable[[list], Any],
    ):
        self._rows = iter(rows)
        self._gatherer = gatherer
        self._batch_size = batch_size
        self._drop_remainder = drop_remainder
        self._chunk_batches = chunk_batches
        self._workspace = workspace
        self._pack = pack
        self._held: tuple = ()  # a row that was read and begins the next chunk
        self._error: Exception | None = None
        self._seen = 0  # rows before this chunk

    def __iter__(self) -> Iterator:
        """Returns itself."""
        return self

    def __next__(self) -> Any:
        """Fills the next chunk."""
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        start = time.perf_counter()
        rows, error = self._fill()
        if error is not None or self._drop_remainder:
            rows -= rows % self._batch_size
        if rows == 0:
            raise StopIteration if error is None else error
        self._error = error
        arrays = self._gatherer.close(rows)
        if not isinstance(arrays, list):
            arrays = [arrays]
        if self._chunk_batches is None:
            seconds = time.perf_counter() - start
            self._workspace.resize(seconds, arrays, rows, self._batch_size)
        return self._pack(arrays)

    def _fill(self) -> tuple[int, Exception | None]:
        """Reads rows; how many are good, and what is wrong after them."""
        wanted = (self._chunk_batches or self._workspace.batches) * self._batch_size
        gatherer = self._gatherer
        gatherer.open(wanted)
        source, self._held = itertools.chain(self._held, self._rows), ()
        error: Exception | None = None
        try:
            gatherer.fill(itertools.islice(source, wanted))
        except Exception as raised:
            error = raised
        rows = gatherer.filled
        if isinstance(error, NewShapeError):
            if rows % self._batch_size == 0:  # a new batch may have a new shape
                self._held, error = (error.row,), None
            else:
                error = self._skip_batch(source, rows, error)
        elif isinstance(error, MismatchError):
            error = self._numbered(error, rows)
        if rows:
            rows, mismatch = gatherer.convert(rows)
            if mismatch is not None:
                error = self._numbered(mismatch, rows)
        self._seen += rows + (error is not None)
        return rows, error

    def _skip_batch(self, source: Iterator, rows: int, shape: NewShapeError) -> Exception:
        """Reads to the end of a batch that cannot be built, as tf.data does."""
        error: Exception = ValueError(f"example {self._seen + rows}, {shape}")
        try:
            for row in itertools.islice(source, self._batch_size - rows % self._batch_size - 1):
                self._seen += 1
                self._gatherer.check(row)
        except MismatchError as mismatch:
            error = self._numbered(mismatch, rows)
        except Exception as raised:
            error = raised
        return error

    def _numbered(self, mismatch: MismatchError, rows: int) -> MismatchError:
        error = MismatchError(f"example {self._seen + rows}, {mismatch}")
        return error.with_traceback(mismatch.__traceback__)


class MixedColumns:
    """Gathers rows of any structure.

    Args:
      read: Takes a row apart into its components.
      columns: Where those gather that are not scalars.
      scalars: Where the scalars gather; None without any.
    """

    def __init__(
        self,
        read: Callable[[Any], Leaves],
        columns: Sequence[DenseColumn | VaryingColumn],
        scalars: ScalarColumns | None,
    ):
        self._read = read
        self._columns = columns
        self._scalars = scalars
        singles = scalars.columns if scalars is not None else ()
        self._all = sorted([*columns, *singles], key=lambda column: column.number)

    def open(self, rows: int) -> None:
        """Begins a chunk of up to `rows` rows."""
        self.filled = 0
        for column in self._columns:
            column.open(rows)
        if self._scalars is not None:
            self._scalars.open(rows)

    def fill(self, rows: Iterable) -> None:
        """Takes over rows; `filled` says how many, after an error too."""
        read = self._read
        puts = [(column.put, column.number) for column in self._columns]
        put_scalars = self._scalars.put if self._scalars is not None else None
        index, row = 0, None
        try:
            for row in rows:
                leaves = read(row)
                for put, number in puts:
                    put(index, leaves[number])
                if put_scalars is not None:
                    put_scalars(leaves)
                index += 1
        except NewShapeError as error:
            error.row = row
            raise
        finally:
            self.filled = index

    def check(self, row: Any) -> None:
        """Raises MismatchError if a row does not match."""
        leaves = self._read(row)
        for column in self._all:
            column.component.convert(leaves[column.number])

    def convert(self, rows: int) -> tuple[int, MismatchError | None]:
        """Converts what waits; how many rows are good, and what is wrong with the next one."""
        return (rows, None) if self._scalars is None else self._scalars.convert(rows)

    def close(self, rows: int) -> list:
        """Ends the chunk after its first `rows` rows and hands over its components."""
        return [column.close(rows) for column in self._all]


def open_gatherer(
    layout: Layout,
    pools: Sequence[Pool],
    batch_size: int,
    varying: str | None = None,
    padding: Leaves = (),
    read: Callable[[Any], Leaves] | None = None,
) -> DenseColumn | ScalarColumn | VaryingColumn | MixedColumns:
    """Chooses where rows gather.

    Args:
      layout: Their structure.
      pools: Where the buffers of each component come from.
      batch_size: Rows in a batch.
      varying: "pad" or "ragged" for components with unknown dimensions; None to expect one shape
        throughout a batch.
      padding: What to pad each component with.
      read: Takes a row apart into its components; by default, by the layout.
    """
    columns: list[DenseColumn | VaryingColumn] = []
    scalars = []
    for number, (component, pool) in enumerate(zip(layout.components, pools, strict=True)):
        if component.shape == ():
            scalars.append(ScalarColumn(component, number, pool))
        elif component.is_fixed or varying is None:
            columns.append(DenseColumn(component, number, pool))
        elif varying == "pad":
            columns.append(PaddedColumn(component, number, pool, batch_size, padding[number]))
        else:
            columns.append(RaggedColumn(component, number, pool, batch_size))
    if read is None and layout.template == 0:
        return [*scalars, *columns][0]
    return MixedColumns(
        read or layout.reader(), columns, ScalarColumns(scalars) if scalars else None
    )
