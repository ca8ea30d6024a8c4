"""from_source: batches from anything with a length and items."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.bridge import resident
from helpers.bridge.batcher import Batcher, EpochSeeds
from helpers.bridge.sharding import SourceShards
from helpers.bridge.signature import check_rows, check_sizes, layout_of
from helpers.bridge.slices import first_slice
from helpers.bridge.structure import is_nested, leaves_of, map_structure
from helpers.quiet import tf


def from_source(
    source: Any,
    *,
    batch_size: int,
    drop_remainder: bool = False,
    shuffle: bool = False,
    seed: int | None = None,
    reshuffle_each_iteration: bool = True,
    output_signature: Any = None,
    varying: str | None = None,
    padding_values: Any = None,
    num_workers: int = 0,
    chunk_size: int | None = None,
    name: str | None = None,
) -> tf.data.Dataset:
    """Builds a data set of batches from anything with `__len__` and `__getitem__`.

    A source is read in the fastest way that it allows:

    - NumPy arrays, or a tuple or dictionary of them, are not read at all: TensorFlow gets tensors
      over their memory, and cuts batches from those without a copy. That takes memory that starts
      at a multiple of 64 bytes, which `aligned` gives; other arrays are copied once, here. As
      nothing is copied, **a change to the array changes the batches**, those already handed out
      too; leave the array alone, or pass a copy. TensorFlow itself does not write to it. Opening
      the data set takes as much memory again: TensorFlow's optimizer makes a tensor of the same
      shape to look at (InitializeTensor in tensorflow/core/grappler/grappler_item_builder.cc).
    - A source whose slices are arrays (`np.load(..., mmap_mode="r")`, HDF5 and Zarr data sets, a
      class of your own) is read one slice a crossing, into aligned buffers, whatever its size.
    - Any other source is read item by item, as `from_generator` reads rows.

    Args:
      source: The source, or a tuple or dictionary of sources of one length, one a component.
      batch_size: Rows in a batch.
      drop_remainder: Leaves out a last batch of fewer rows; batches then have a static size.
      shuffle: Draws the whole order anew, uniformly, once an epoch. Sources other than arrays are
        read item by item then, files among them.
      seed: The same seed gives the same orders. By default, other ones in each run.
      reshuffle_each_iteration: Gives each epoch an order of its own.
      output_signature: What an item looks like, as for `from_generator`; by default, like the
        first one. Give it for items of varying shape, with `varying`, and for a source that may be
        empty; it is read item by item then.
      varying: As for `from_generator`.
      padding_values: As for `from_generator`.
      num_workers: Worker processes that read the items; 0 to read in this one.
      chunk_size: Rows at a crossing, rounded up to whole batches. By default as for
        `from_generator`; the order of the rows does not depend on it.
      name: A name for the tf.data operations.

    Returns:
      A `tf.data.Dataset` of batches, of known cardinality.

    Raises:
      TypeError: The source has no length or no items, or an item cannot be made tensors.
      ValueError: Another argument is wrong.
    """
    check_sizes(batch_size=batch_size, chunk_size=chunk_size)
    check_rows(varying, padding_values, num_workers, seed, bool(shuffle or num_workers))
    source, count = _as_one(source)
    seeds = EpochSeeds(seed, anew=reshuffle_each_iteration)
    order = Order(count, seeds) if shuffle else None
    if _are_arrays(source) and output_signature is None and not num_workers:
        dataset = resident.batches(
            source.parts if isinstance(source, Columns) else source,
            batch_size=batch_size,
            drop_remainder=drop_remainder,
            order=order,
            name=name,
        )
        return _counted(dataset, count, batch_size, drop_remainder)
    piece = None if output_signature is not None else first_slice(source, count)
    if output_signature is not None:
        signature = output_signature
    elif piece is not None:
        signature = _slice_signature(piece)
    else:
        signature = _signature(source, count)
    batcher = Batcher(
        layout_of(signature),
        batch_size=batch_size,
        drop_remainder=drop_remainder,
        varying=varying,
        padding_values=padding_values,
        chunk_size=chunk_size,
    )
    if num_workers:
        shards = SourceShards(source, chunk_size or batch_size, shuffle=shuffle)
        dataset = batcher.from_shards(shards, num_workers, seeds, name)
    elif piece is not None and order is None:
        dataset = batcher.from_slices(source, count, name)
    else:
        dataset = batcher.from_rows(
            lambda: map(source.__getitem__, map(int, order() if order else range(count))),
            None,
            name,
        )
    return _counted(dataset, count, batch_size, drop_remainder)


class Order:
    """The order of a source's rows, epoch by epoch.

    Args:
      count: Number of rows.
      seeds: Gives the seed of the next epoch.
    """

    def __init__(self, count: int, seeds: EpochSeeds):
        self._count = count
        self._seeds = seeds

    def __call__(self) -> np.ndarray:
        """Draws the order of the next epoch."""
        return np.random.default_rng(self._seeds()).permutation(self._count)


class Columns:
    """Several sources of one length as one, whose items are structures.

    Args:
      parts: Structure of sources.
      count: Their length.
    """

    def __init__(self, parts: Any, count: int):
        self.parts = parts
        self._count = count

    def __len__(self) -> int:
        """Length of each of the sources."""
        return self._count

    def __getitem__(self, index: Any) -> Any:
        """Gives an item or a slice of each source."""
        return map_structure(lambda part: part[index], self.parts)


def _as_one(source: Any) -> tuple[Any, int]:
    """Checks a source; gives one object with its length and items, and the length."""
    parts = leaves_of(source)
    lengths = {}
    for name, part in parts:
        if isinstance(part, (str, bytes)) or not all(
            hasattr(part, method) for method in ("__len__", "__getitem__")
        ):
            raise TypeError(
                f"source{name} must have a length and items (__len__ and __getitem__); found "
                f"{type(part).__name__}. A generator function goes to from_generator"
            )
        try:
            lengths[name] = len(part)
        except TypeError as error:
            raise TypeError(f"source{name} has no length: {error}") from None
    if not parts:
        raise TypeError("source is empty: it holds no component")
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"source{name}: {length}" for name, length in lengths.items())
        raise ValueError(f"the parts of a source must have one length; found {found}")
    count = next(iter(lengths.values()))
    return (Columns(source, count) if is_nested(source) else source), count


def _are_arrays(source: Any) -> bool:
    parts = leaves_of(source.parts) if isinstance(source, Columns) else [("", source)]
    return all(type(part) is np.ndarray for _, part in parts)


def _signature(source: Any, count: int) -> Any:
    """Reads off the first item what an item looks like."""
    if count == 0:
        raise ValueError("the source is empty; say with output_signature what its items look like")
    return map_structure(_spec, source[0])


def _spec(value: Any) -> tf.TensorSpec:
    try:
        tensor = tf.convert_to_tensor(value)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"an item of the source holds {type(value).__name__}, which cannot be made a tensor: "
            f"{error}"
        ) from None
    return tf.TensorSpec(tensor.shape, tensor.dtype)


def _slice_signature(piece: Any) -> Any:
    return map_structure(
        lambda array: tf.TensorSpec(
            array.shape[1:], tf.string if array.dtype.kind in "USO" else array.dtype
        ),
        piece,
    )


def _counted(
    dataset: tf.data.Dataset, count: int, batch_size: int, drop_remainder: bool
) -> tf.data.Dataset:
    batches = count // batch_size if drop_remainder else -(-count // batch_size)
    return dataset.apply(tf.data.experimental.assert_cardinality(batches))
