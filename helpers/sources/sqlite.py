"""A table of an SQLite database as a source, read column by column."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from helpers.sources.opened import Opened

CHUNK_ROWS = 256
"""Rows that are read together where one is wanted: looking a row up costs as much as reading 30."""

AFFINITIES = {
    "INT": np.int64, "CHAR": object, "CLOB": object, "TEXT": object, "BLOB": object,
    "REAL": np.float64, "FLOA": np.float64, "DOUB": np.float64,
}  # fmt: skip
"""By what a declared type contains, in the order in which SQLite looks (datatype3.html)."""


class Table(Opened):
    """A table whose items are dictionaries of values, and whose slices are those of arrays.

    Args:
        path: The database; each process opens it for itself, for reading only.
        table: Name of the table.
        columns: Names of the columns; all of them unless given.
        key: A column of integers, each once, by which the rows are ordered.
        timeout_s: How long to wait for somebody who is writing.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        table: str,
        columns: Sequence[str] | None = None,
        *,
        key: str = "rowid",
        timeout_s: float = 5,
    ):
        path = Path(path).absolute()
        super().__init__(lambda: _Open(path, table, columns, key, timeout_s))

    @property
    def chunks(self) -> tuple[int]:
        """How many rows are read together."""
        return (CHUNK_ROWS,)

    def close(self) -> None:
        """Closes the database; the next item opens it again."""
        if self._opened is not None:
            self.opened.connection.close()
            self._opened = None


class _Open:
    """A table, open in this process."""

    def __init__(self, path, table, columns, key, timeout_s):
        self._name = f"{path}, table {table}"
        self._table, self._key = _quoted(table), _quoted(key)
        if not path.is_file():
            raise FileNotFoundError(f"there is no database {path}")
        with self._told():
            self.connection = sqlite3.connect(
                f"{path.as_uri()}?mode=ro",
                uri=True,
                timeout=timeout_s,
                check_same_thread=False,  # TensorFlow reads in any thread, one at a time
            )
            declared = self._declared()
            self._types = {name: _type_of(declared, name) for name in columns or declared}
            self._select = f"SELECT {', '.join(map(_quoted, self._types))} FROM {self._table}"
            keys = self.connection.execute(f"SELECT {self._key} FROM {self._table} ORDER BY 1")
            self.keys = np.fromiter((key for (key,) in keys), np.int64)

    def _declared(self) -> dict[str, str]:
        found = self.connection.execute(f"PRAGMA table_info({self._table})").fetchall()
        if not found:
            raise OSError(f"{self._name}: there is no such table")
        return {name: kind.upper() for _, name, kind, *_ in found}

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise OSError(f"{self._name}: {error}") from error

    def __len__(self) -> int:
        return len(self.keys)

    def __getitem__(self, index: Any) -> dict[str, Any]:
        if isinstance(index, slice):
            rows = range(len(self.keys))[index]
            if not rows:
                return self._columns(self.keys[:0])
            columns = self._columns(self.keys[min(rows) : max(rows) + 1])
            return {name: values[:: rows.step] for name, values in columns.items()}
        columns = self._columns(self.keys[[index]])
        return {name: values[0] for name, values in columns.items()}

    def _columns(self, keys: np.ndarray) -> dict[str, np.ndarray]:
        if not len(keys):
            return {name: np.empty(0, kind) for name, kind in self._types.items()}
        with self._told():
            rows = self.connection.execute(
                f"{self._select} WHERE {self._key} BETWEEN ? AND ? ORDER BY {self._key}",
                (int(keys[0]), int(keys[-1])),
            ).fetchall()
        if len(rows) != len(keys):
            raise OSError(
                f"{self._name}: {len(rows)} rows where there were {len(keys)} when it was opened, "
                f"from {keys[0]} to {keys[-1]}; somebody has changed the table"
            )
        values = zip(*rows, strict=True)
        return {
            name: self._array(name, kind, column, keys)
            for (name, kind), column in zip(self._types.items(), values, strict=True)
        }

    def _array(self, name: str, kind: type, column: tuple, keys: np.ndarray) -> np.ndarray:
        if kind is not object:
            with contextlib.suppress(TypeError, ValueError, OverflowError):
                array = np.array(column)
                if array.dtype.kind in "if":
                    return array.astype(kind, casting="same_kind", copy=False)
        accepted = (str, bytes) if kind is object else (int, float)
        for key, value in zip(keys, column, strict=True):
            if not isinstance(value, accepted) or (kind is np.int64 and isinstance(value, float)):
                found = "NULL" if value is None else repr(value)
                raise ValueError(f"{self._name}, row {key}: column {name} is {found}")
        return np.array(column, kind)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if name != "rowid" else name


def _type_of(declared: dict[str, str], name: str) -> type:
    if name not in declared:
        raise ValueError(f"there is no column {name!r}; there are {', '.join(declared)}")
    for part, kind in AFFINITIES.items():
        if part in declared[name]:
            return kind
    raise ValueError(
        f"column {name!r} has the type {declared[name]!r}, of which it cannot be known what it "
        "holds; leave it out of columns"
    )
