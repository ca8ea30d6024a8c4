"""A folder of rows, read by TensorFlow alone: what Python once made, without Python.

Numbers lie in a file a shard as they lie in memory, which TensorFlow maps, so that a batch costs
the one copy that it costs `from_tensor_slices(...).batch(...)`; strings in a file a batch. A batch
is read by its number, so that tf.data service can divide them among its workers.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from helpers.bridge.structure import Component, Layout
from helpers.quiet import tf

PLAN = "plan.json"
"""What the folder is to hold, written first."""

MANIFEST = "manifest.json"
"""What it holds, written last."""


class StoredError(RuntimeError):
    """A folder of rows cannot be written, or is not whole."""


def shard_name(shard: int) -> str:
    """Names the folder of a shard."""
    return f"shard-{shard:05d}"


def chunk_name(number: int, place: int) -> str:
    """Names the file of one batch of a component of strings."""
    return f"{number}-{place}.tensor"


@dataclass(frozen=True)
class Stored:
    """Rows on the disk.

    Attributes:
        folder: Where.
        layout: Of a row.
        batch_size: Rows in a batch.
        counts: Rows of each shard.
    """

    folder: Path
    layout: Layout
    batch_size: int
    counts: tuple[int, ...]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return sum(self.counts)

    def __str__(self) -> str:
        return f"{self.rows} rows in {len(self.counts)} shards, batches of {self.batch_size}"

    def dataset(self) -> tf.data.Dataset:
        """Gives the batches, shard after shard.

        The files are mapped: they may be deleted while they are read, but not cut short.
        """
        shards, places = [], []
        for shard, rows in enumerate(self.counts):
            for place in range(-(-rows // self.batch_size)):
                shards.append(shard)
                places.append(place)
        if not shards:
            raise StoredError(f"{self.folder} holds no row.")
        which, where = np.array(shards, np.int32), np.array(places, np.int32)

        def read(batch: tf.Tensor) -> Any:
            shard, place = tf.gather(which, batch), tf.gather(where, batch)
            return self.layout.pack(
                [
                    self._text(number, shard, place)
                    if component.is_text
                    else self._numbers(number, shard, place)
                    for number, component in enumerate(self.layout.components)
                ]
            )

        numbers = tf.data.Dataset.range(len(shards))
        batches = numbers.map(read, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        holding = [rows for rows in self.counts if rows]
        if any(rows % self.batch_size for rows in holding[:-1]):
            batches = batches.rebatch(self.batch_size)
        return batches.prefetch(2)

    def _numbers(self, number: int, shard: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
        component = self.layout.components[number]

        def of(index: int, rows: int) -> tf.Tensor:
            mapped = tf.raw_ops.ImmutableConst(
                dtype=tf.as_dtype(component.dtype),
                shape=(rows, *component.shape),
                memory_region_name=str(self._file(index, number)),
            )
            start = place * self.batch_size
            # A gather and no slice, which would be the file itself: what follows may write to it.
            return tf.gather(mapped, tf.range(start, tf.minimum(start + self.batch_size, rows)))

        # A shard without rows has a file without bytes, which cannot be mapped; none is read of it.
        holding = [(index, rows) for index, rows in enumerate(self.counts) if rows]
        nth = np.cumsum([rows > 0 for rows in self.counts]).astype(np.int32) - 1
        read = tf.switch_case(
            tf.gather(nth, shard),
            [lambda index=index, rows=rows: of(index, rows) for index, rows in holding],
        )
        return tf.ensure_shape(read, (None, *component.shape))

    def _text(self, number: int, shard: tf.Tensor, place: tf.Tensor) -> tf.Tensor:
        folders = [str(self.folder / shard_name(index)) for index in range(len(self.counts))]
        path = tf.strings.join(
            [tf.gather(folders, shard), f"/{number}-", tf.strings.as_string(place), ".tensor"]
        )
        text = tf.io.parse_tensor(tf.io.read_file(path), tf.string)
        return tf.ensure_shape(text, (None, *self.layout.components[number].shape))

    def _file(self, shard: int, number: int) -> Path:
        return self.folder / shard_name(shard) / f"{number}.raw"

    def check(self) -> None:
        """Raises StoredError if a file of it is missing or has another size than it must have."""
        for shard, rows in enumerate(self.counts):
            for number, component in enumerate(self.layout.components):
                if component.is_text:
                    files = range(-(-rows // self.batch_size))
                    paths = [self.folder / shard_name(shard) / chunk_name(number, n) for n in files]
                    whole = all(path.is_file() for path in paths)
                else:
                    path = self._file(shard, number)
                    each = int(np.prod(component.shape)) * component.dtype.itemsize
                    whole = path.is_file() and path.stat().st_size == rows * each
                if not whole:
                    raise StoredError(
                        f"{shard_name(shard)} in {self.folder} is not whole; delete that folder "
                        "and materialise again, which writes what is missing."
                    )


def stored(folder: str | os.PathLike[str]) -> Stored:
    """Opens what `materialise` has written.

    Args:
        folder: Where.

    Raises:
        StoredError: Nothing is there, or not all of it.
    """
    place = Path(folder).resolve()
    try:
        plan = json.loads((place / PLAN).read_text(encoding="utf-8"))
        manifest = json.loads((place / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise StoredError(
            f"{place} is not whole: it has no {Path(error.filename).name}; call materialise again, "
            "which writes what is missing."
        ) from None
    found = Stored(place, _layout(plan), plan["batch_size"], tuple(manifest["rows"]))
    found.check()
    return found


def describe(layout: Layout) -> dict[str, Any]:
    """Gives the layout of a row for JSON.

    Raises:
        StoredError: It has a structure that JSON does not tell from another one.
    """
    return {
        "structure": _structure(layout.template),
        "components": [
            [component.name, tf.as_dtype(component.dtype).name, list(component.shape)]
            for component in layout.components
        ],
    }


def _structure(template: Any) -> Any:
    if isinstance(template, int):
        return template
    if type(template) is tuple:
        return [_structure(one) for one in template]
    if isinstance(template, dict) and all(isinstance(key, str) for key in template):
        return {key: _structure(one) for key, one in template.items()}
    raise StoredError(
        f"a row is to be tuples and dictionaries with names as keys; found "
        f"{type(template).__name__}."
    )


def _layout(plan: dict[str, Any]) -> Layout:
    components = tuple(
        Component(name, np.dtype(tf.as_dtype(dtype).as_numpy_dtype), tuple(shape))
        for name, dtype, shape in plan["components"]
    )
    return Layout(_template(plan["structure"]), components)


def _template(structure: Any) -> Any:
    if isinstance(structure, list):
        return tuple(map(_template, structure))
    if isinstance(structure, dict):
        return {key: _template(one) for key, one in structure.items()}
    return structure
