"""Rows whose making is written down, whichever process makes them."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

_STAMP = "qq"


class Stamped:
    """A generator function that writes down each of its rows."""

    def __init__(self, rows: Callable[[], Iterator[Any]], path: Path) -> None:
        """Writes nothing yet.

        Args:
            rows: Called without arguments, once an epoch.
            path: The file; several processes may append to it at once.
        """
        self._rows, self._path = rows, path

    def __call__(self) -> Iterator[Any]:
        """Yields what the generator yields."""
        with self._path.open("ab", buffering=0) as file:
            rows = iter(self._rows())
            while True:
                start = time.time_ns()
                try:
                    row = next(rows)
                except StopIteration:
                    return
                file.write(struct.pack(_STAMP, start, time.time_ns()))
                yield row


class StampedItems:
    """A source with a length and items that writes down each item it gives."""

    def __init__(self, source: Any, path: Path) -> None:
        """Writes nothing yet.

        Args:
            source: Has a length and items.
            path: The file; several processes may append to it at once.
        """
        self._source, self._path = source, path

    def __len__(self) -> int:
        return len(self._source)

    def __getitem__(self, number: int) -> Any:
        start = time.time_ns()
        item = self._source[number]
        stamp = struct.pack(_STAMP, start, time.time_ns())
        with self._path.open("ab", buffering=0) as file:  # so few bytes are appended in one act
            file.write(stamp)
        return item


def read_stamps(path: Path) -> list[tuple[int, int]]:
    """Returns the start and the end of each row, in nanoseconds of `time.time_ns`."""
    return list(struct.iter_unpack(_STAMP, path.read_bytes())) if path.exists() else []
