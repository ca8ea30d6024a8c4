"""The handwritten digits that scikit-learn ships, as a CSV file that is read line by line."""

from __future__ import annotations

import csv
import gzip
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import numpy as np

FEATURES, CLASSES = 64, 10


def write_digits(path: Path) -> Path:
    """Writes the 1797 digits, 64 grey values and the digit in a line, and returns the path."""
    shipped = files("sklearn").joinpath("datasets", "data", "digits.csv.gz")
    with shipped.open("rb") as packed, gzip.open(packed) as lines, path.open("wb") as file:
        shutil.copyfileobj(lines, file)
    return path


class Lines:
    """The rows of such a file, from the first line on, and from the first again."""

    def __init__(self, path: Path, count: int):
        """Opens nothing yet.

        Args:
            path: The file.
            count: Rows in an epoch, as many times through the file as it takes.
        """
        self._path, self._count = path, count

    def rows(self) -> Iterator[tuple[np.ndarray, np.int32]]:
        """Yields (64 float32, label) a line, as a generator of one's own would."""
        left = self._count
        while left > 0:
            with self._path.open(newline="") as file:
                for _, line in zip(range(left), csv.reader(file), strict=False):
                    numbers = np.array(line, np.float32)
                    yield numbers[:-1] / 16, np.int32(numbers[-1])
                    left -= 1
