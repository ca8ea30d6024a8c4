"""A CSV file in blocks of columns, each line of the right width or named."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator, Mapping
from typing import BinaryIO

import numpy as np

from helpers.sources.skipped import Skipped

BLOCK_BYTES = 1 << 20


class LineError(ValueError):
    """A line that does not fit the columns."""


def csv_blocks(
    path: str | os.PathLike,
    columns: Mapping[str, type],
    *,
    skipped: Skipped | None = None,
    block_bytes: int = BLOCK_BYTES,
) -> Iterator[dict[str, np.ndarray]]:
    """Reads a CSV file with a heading, a block of lines at a time.

    pandas reads the blocks. It would fill up a line that is too short, so the widths are counted
    first; and where something is wrong, the lines of the block are read one by one to say which.

    Args:
        path: The file, in UTF-8.
        columns: What to read: NumPy type by name, `str` for texts.
        skipped: Takes note of lines that cannot be read, which are left out then; by default they
            are an error.
        block_bytes: About how much is read at a time.

    Yields:
        For each block of lines a dictionary of arrays, one a column.

    Raises:
        LineError: In one sentence, with the line's number.
    """
    with open(path, "rb") as file:
        heading = _fields(file.readline().decode("utf-8-sig"))
        missing = [name for name in columns if name not in heading]
        if missing:
            raise ValueError(
                f"{path}: there is no column {missing[0]!r}; there are {', '.join(heading)}"
            )
        number = 2
        while block := _block(file, block_bytes):
            try:
                yield _parsed(block, heading, columns)
            except ValueError:  # of pandas, of NumPy, of UTF-8
                yield _one_by_one(block, heading, columns, path, number, skipped)
            number += block.count(b"\n")


def _fields(line: str) -> list[str]:
    return next(csv.reader([line]), [])


def _block(file: BinaryIO, size: int) -> bytes:
    """Whole lines, as far as no quoted field goes on over the end of one."""
    block = file.read(size) + file.readline()
    while block.count(b'"') % 2 and (line := file.readline()):
        block += line
    return block if block.endswith(b"\n") or not block else block + b"\n"


def _parsed(block: bytes, heading: list[str], columns: Mapping[str, type]) -> dict[str, np.ndarray]:
    import pandas

    if b'"' in block:
        widths = {len(fields) for fields in csv.reader(io.StringIO(block.decode())) if fields}
        right = widths <= {len(heading)}
    else:
        right = _widths(block) == {len(heading)}
    if not right:
        raise LineError("the lines of the block have several widths")
    table = pandas.read_csv(
        io.BytesIO(block),
        header=None,
        names=heading,
        usecols=list(columns),
        dtype={name: object if kind is str else kind for name, kind in columns.items()},
        keep_default_na=False,
        na_values=[],
    )
    return {name: table[name].to_numpy() for name in columns}


def _widths(block: bytes) -> set[int]:
    """Numbers of fields in the lines of a block without quotes."""
    data = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(data == ord("\n"))
    commas = np.searchsorted(np.flatnonzero(data == ord(",")), ends)
    return {int(width) + 1 for width in np.unique(np.diff(commas, prepend=0))}


def _one_by_one(block, heading, columns, path, number, skipped) -> dict[str, np.ndarray]:
    places = [heading.index(name) for name in columns]
    found: list[list] = [[] for _ in columns]
    for line in _logical_lines(block):
        where, number = number, number + line.count(b"\n")
        if not line.strip():
            continue
        try:
            values = _values(line, len(heading), places, columns)
        except ValueError as error:
            told = LineError(f"{path}, line {where}: {error}")
            if skipped is None:
                raise told from None
            skipped.note(f"{path}, line {where}", error)
            continue
        for column, value in zip(found, values, strict=True):
            column.append(value)
    return {
        name: np.array(values, object if kind is str else kind)
        for (name, kind), values in zip(columns.items(), found, strict=True)
    }


def _logical_lines(block: bytes) -> Iterator[bytes]:
    lines = iter(io.BytesIO(block))
    for line in lines:
        while line.count(b'"') % 2 and (more := next(lines, b"")):
            line += more
        yield line


def _values(line: bytes, width: int, places: list[int], columns: Mapping[str, type]) -> list:
    try:
        fields = _fields(line.decode())
    except csv.Error as error:
        raise LineError(str(error)) from None
    if len(fields) != width:
        raise LineError(f"{len(fields)} fields where the heading has {width}")
    values = []
    for place, (name, kind) in zip(places, columns.items(), strict=True):
        try:
            values.append(fields[place] if kind is str else np.dtype(kind).type(fields[place]))
        except ValueError:
            raise LineError(f"column {name} is {fields[place]!r}, no {np.dtype(kind)}") from None
    return values
