"""The rows of a Parquet file as a source, a row group at a time."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from helpers.sources.opened import Opened


class Parquet(Opened):
    """A Parquet file whose items are dictionaries of values, and whose slices are those of arrays.

    The columns of the row group that was read last stay as they came from Arrow: a slice of numbers
    is a view of them.

    Args:
        path: The file; each process opens it for itself.
        columns: Names of the columns; all of them unless given.
    """

    def __init__(self, path: str | os.PathLike, columns: Sequence[str] | None = None):
        path = Path(path).absolute()
        super().__init__(lambda: _Open(path, columns))


class _Open:
    """A file, open in this process."""

    def __init__(self, path, columns):
        import pyarrow
        import pyarrow.parquet

        self._path = path
        self._errors = (OSError, pyarrow.ArrowException)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file {path}")
        try:
            self._file = pyarrow.parquet.ParquetFile(path, page_checksum_verification=True)
        except self._errors as error:
            raise OSError(f"{path}: {error}") from error
        self._columns = list(columns or self._file.schema_arrow.names)
        missing = set(self._columns) - set(self._file.schema_arrow.names)
        if missing:
            raise ValueError(f"{path}: there is no column {', '.join(sorted(missing))}")
        groups = range(self._file.metadata.num_row_groups)
        rows = [self._file.metadata.row_group(group).num_rows for group in groups]
        self._starts = np.cumsum([0, *rows])
        self.chunks = (max([1, *rows]),)
        self._group: tuple[int, dict[str, np.ndarray]] = -1, {}

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, index: Any) -> dict[str, Any]:
        if not isinstance(index, slice):
            row = range(len(self))[index]
            return {name: values[0] for name, values in self._rows(row, row + 1).items()}
        rows = range(len(self))[index]
        if not rows:
            nothing = self._file.schema_arrow.empty_table()
            return {name: nothing.column(name).to_numpy() for name in self._columns}
        columns = self._rows(min(rows), max(rows) + 1)
        return {name: values[:: rows.step] for name, values in columns.items()}

    def _rows(self, start: int, stop: int) -> dict[str, np.ndarray]:
        parts = []
        first, last = np.searchsorted(self._starts, (start, stop - 1), "right") - 1
        for group in range(first, last + 1):
            begin = self._starts[group]
            held = slice(max(0, start - begin), stop - begin)
            parts.append({name: values[held] for name, values in self._read(group).items()})
        if len(parts) == 1:
            return parts[0]
        return {name: np.concatenate([part[name] for part in parts]) for name in self._columns}

    def _read(self, group: int) -> dict[str, np.ndarray]:
        if self._group[0] != group:
            where = f"{self._path}, rows {self._starts[group]} to {self._starts[group + 1] - 1}"
            try:
                table = self._file.read_row_group(group, self._columns)
            except self._errors as error:
                raise OSError(f"{where}: {error}") from error
            for name, column in zip(table.column_names, table.columns, strict=True):
                if column.null_count:
                    raise ValueError(f"{where}: column {name} has {column.null_count} nulls")
            arrays = {name: table.column(name).to_numpy() for name in self._columns}
            self._group = group, arrays
        return self._group[1]
