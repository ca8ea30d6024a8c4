"""Rows of files as people write them: a length and items, or a generator, a row at a time.

Nothing here imports TensorFlow: worker processes of all loaders import it.
"""

from __future__ import annotations

import csv
import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

SIDE = 80
"""Pixels of a picture's side, after it is cut and halved."""


class Pictures:
    """JPEG files, decoded, cut, halved and every other one mirrored.

    All of it is whole numbers, so that other decoders and libraries can give the same.

    Args:
        paths: The files.
    """

    def __init__(self, paths: list[str]):
        self.paths = paths
        self.corners = np.random.default_rng(0).integers(0, 97, (len(paths), 2))

    def __len__(self) -> int:
        """Number of files."""
        return len(self.paths)

    def __getitem__(self, index: int) -> np.ndarray:
        """Returns a picture, (SIDE, SIDE, 3) uint8."""
        from PIL import Image

        with Image.open(self.paths[index]) as image:
            picture = np.asarray(image)
        top, left = self.corners[index] % (np.array(picture.shape[:2]) - 2 * SIDE + 1)
        cut = picture[top : top + 2 * SIDE, left : left + 2 * SIDE].astype(np.uint16)
        small = (cut[::2, ::2] + cut[1::2, ::2] + cut[::2, 1::2] + cut[1::2, 1::2]) // 4
        return small[:, :: -1 if index % 2 else 1].astype(np.uint8)


class Queried:
    """Rows of an SQLite table, a query for each.

    Args:
        path: The database.
        table: Name of the table, whose rows are numbered from 1.
        count: Its rows.
    """

    def __init__(self, path: Path, table: str, count: int):
        self.path, self.table, self.count = path, table, count
        self.connection: sqlite3.Connection | None = None

    def __len__(self) -> int:
        """Number of rows."""
        return self.count

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Returns a row."""
        if self.connection is None:
            self.connection = sqlite3.connect(self.path, check_same_thread=False)
            self.connection.row_factory = sqlite3.Row
        query = f"SELECT * FROM {self.table} WHERE rowid = ?"
        return dict(self.connection.execute(query, (int(index) + 1,)).fetchone())

    def cursor(self) -> Iterator[dict[str, Any]]:
        """Yields the rows, one query for all."""
        connection = sqlite3.connect(self.path, check_same_thread=False)
        connection.row_factory = sqlite3.Row
        try:
            for row in connection.execute(f"SELECT * FROM {self.table} LIMIT {self.count}"):
                yield dict(row)
        finally:
            connection.close()


class Framed:
    """Rows of a table that pandas has read.

    Args:
        frame: The DataFrame.
    """

    def __init__(self, frame: Any):
        self.columns = {name: frame[name].to_numpy() for name in frame}

    def __len__(self) -> int:
        """Number of rows."""
        return len(next(iter(self.columns.values())))

    def __getitem__(self, index: int) -> dict[str, Any]:
        """Returns a row."""
        return {name: values[index] for name, values in self.columns.items()}


def parquet_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Yields the rows of a Parquet file as dictionaries."""
    import pyarrow.parquet

    with pyarrow.parquet.ParquetFile(path) as file:
        for batch in file.iter_batches():
            yield from batch.to_pylist()


def csv_rows(path: Path, kinds: dict[str, type]) -> Iterator[dict[str, Any]]:
    """Yields the rows of a CSV file as dictionaries."""
    with open(path, newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield {name: kind(row[name]) for name, kind in kinds.items()}


class Reordered:
    """The rows of an HDF5 data set in an order, each read by itself.

    Args:
        path: The file.
        name: Name of the data set.
        order: Where the rows stand in it.
    """

    def __init__(self, path: Path, name: str, order: np.ndarray):
        self.path, self.name, self.order = path, name, order
        self.stored: Any = None

    def __len__(self) -> int:
        """Number of rows."""
        return len(self.order)

    def __getitem__(self, index: int) -> np.ndarray:
        """Returns a row."""
        if self.stored is None:
            import h5py

            self.stored = h5py.File(self.path)[self.name]
        return self.stored[int(self.order[index])]

    def __getstate__(self) -> dict:
        """Leaves out the file, which belongs to this process."""
        return {**self.__dict__, "stored": None}


class Tokens:
    """Lines of a text as numbers of their words, from 1 on.

    Args:
        texts: The lines.
        numbers: The number of each word.
    """

    def __init__(self, texts: list[str], numbers: dict[str, int]):
        self.texts, self.numbers = texts, numbers

    def __len__(self) -> int:
        """Number of lines."""
        return len(self.texts)

    def __getitem__(self, index: int) -> np.ndarray:
        """Returns a line, (words,) int32."""
        return np.array([self.numbers[word] for word in self.texts[index].split()], np.int32)


class Windows:
    """Windows of a recording, each half over the one before, with a taper.

    Args:
        samples: The recording, (samples,) int16.
        size: Samples in a window.
        count: Number of windows; the recording begins again as often as it takes.
    """

    def __init__(self, samples: np.ndarray, size: int, count: int):
        self.size, self.step, self.count = size, size // 2, count
        self.samples = np.resize(samples, (count + 1) * self.step)
        self.taper = np.hanning(size).astype(np.float32)

    def __len__(self) -> int:
        """Number of windows."""
        return self.count

    def __getitem__(self, index: Any) -> np.ndarray:
        """Returns a window, (size,) float32; or those of a slice."""
        if isinstance(index, slice):
            start, stop, _ = index.indices(self.count)
            held = self.samples[start * self.step : (stop + 1) * self.step]
            return (
                np.lib.stride_tricks.sliding_window_view(held, self.size)[:: self.step] * self.taper
            )
        return self.samples[index * self.step : index * self.step + self.size] * self.taper


def messages(address: tuple[str, int], size: int) -> Iterator[np.ndarray]:
    """Yields what arrives at a connection until its end, as people write it.

    Args:
        address: Where to connect.
        size: Numbers in a message, float32.
    """
    with socket.create_connection(address) as connection:
        while True:
            head = _exactly(connection, 4)
            length = int.from_bytes(head, "big")
            if not length:
                return
            yield np.frombuffer(_exactly(connection, length), np.float32)


def _exactly(connection: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError("the connection ended in the middle of a message")
        data += more
    return data
