"""from_generator, many rows at a crossing: tf.data's contract, and batches at once."""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from helpers.bridge.batcher import counted, do_not_convert, generated, generated_by_workers
from helpers.bridge.checkpoints import explain_refusals
from helpers.bridge.owning import Kept, keep
from helpers.bridge.signature import (
    NotChunkableError,
    check_cardinality,
    check_rows,
    check_sizes,
    layout_of,
    plan_of,
)
from helpers.quiet import tf


@do_not_convert
def from_generator(
    generator: Callable[..., Iterable],
    *,
    output_signature: Any,
    args: Sequence | None = None,
    batch_size: int,
    drop_remainder: bool = False,
    varying: str | None = None,
    padding_values: Any = None,
    num_workers: int = 0,
    seed: int | None = None,
    chunk_size: int | None = None,
    cardinality: int | None = None,
    name: str | None = None,
) -> tf.data.Dataset:
    """Builds a data set of batches from a Python generator of rows.

    `from_generator(g, output_signature=s, batch_size=n)` gives what
    `tf.data.Dataset.from_generator(g, output_signature=s).batch(n)` gives: the same batches,
    epochs and errors, and the same silent conversion of other types. Rows are copied as they
    come, many at a time, into aligned buffers that TensorFlow takes over without another copy;
    one crossing from Python carries one or more batches. A buffer is filled again only when no
    tensor refers to it any more.

    An error says in its first line what was raised, at which row (of which shard), and in which
    line of your code. As with tf.data, full batches before it arrive, and what can be read after it
    can be read on, with `ignore_errors()` for one.

    The generator lives as long as the data set, those derived from it, and their iterators: keep
    one of them for as long as something reads it, such as a `tf.function` that captured it.

    Args:
      generator: Called without arguments, or with `args` as NumPy arrays, once an epoch; returns an
        iterable of rows, a new one each time.
      output_signature: Nested structure of `tf.TypeSpec`s, as in tf.data: that of one row.
      args: Values for the generator, given to it as arrays.
      batch_size: Rows in a batch.
      drop_remainder: Leaves out a last batch of fewer rows; batches then have a static size.
      varying: What to do with rows whose unknown dimensions differ: "pad" to the largest in the
        batch, as `padded_batch`; "ragged" makes ragged batches, as `ragged_batch`; None makes them
        an error, as `batch`.
      padding_values: With "pad", a scalar, or a structure like the signature's; 0 and "" if None.
      num_workers: Worker processes that run the generator; 0 runs it in this one. 1 runs it as it
        is, in a process of its own, which has the GIL to itself. With 2 or more it takes two more
        parameters, `shard` and `num_shards`, and yields the rows of that shard, such as
        `for i in range(shard, count, num_shards): yield load(i)`. The shards give a chunk in turn,
        a batch unless `chunk_size` says otherwise. A batch holds rows of one shard, and each shard
        may end in a smaller one; the order is the same in every run.

        Workers see what the generator refers to as it is when an epoch starts. (Looking for a
        change takes at most a twentieth of an epoch: of arrays that are too large for that, samples
        are compared, and a change to a few of their elements may be seen some epochs later.) They
        share one copy of large arrays, and none of a `numpy.memmap`; what one changes is its own,
        and stays with it for later epochs until you change the original. A random generator among
        it gives each of several workers numbers of its own. A worker imports the modules that the
        generator is defined in: one that imports TensorFlow makes its start take seconds. Rows of
        32 KB and more are written past the worker's cache, on x86 Linux, and memory that rows gave
        back is kept for the next ones, by the environment variable GLIBC_TUNABLES, unless you have
        set that. Not on Windows.
      seed: With workers, what each worker's `random`, `numpy.random` and the random generators that
        it was sent are seeded from, and a parameter `seed` of the generator is; the same seed gives
        the same epochs. One worker takes random generators as they are.
      chunk_size: Rows at a crossing, rounded up to whole batches. By default, as many batches as
        fill in a few milliseconds and 16 MB, and at least one. That was chosen by measuring: the
        crossing is a small share of such a chunk's time, and in this process larger ones were no
        faster. The batches of a slow generator do not wait for each other.
        `chunk_size=batch_size` reads a batch when TensorFlow asks for it, in this process and in
        one worker. TensorFlow asks for one batch more than was taken, unless
        `options.experimental_optimization.inject_prefetch` is False: then exactly the rows of the
        batches taken have been pulled. Each of several workers is up to three chunks ahead. With
        2 or more workers a chunk is a batch, which suits rows that cost Python work; for rows that
        cost little more than their copy, ask for about 16 MB.
      cardinality: Number of rows in an epoch, if it is known: the data set then knows its number of
        batches, and another number of rows is an error. That of too many comes in place of the last
        batch, since nobody who knows the number asks for more. With at most one worker.
      name: A name for the tf.data operations.

    Returns:
      A `tf.data.Dataset` of batches.

    Raises:
      TypeError: `generator` is not callable, the signature holds something other than specs, or
        workers cannot be sent what the generator refers to; the message names it.
      ValueError: Another argument is wrong or has no effect, or workers are asked for on Windows.
    """
    if not callable(generator):
        raise TypeError(
            "generator must be a function that returns an iterable, so that each epoch can call it "
            f"anew; found {type(generator).__name__}"
        )
    check_sizes(batch_size=batch_size, chunk_size=chunk_size)
    check_cardinality(cardinality, num_workers)
    check_rows(varying, padding_values, num_workers, seed, num_workers)
    try:
        layout = layout_of(output_signature)
    except NotChunkableError as reason:
        if num_workers:
            raise ValueError(
                f"{reason}, which num_workers cannot hand over; use num_workers=0"
            ) from None
        warnings.warn(
            f"{reason}: its rows cross one by one, as with tf.data's own from_generator",
            stacklevel=3,  # past what do_not_convert wraps around this function
        )
        rows = tf.data.Dataset.from_generator(
            generator, args=args, output_signature=output_signature, name=name
        )
        explain_refusals()
        keep(rows, Kept(generator))  # by which an iterator that cannot be saved is known
        dataset = _batch(rows, batch_size, drop_remainder, varying, padding_values, name)
        if cardinality is None:
            return dataset
        batches = cardinality // batch_size if drop_remainder else -(-cardinality // batch_size)
        return dataset.apply(tf.data.experimental.assert_cardinality(batches))
    plan = plan_of(
        layout,
        batch_size=batch_size,
        drop_remainder=drop_remainder,
        varying=varying,
        padding_values=padding_values,
        chunk_size=chunk_size,
        count=cardinality,
    )
    if not num_workers:
        dataset = generated(generator, args, plan, name)
    else:
        if num_workers > 1 and plan.chunk_batches is None:
            plan = dataclasses.replace(plan, chunk_batches=1)
        dataset = generated_by_workers(generator, args, plan, num_workers, seed, name)
    return dataset if cardinality is None else counted(dataset, plan, cardinality, name)


def _batch(rows, batch_size, drop_remainder, varying, padding_values, name):
    if varying == "pad":
        return rows.padded_batch(
            batch_size, padding_values=padding_values, drop_remainder=drop_remainder, name=name
        )
    batch = rows.ragged_batch if varying == "ragged" else rows.batch
    return batch(batch_size, drop_remainder=drop_remainder, name=name)
