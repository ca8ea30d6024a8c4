"""The ways of Python data into TensorFlow, and the tf.data pipeline that each is held to."""

import dataclasses
import functools
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from contract.rows import BATCH, CHUNK, COUNT, Items, X, Y, rows, shard_batches, varying_rows

from helpers import bridge
from helpers.quiet import tf

Build = Callable[..., tf.data.Dataset]  # takes drop_remainder

SIGNATURE = (tf.TensorSpec(X.shape[1:], tf.float32), tf.TensorSpec((), tf.int64))
VARYING = (tf.TensorSpec((None,), tf.float32), tf.TensorSpec((), tf.int64))
UNRANKED = (tf.TensorSpec(None, tf.float32), tf.TensorSpec((), tf.int64))
SEED = 5


@dataclasses.dataclass(frozen=True)
class Way:
    """One way of rows into TensorFlow.

    Attributes:
      name: What it is called in the table.
      ours: Builds the data set of the bridge.
      stock: Builds tf.data's own.
      reference: Ways of one reference are held to the same pipeline of tf.data.
      from_generator: Whether a generator is behind it, whose place nobody can save.
      workers: Whether it starts processes.
      shuffled: Whether its order is another one than tf.data's by design.
    """

    name: str
    ours: Build
    stock: Build
    reference: str
    from_generator: bool = False
    workers: bool = False
    shuffled: bool = False


WAYS: dict[str, Way] = {}


def _add(name: str, ours: Build, stock: Build, **traits) -> None:
    WAYS[name] = Way(name, ours, stock, traits.pop("reference", stock.__name__), **traits)


def _generator(generator, signature, **options) -> Build:
    def build(drop_remainder=False):
        return bridge.from_generator(
            generator,
            output_signature=signature,
            batch_size=BATCH,
            drop_remainder=drop_remainder,
            **options,
        )

    return build


def _source(source: Callable, **options) -> Build:
    """Builds from a source that is made when it is wanted."""

    def build(drop_remainder=False):
        return bridge.from_source(
            source(), batch_size=BATCH, drop_remainder=drop_remainder, **options
        )

    return build


@functools.cache
def _folder() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="contract-")


@functools.cache
def _files() -> tuple[np.ndarray, np.ndarray]:
    """The rows in files, as memory maps."""
    maps = []
    for name, array in (("x", X), ("y", Y)):
        path = Path(_folder().name) / f"{name}.npy"
        np.save(path, array)
        maps.append(np.load(path, mmap_mode="r"))
    return tuple(maps)


@functools.cache
def _frame() -> pd.DataFrame:
    """The rows as a shuffled frame: positions and labels of its rows differ."""
    frame = pd.DataFrame({"a": X[:, 0], "b": X[:, 1], "y": Y})
    return frame.sample(frac=1, random_state=1)


def _features_and_labels():
    return _frame()[["a", "b"]], _frame()["y"]


def _columns():
    return dict(_frame())


def generator_rows(drop_remainder=False):
    stock = tf.data.Dataset.from_generator(rows, output_signature=SIGNATURE)
    return stock.batch(BATCH, drop_remainder=drop_remainder)


def _stock_shards(chunk: int) -> Build:
    def build(drop_remainder=False):
        size = BATCH if drop_remainder else None
        return tf.data.Dataset.from_generator(
            lambda: shard_batches(2, chunk, drop_remainder),
            output_signature=tf.nest.map_structure(
                lambda spec: tf.TensorSpec([size, *spec.shape], spec.dtype), SIGNATURE
            ),
        )

    return build


def slices(drop_remainder=False):
    stock = tf.data.Dataset.from_tensor_slices((X, Y))
    return stock.batch(BATCH, drop_remainder=drop_remainder)


def shuffled_slices(drop_remainder=False):
    stock = tf.data.Dataset.from_tensor_slices((X, Y)).shuffle(COUNT, seed=SEED)
    return stock.batch(BATCH, drop_remainder=drop_remainder)


def frame_slices(drop_remainder=False):
    stock = tf.data.Dataset.from_tensor_slices(_features_and_labels())
    return stock.batch(BATCH, drop_remainder=drop_remainder)


def column_slices(drop_remainder=False):
    stock = tf.data.Dataset.from_tensor_slices(_columns())
    return stock.batch(BATCH, drop_remainder=drop_remainder)


def padded_rows(drop_remainder=False):
    stock = tf.data.Dataset.from_generator(varying_rows, output_signature=VARYING)
    return stock.padded_batch(BATCH, drop_remainder=drop_remainder)


def ragged_rows(drop_remainder=False):
    stock = tf.data.Dataset.from_generator(varying_rows, output_signature=VARYING)
    return stock.ragged_batch(BATCH, drop_remainder=drop_remainder)


def unranked_rows(drop_remainder=False):
    stock = tf.data.Dataset.from_generator(rows, output_signature=UNRANKED)
    return stock.batch(BATCH, drop_remainder=drop_remainder)


def _plain(drop_remainder=False):
    """Builds from a signature that cannot be chunked; has to warn."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        dataset = _generator(rows, UNRANKED)(drop_remainder)
    if not any("cross one by one" in str(warning.message) for warning in caught):
        raise AssertionError("no warning that rows cross one by one")
    return dataset


def _shuffled(source: Callable, **options) -> Build:
    return _source(source, shuffle=True, seed=SEED, **options)


_GENERATED = {"from_generator": True}
_WORKING = {"workers": True}
_SHUFFLED = {"shuffled": True}

_add("rows", _generator(rows, SIGNATURE), generator_rows, **_GENERATED)
_add("rows, chunks", _generator(rows, SIGNATURE, chunk_size=CHUNK), generator_rows, **_GENERATED)
_add(
    "one worker",
    _generator(rows, SIGNATURE, num_workers=1),
    generator_rows,
    **_GENERATED,
    **_WORKING,
)
_add(
    "two workers",
    _generator(rows, SIGNATURE, num_workers=2),
    _stock_shards(BATCH),
    reference="shards",
    **_GENERATED,
    **_WORKING,
)
_add(
    "two workers, chunks",
    _generator(rows, SIGNATURE, num_workers=2, chunk_size=CHUNK),
    _stock_shards(CHUNK),
    reference="shards of chunks",
    **_GENERATED,
    **_WORKING,
)
_add("padded", _generator(varying_rows, VARYING, varying="pad"), padded_rows, **_GENERATED)
_add(
    "padded, one worker",
    _generator(varying_rows, VARYING, varying="pad", num_workers=1),
    padded_rows,
    **_GENERATED,
    **_WORKING,
)
_add("ragged", _generator(varying_rows, VARYING, varying="ragged"), ragged_rows, **_GENERATED)
_add("plain", _plain, unranked_rows, **_GENERATED)
_add("array", _source(lambda: (X, Y)), slices)
_add("file", _source(_files), slices)
_add("items", _source(Items), slices)
_add("array, two workers", _source(lambda: (X, Y), num_workers=2), slices, **_WORKING)
_add("items, two workers", _source(Items, num_workers=2), slices, **_WORKING)
_add("pandas", _source(_features_and_labels), frame_slices)
_add("pandas columns", _source(_columns), column_slices)
_add("array, shuffled", _shuffled(lambda: (X, Y)), shuffled_slices, **_SHUFFLED)
_add("file, shuffled", _shuffled(_files), shuffled_slices, **_SHUFFLED)
_add("items, shuffled", _shuffled(Items), shuffled_slices, **_SHUFFLED)
_add(
    "items, shuffled, two workers",
    _shuffled(Items, num_workers=2),
    shuffled_slices,
    **_SHUFFLED,
    **_WORKING,
)
