"""What the benchmark's arms load: rows that exist already, and rows that cost work in Python.

Only NumPy is imported here: worker processes of other loaders unpickle these sources, and their
start is part of what is measured.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np


class Stored:
    """Rows that exist already: a length, items, and a generator function over them.

    Args:
        rows: The rows as a user has them: an array, or a list of dictionaries, texts or arrays.
        passes: How often an epoch goes through them, so that it may be longer than memory.
    """

    def __init__(self, rows: Sequence[Any], passes: int = 1) -> None:
        self.rows = rows
        self.passes = passes

    def __len__(self) -> int:
        """Rows in an epoch."""
        return len(self.rows) * self.passes

    def __getitem__(self, index: int) -> Any:
        """One row, as a loader with a sampler asks for it."""
        return self.rows[index % len(self.rows)]

    def generate(self) -> Iterator[Any]:
        """The generator function, as `tf.data.Dataset.from_generator` takes it."""
        for _ in range(self.passes):
            yield from self.rows


class Working(Stored):
    """Rows that each cost work in Python, which holds the GIL.

    Args:
        rows: The rows.
        passes: How often an epoch goes through them.
        loops: Turns of an empty loop before each row.
    """

    def __init__(self, rows: Sequence[Any], passes: int, loops: int) -> None:
        super().__init__(rows, passes)
        self.loops = loops

    def __getitem__(self, index: int) -> Any:
        """One row, after the work."""
        for _ in range(self.loops):
            pass
        return self.rows[index % len(self.rows)]

    def generate(self) -> Iterator[Any]:
        """The generator function."""
        for index in range(len(self)):
            for _ in range(self.loops):
                pass
            yield self.rows[index % len(self.rows)]


def columns(kind: str, rows: Any) -> Any:
    """Rows as arrays, one a component."""
    if kind == "dict":
        return {name: np.array([row[name] for row in rows], np.float32) for name in rows[0]}
    return np.array(rows, object) if kind == "text" else rows


def stack(kind: str, rows: list[Any]) -> Any:
    """The rows of a batch as arrays, as a user stacks them in a generator or a collate function."""
    if kind in ("dict", "text"):
        return columns(kind, rows)
    if kind != "padded":
        return np.stack(rows)
    batch = np.zeros((len(rows), max(map(len, rows))), np.float32)
    for target, row in zip(batch, rows, strict=True):
        target[: len(row)] = row
    return batch


@dataclass(frozen=True)
class Workload:
    """One kind of rows, and how many of them a trial takes.

    Attributes:
        name: What tables and `--only` call it.
        description: The rows in words.
        kind: "array", "dict", "text", "ragged" (batches are RaggedTensors), "padded" (batches are
            padded to their longest row) or "work" (arrays, each after Python work).
        batch_size: Rows in a batch.
        make: Makes that many rows, always the same.
        stored: Rows kept in memory; an epoch that is longer goes through them several times.
        many: Rows in an epoch of the fast arms: many chunks of the bridge, because the first
            batches of an epoch lie in new memory, and workers fill chunks before the first one.
        some: Rows in an epoch of the arms that start processes; 0 for `many`.
        few: Rows in an epoch of the slow arms, which take a hundred times as long; 0 for `many`.
        work_us: Microseconds of Python work a row; see `PYTHON_LOOPS_PER_US`.
    """

    name: str
    description: str
    kind: str
    batch_size: int
    make: Callable[[int], Sequence[Any]]
    stored: int
    many: int
    some: int = 0
    few: int = 0
    work_us: float = 0

    def source(self, size: str = "many") -> Stored:
        """The rows of an epoch.

        Args:
            size: "many", "some" or "few".
        """
        count = getattr(self, size) or self.many
        stored = min(count, self.stored)
        rows, passes = self.make(stored), count // stored
        if not self.work_us:
            return Stored(rows, passes)
        from helpers.study.workloads import PYTHON_LOOPS_PER_US  # imports TensorFlow

        return Working(rows, passes, round(self.work_us * PYTHON_LOOPS_PER_US))

    def shortened(self) -> Workload:
        """The workload of a quick run: two passes over a few batches."""
        rows = 4 * self.batch_size
        return dataclasses.replace(
            self, stored=rows, many=2 * rows, some=self.some and rows, few=self.few and rows
        )


def _random(*shape: int) -> Callable[[int], np.ndarray]:
    return lambda count: np.random.default_rng(0).random((count, *shape), dtype=np.float32)


def _features(count: int) -> list[dict[str, float]]:
    values = np.random.default_rng(0).random((count, 10), dtype=np.float32).tolist()
    return [{f"feature_{k}": value for k, value in enumerate(row)} for row in values]


def _texts(count: int) -> list[str]:
    letters = np.random.default_rng(0).integers(97, 123, (count, 60), np.uint8).tobytes().decode()
    lengths = _lengths(count, 20, 60)
    return [letters[60 * k : 60 * k + length] for k, length in enumerate(lengths)]


def _sequences(count: int) -> list[np.ndarray]:
    values = np.random.default_rng(0).random((count, 128), dtype=np.float32)
    lengths = _lengths(count, 16, 128)
    return [row[:length].copy() for row, length in zip(values, lengths, strict=True)]


def _lengths(count: int, low: int, high: int) -> list[int]:
    return np.random.default_rng(1).integers(low, high, count, endpoint=True).tolist()


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(
            "scalars", "a float32 each, from an array", "array", 256, _random(),
            stored=262_144, many=262_144, some=16_384, few=4096,
        ),
        Workload(
            "dict of 10", "dictionaries of 10 Python floats", "dict", 256, _features,
            stored=65_536, many=65_536, some=16_384, few=2048,
        ),
        Workload(
            "4 KB", "32×32 float32, from an array", "array", 64, _random(32, 32),
            stored=16_384, many=65_536, some=4096, few=4096,
        ),
        Workload(
            "40 KB", "100×100 float32, from an array", "array", 128, _random(100, 100),
            stored=2048, many=16_384, some=4096, few=4096,
        ),
        Workload(
            "600 KB", "224×224×3 float32, from an array", "array", 32, _random(224, 224, 3),
            stored=128, many=4096, some=1024, few=1024,
        ),
        Workload(
            "strings", "Python strings of 20 to 60 characters", "text", 256, _texts,
            stored=131_072, many=131_072, some=16_384, few=4096,
        ),
        Workload(
            "ragged", "float32 rows of 16 to 128 values, as RaggedTensors", "ragged", 128,
            _sequences, stored=32_768, many=32_768, some=8192, few=2048,
        ),
        Workload(
            "padded", "the same rows, padded to the longest of the batch", "padded", 128,
            _sequences, stored=32_768, many=32_768, some=8192, few=2048,
        ),
        Workload(
            "0.1 ms of Python", "40 KB rows, each after 0.1 ms that hold the GIL", "work", 32,
            _random(100, 100), stored=64, many=2048, work_us=100,
        ),
        Workload(
            "1 ms of Python", "40 KB rows, each after 1 ms that holds the GIL", "work", 32,
            _random(100, 100), stored=64, many=1024, work_us=1000,
        ),
    )
}  # fmt: skip
"""Every workload, in the order in which they are run."""
