"""A folder of rows, read by TensorFlow alone: what Python once made, without Python.

Numbers lie in a file a shard as they lie in memory, which TensorFlow maps, so that a batch costs
the one copy that it costs `from_tensor_slices(...).batch(...)`; strings in a file a batch. The
pipeline begins with the numbers of the shards, which tf.data service can divide among its workers.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import partial
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

        Numbers are mapped in the first epoch and stay so. The files may be deleted while they are
        read, but not cut short. A checkpoint of the iterator would hold all numbers.

        Raises:
            StoredError: There is no row.
        """
        holding = [shard for shard, rows in enumerate(self.counts) if rows]
        if not holding:
            raise StoredError(f"{self.folder} holds no row.")
        # A file without bytes cannot be mapped; none is read of a shard without rows.
        which = tf.constant(holding, tf.int64)
        shards = tf.data.Dataset.range(len(holding)).map(
            lambda nth: (tf.gather(which, nth), self._numbers(holding, nth))
        )
        if any(not component.is_text for component in self.layout.components):
            # Mapping anew in each epoch costs more than reading: each page is touched first again.
            shards = shards.cache()
        return shards.flat_map(self._rows).batch(self.batch_size).prefetch(2)

    def _numbers(self, holding: list[int], nth: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Maps the numbers of a shard, given by its place among those that hold rows."""

        def of(shard: int, number: int, component: Component) -> tf.Tensor:
            return tf.raw_ops.ImmutableConst(
                dtype=tf.as_dtype(component.dtype),
                shape=(self.counts[shard], *component.shape),
                memory_region_name=str(self._file(shard, number)),
            )

        mapped = []
        for number, component in enumerate(self.layout.components):
            if not component.is_text:
                ways = [partial(of, shard, number, component) for shard in holding]
                one = tf.switch_case(tf.cast(nth, tf.int32), ways)
                mapped.append(tf.ensure_shape(one, (None, *component.shape)))
        return tuple(mapped)

    def _rows(self, shard: tf.Tensor, numbers: tuple[tf.Tensor, ...]) -> tf.data.Dataset:
        """Gives the rows of a shard."""
        left = iter(tf.data.Dataset.from_tensor_slices(one) for one in numbers)
        return tf.data.Dataset.zip(
            self.layout.pack(
                [
                    self._text(number, shard) if component.is_text else next(left)
                    for number, component in enumerate(self.layout.components)
                ]
            )
        )

    def _text(self, number: int, shard: tf.Tensor) -> tf.data.Dataset:
        """Gives the strings of a shard."""
        folders = [str(self.folder / shard_name(index)) for index in range(len(self.counts))]
        batches = -(-tf.gather(tf.constant(self.counts, tf.int64), shard) // self.batch_size)

        def read(place: tf.Tensor) -> tf.Tensor:
            parts = [tf.gather(folders, shard), f"/{number}-", tf.strings.as_string(place)]
            path = tf.strings.join([*parts, ".tensor"])
            text = tf.io.parse_tensor(tf.io.read_file(path), tf.string)
            return tf.ensure_shape(text, (None, *self.layout.components[number].shape))

        return tf.data.Dataset.range(batches).map(read).unbatch()

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
