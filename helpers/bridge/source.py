"""from_source: batches from anything with a length and items."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from helpers.bridge import resident
from helpers.bridge.batcher import counted, crossed, do_not_convert, epoch_seeds, nothing_of
from helpers.bridge.chunks import Chunks, Plan, Workspace
from helpers.bridge.probe import first_item
from helpers.bridge.processes import WorkerPool
from helpers.bridge.reading import Reader, Reading
from helpers.bridge.sending import check_sendable
from helpers.bridge.sharding import Order, SourceShards
from helpers.bridge.signature import check_rows, check_sizes, layout_of, plan_of
from helpers.bridge.slices import Slices, first_slice
from helpers.bridge.structure import is_nested, leaves_of, map_structure
from helpers.bridge.together import Together
from helpers.bridge.windows import Shuffled, Windowed, has_chunks
from helpers.quiet import tf


@do_not_convert
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
      the data set takes as much memory again, for a moment: TensorFlow's optimizer makes a tensor
      of the same shape to look at (InitializeTensor in
      tensorflow/core/grappler/grappler_item_builder.cc).
    - What tf.data takes for an array though its items are not its rows is taken for it too: a
      pandas Series or DataFrame, an Arrow table.
    - A source whose slices are arrays (`np.load(..., mmap_mode="r")`, HDF5 and Zarr data sets, a
      class of your own) is read one slice a crossing, into aligned buffers, whatever its size.
    - Any other source is read item by item, as `from_generator` reads rows.

    What an epoch gives is a function of its seed and of the place in it, which TensorFlow keeps: an
    iterator can be saved in a checkpoint, and goes on at the same row, in any order, with or
    without workers.

    Args:
      source: The source, or a tuple or dictionary of sources of one length, one a component.
      batch_size: Rows in a batch.
      drop_remainder: Leaves out a last batch of fewer rows; batches then have a static size.
      shuffle: Draws the whole order anew, uniformly, once an epoch. Sources other than arrays are
        read item by item then; but those that say with `chunks` how their file is cut, as HDF5 and
        Zarr data sets do, are read along those chunks, up to 64 MB of rows ahead.
      seed: The same seed gives the same orders. By default, other ones in each run.
      reshuffle_each_iteration: Gives each epoch an order of its own.
      output_signature: What an item looks like, as for `from_generator`; by default, like the
        first one, and a later one whose values its types cannot hold is an error (tf.data, which
        reads a list at once, finds a type for all). Give it for items of varying shape, with
        `varying`, and for a source that may be empty; it is read item by item then.
      varying: As for `from_generator`.
      padding_values: As for `from_generator`.
      num_workers: Worker processes that read the items; 0 to read in this one. What opens files
        with its first item opens them in the workers, not here: its length and its first item are
        looked up in a worker, too. `random`, `numpy.random` and the random generators that the
        source refers to are seeded anew with each batch, so that the number of workers makes no
        difference.
      chunk_size: Rows at a crossing, rounded up to whole batches. By default as for
        `from_generator`; the order of the rows does not depend on it.
      name: A name for the tf.data operations.

    Returns:
      A `tf.data.Dataset` of batches, of known cardinality.

    Raises:
      TypeError: The source has no length or no items, an item cannot be made tensors, or workers
        cannot be sent the source; the message names what is in the way.
      ValueError: Another argument is wrong or has no effect.
    """
    check_sizes(batch_size=batch_size, chunk_size=chunk_size)
    check_rows(varying, padding_values, num_workers, seed, bool(shuffle or num_workers))
    if not reshuffle_each_iteration and not shuffle:
        raise ValueError(
            "reshuffle_each_iteration=False has no effect without shuffle; leave it out, or shuffle"
        )
    source = _as_one(source)
    in_worker = num_workers > 0 and not _is_plain(source)
    count, item = first_item(source) if in_worker else (len(source), None)
    if shuffle or num_workers:
        seeds = epoch_seeds(seed, reshuffle_each_iteration, name)
    else:
        seeds = tf.data.Dataset.from_tensors(tf.constant(0, tf.int64), name=name).repeat(name=name)
    order = Order(count, shuffle)
    if _are_arrays(source) and output_signature is None and not num_workers:
        if chunk_size is not None or varying is not None:
            given = "chunk_size" if chunk_size is not None else "varying"
            raise ValueError(
                f"{given} has no effect on arrays, whose batches are cut where they lie; leave it "
                "out"
            )
        return resident.batches(
            source.parts if isinstance(source, Together) else source,
            count,
            batch_size=batch_size,
            drop_remainder=drop_remainder,
            order=order if shuffle else None,
            seeds=seeds,
            name=name,
        )
    look_at_slice = output_signature is None and not in_worker
    piece = first_slice(source, count) if look_at_slice else None
    if output_signature is not None:
        signature = output_signature
    elif piece is not None:
        signature = _slice_signature(piece)
    elif count == 0:
        raise ValueError("the source is empty; say with output_signature what its items look like")
    else:
        signature = map_structure(_spec, item if in_worker else source[0])
    plan = plan_of(
        layout_of(signature, guessed=output_signature is None),
        batch_size=batch_size,
        drop_remainder=drop_remainder,
        varying=varying,
        padding_values=padding_values,
        chunk_size=chunk_size,
    )
    if num_workers:
        pool = _workers(source, order, plan, num_workers)
        plan = dataclasses.replace(plan, chunk_batches=None)  # to be batched once more
        reading = Reading(lambda seed, row: pool.epoch(seed, first=row), nothing_of(plan))
    else:
        reading = Reading(_opener(source, order, plan, sliced=piece is not None), nothing_of(plan))
    return counted(crossed(reading, seeds, plan, name), plan, count, name)


def _opener(source: Any, order: Order, plan: Plan, sliced: bool) -> Callable[[int, int], Reader]:
    """Gives what opens a reader, given the seed of an epoch and the number of a row.

    Args:
      source: The source.
      order: The order of its rows.
      plan: How they become chunks.
      sliced: Whether its slices are arrays.
    """
    workspace = Workspace.of(plan.layout)

    def slices(seed: int, row: int) -> Slices:
        drawn = Shuffled(source, order.of(seed), plan) if order.shuffle else source
        return Slices(drawn, order.count, plan, workspace, row)

    def items(seed: int, row: int) -> Chunks:
        indices = order.of(seed)[row:]
        return Chunks(
            lambda: map(source.__getitem__, map(int, indices)),
            plan,
            workspace,
            number=order.number(seed),
            first=row,
        )

    if sliced and not order.shuffle:
        return slices
    if sliced and has_chunks(source):
        return lambda seed, row: Windowed(partial(slices, seed), partial(items, seed), row)
    return items


def _workers(source: Any, order: Order, plan: Plan, num_workers: int) -> WorkerPool:
    if num_workers > 1 and plan.chunk_batches is None:
        plan = dataclasses.replace(plan, chunk_batches=1)
    if not plan.varying:
        # TensorFlow batches the rows once more: those after an error that one worker has left of
        # its chunk go with the next one's.
        plan = dataclasses.replace(plan, drop_remainder=False)
    rows = plan.chunk_batches and plan.chunk_batches * plan.batch_size
    shards = SourceShards(source, order, plan.batch_size, rows if num_workers > 1 else None)
    check_sendable(*shards.subject)
    ahead = not (num_workers == 1 and plan.chunk_batches == 1)
    pool = WorkerPool(shards, plan, num_workers=num_workers, ahead=ahead)
    return pool


def _as_one(source: Any) -> Any:
    """Checks a source; gives one object with its length and items."""
    parts = leaves_of(source)
    if not parts:
        raise TypeError("source is empty: it holds no component")
    for name, part in parts:
        if isinstance(part, (str, bytes)) or not all(
            hasattr(part, method) for method in ("__len__", "__getitem__")
        ):
            raise TypeError(
                f"source{name} must have a length and items (__len__ and __getitem__); found "
                f"{type(part).__name__}. A generator function goes to from_generator"
            )
        if getattr(part, "shape", None) == ():
            raise TypeError(f"source{name} has no length: it is an array of rank 0")
        dtype = getattr(part, "dtype", None)
        if isinstance(dtype, np.dtype) and (
            dtype.type in (np.datetime64, np.timedelta64, np.void, np.longdouble, np.clongdouble)
        ):
            raise TypeError(
                f"source{name} is of type {dtype}, which TensorFlow does not have; convert it, for "
                "example with astype, or take its fields apart"
            )
    source = map_structure(_by_rows, source)
    return Together(source) if is_nested(source) else source


def _by_rows(part: Any) -> Any:
    """Gives a part of a source whose items are not its rows as the array that tf.data takes it for.

    An item of a pandas Series goes by its label, one of a DataFrame or of an Arrow table is a
    column, one of a matrix has a dimension more.
    """
    if isinstance(part, tf.Tensor):
        return part.numpy()
    by_label = hasattr(part, "iloc") or hasattr(part, "columns")
    if by_label and hasattr(part, "__array__"):
        array = np.asarray(part)
        if array.ndim > 1 and array.dtype.hasobject:
            raise TypeError(
                f"the columns of the {type(part).__name__} have different types; pass a dictionary "
                "of them, for example dict(frame)"
            )
        return array
    if isinstance(part, np.ndarray) and not isinstance(part, np.memmap):
        return np.asarray(part)
    return part


def _is_plain(source: Any) -> bool:
    """Whether looking at a source cannot change it or open anything."""
    parts = leaves_of(source.parts) if isinstance(source, Together) else [("", source)]
    return all(
        isinstance(part, (np.ndarray, range)) or type(part) in (list, tuple) for _, part in parts
    )


def _are_arrays(source: Any) -> bool:
    parts = leaves_of(source.parts) if isinstance(source, Together) else [("", source)]
    return all(type(part) is np.ndarray for _, part in parts)


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
