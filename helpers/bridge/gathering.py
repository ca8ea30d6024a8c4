"""Rows of any structure, taken apart into the columns where their components gather."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from helpers.bridge.buffers import Pool
from helpers.bridge.columns import DenseColumn, NewShapeError, ScalarColumn, ScalarColumns
from helpers.bridge.errors import MismatchError
from helpers.bridge.structure import Layout, Leaves
from helpers.bridge.varying import PaddedColumn, RaggedColumn, VaryingColumn


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
        """Takes over more rows; `filled` says how many, after an error too."""
        read = self._read
        puts = [(column.put, column.number) for column in self._columns]
        put_scalars = self._scalars.put if self._scalars is not None else None
        index, row = self.filled, None
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


Gatherer = DenseColumn | ScalarColumn | VaryingColumn | MixedColumns


def open_gatherer(
    layout: Layout,
    pools: Sequence[Pool],
    batch_size: int,
    varying: str | None = None,
    padding: Leaves = (),
) -> Gatherer:
    """Chooses where rows gather.

    Args:
      layout: Their structure.
      pools: Where the buffers of each component come from.
      batch_size: Rows in a batch.
      varying: "pad" or "ragged" for components with unknown dimensions; None to expect one shape
        throughout a batch.
      padding: What to pad each component with.
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
    if layout.template == 0:
        return [*scalars, *columns][0]
    return MixedColumns(layout.reader(), columns, ScalarColumns(scalars) if scalars else None)
