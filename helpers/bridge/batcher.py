"""Chunks into TensorFlow, and batches out of them."""

from __future__ import annotations

import itertools
import secrets
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from helpers.bridge.blocks import Blocks
from helpers.bridge.checkpoints import explain_refusals
from helpers.bridge.chunks import Chunks, Plan, Workspace
from helpers.bridge.owning import Kept, keep, weakly
from helpers.bridge.processes import WorkerPool
from helpers.bridge.reading import Reading
from helpers.bridge.sending import check_sendable
from helpers.bridge.sharding import GeneratorShards
from helpers.bridge.signature import rows_spec
from helpers.bridge.spent import Watch
from helpers.quiet import tf

do_not_convert = tf.autograph.experimental.do_not_convert


def generated(
    generator: Callable[..., Iterable], args: Sequence | None, plan: Plan, name: str | None
) -> tf.data.Dataset:
    """Builds a data set from rows that this process generates.

    Args:
      generator: See `from_generator`.
      args: See `from_generator`.
      plan: How rows become chunks.
      name: A name for the tf.data operations.
    """
    kept = Kept((generator, Workspace.of(plan.layout), Watch()))
    get = weakly(kept)

    def open_chunks(*values: np.ndarray) -> Iterable:
        generator, workspace, watch = get()
        chunks = Chunks(lambda: generator(*values), plan, workspace, watch=watch)
        return map(_packer(plan), chunks)

    return _from_chunks(open_chunks, args, plan, kept, name)


def generated_by_workers(
    generator: Callable[..., Iterable],
    args: Sequence | None,
    plan: Plan,
    num_workers: int,
    seed: int | None,
    name: str | None,
) -> tf.data.Dataset:
    """Builds a data set from a generator that runs in worker processes, a shard in each.

    Args:
      generator: See `from_generator`.
      args: See `from_generator`.
      plan: How rows become chunks.
      num_workers: Number of processes.
      seed: See `from_generator`.
      name: A name for the tf.data operations.
    """
    shards = GeneratorShards(generator, len(args or ()), alone=num_workers == 1)
    draws = check_sendable(*shards.subject)
    if draws and num_workers > 1:
        warnings.warn(
            f"{shards.subject[0]} refers to a random generator, of which each worker gets a stream "
            "of its own: an order that all shards have to agree on must come from elsewhere, such "
            "as default_rng(a number) within the generator. A parameter `seed` is given each "
            "shard's seed, and brings no warning",
            stacklevel=4,
        )
    # One worker that is asked for single batches reads one only when it is asked for it.
    ahead = not (num_workers == 1 and plan.chunk_batches == 1)
    kept = Kept((WorkerPool(shards, plan, num_workers=num_workers, ahead=ahead), EpochSeeds(seed)))
    get = weakly(kept)

    def open_chunks(*values: np.ndarray) -> Iterable:
        pool, seeds = get()
        return map(_packer(plan), pool.epoch(seeds(), args=values))

    return _from_chunks(open_chunks, args, plan, kept, name, alone=num_workers == 1)


def _packer(plan: Plan) -> Callable[[list], Any]:
    return tuple if plan.varying else plan.layout.pack


def _from_chunks(
    open_chunks: Callable[..., Iterable],
    args: Sequence | None,
    plan: Plan,
    kept: Kept,
    name: str | None,
    alone: bool = True,
) -> tf.data.Dataset:
    """Takes chunks across as a generator's elements, and cuts batches from them.

    Args:
      open_chunks: Called with `args` as arrays once an epoch; gives the chunks.
      args: See `from_generator`.
      plan: How rows become chunks.
      kept: What lives as long as the data set and those derived from it.
      name: A name for the tf.data operations.
      alone: Whether all chunks are of one shard, so that only the last ends in a part of a batch.
    """
    blocks = Blocks.of(plan)
    signature = blocks.signature if blocks else _whole_signature(plan)
    chunks = tf.data.Dataset.from_generator(
        open_chunks, args=args, output_signature=signature, name=name
    )
    keep(chunks, kept)
    explain_refusals()
    if blocks:
        return chunks.flat_map(do_not_convert(blocks.batches), name=name)
    if alone or plan.chunk_batches == 1:
        return cut(chunks, plan, name)

    def batches(*chunk: Any) -> tf.data.Dataset:
        whole = chunk if type(plan.layout.template) is tuple else chunk[0]
        return cut(tf.data.Dataset.from_tensors(whole, name=name), plan, name)

    return chunks.flat_map(do_not_convert(batches), name=name)


def _whole_signature(plan: Plan) -> Any:
    static = plan.drop_remainder and plan.chunk_batches == 1
    rows = plan.batch_size if static else None
    return plan.layout.pack([rows_spec(c, rows) for c in plan.layout.components])


def counted(batches: tf.data.Dataset, plan: Plan, count: int, name: str | None) -> tf.data.Dataset:
    """Has a data set of batches know how many there are.

    It is not asserted, as `assert_cardinality` does: after an error, fewer may come, and
    `ignore_errors` would then read on for ever. TensorFlow takes what goes on for ever, with what
    comes before it, for endless, and so knows how many elements it has of which so many are taken.

    Args:
      batches: The batches.
      plan: How they were made.
      count: Number of rows.
      name: A name for the tf.data operations.
    """
    size = plan.batch_size
    number = count // size if plan.drop_remainder else -(-count // size)
    if number == 0:  # of nothing that is taken, nobody would learn that there is something
        return batches.apply(tf.data.experimental.assert_cardinality(0))
    blocks = Blocks.of(plan)
    signature = blocks.signature if blocks else _whole_signature(plan)
    never = tf.data.Dataset.from_tensors(0).filter(do_not_convert(lambda _: False), name=name)
    chunks = never.map(
        do_not_convert(lambda _: tf.nest.pack_sequence_as(signature, nothing_of(plan))), name=name
    )
    none = chunks.flat_map(do_not_convert(blocks.batches)) if blocks else cut(chunks, plan, name)
    return batches.concatenate(none.repeat(), name=name).take(number, name=name)


def nothing_of(plan: Plan) -> list[np.ndarray]:
    """Gives the flat components of a chunk without rows."""
    blocks = Blocks.of(plan)
    specs = tf.nest.flatten(blocks.signature if blocks else _whole_signature(plan))
    return [
        np.full(
            [size or 0 for size in spec.shape],
            b"" if spec.dtype == tf.string else 0,
            spec.dtype.as_numpy_dtype,
        )
        for spec in specs
    ]


def cut(chunks: tf.data.Dataset, plan: Plan, name: str | None) -> tf.data.Dataset:
    """Cuts batches, without a copy where a chunk holds whole batches of a multiple of 64 bytes.

    Args:
      chunks: A data set of chunks, all but the last of whole batches.
      plan: How rows become chunks.
      name: A name for the tf.data operations.
    """
    if plan.chunk_batches == 1:
        return chunks
    batches = chunks.rebatch(plan.batch_size, drop_remainder=plan.drop_remainder, name=name)
    # With one replica, distribution strategies take a rebatch at the end of a data set for their
    # own and undo it (RewriteRebatchV2ToV1 in tensorflow/core/grappler/optimizers/data/
    # auto_shard.cc). Something behind it that takes all, and that TensorFlow drops when the data
    # set is opened, keeps it.
    return batches.take(-1, name=name)


def crossed(
    reading: Reading, seeds: tf.data.Dataset, plan: Plan, name: str | None
) -> tf.data.Dataset:
    """Takes the rows of a source across, as a function of TensorFlow's own state.

    Nothing in Python remembers how far an iterator has come: TensorFlow keeps the seed of its epoch
    and the number of its next row, hands them to Python, and so can save and restore them.

    Args:
      reading: Reads the source.
      seeds: Without an end; the first one, a scalar of int64 and not negative, is the epoch's.
      plan: How rows become chunks.
      name: A name for the tf.data operations.
    """
    kept = Kept(reading)
    get = weakly(kept)
    blocks = Blocks.of(plan)
    signature = blocks.signature if blocks else _whole_signature(plan)
    specs = tf.nest.flatten(signature)

    def read(seed: np.ndarray, row: np.ndarray) -> Sequence:
        return get().read(int(seed), int(row))

    def fail(state: np.ndarray, text: bytes) -> np.ndarray:
        raise Reading.error(int(state), text.decode())

    def step(place: tuple[tf.Tensor, tf.Tensor], drawn: tf.Tensor) -> tuple:
        seed, row = place
        seed = tf.where(seed < 0, drawn, seed)  # the first one is that of the epoch
        types = [*(spec.dtype for spec in specs), tf.int64, tf.int64, tf.string]
        *parts, next_row, state, text = call_python(read, (seed, row), types, name)
        for part, spec in zip(parts, specs, strict=True):
            part.set_shape(spec.shape)
        for scalar in (next_row, state, text):
            scalar.set_shape(())
        return (seed, next_row), (tf.nest.pack_sequence_as(signature, parts), state, text)

    def goes_on(_: Any, state: tf.Tensor, text: tf.Tensor) -> tf.Tensor:
        def raised() -> tf.Tensor:
            return tf.ensure_shape(call_python(fail, (state, text), tf.bool, name), ())

        return tf.cond(state > Reading.CHUNK, raised, lambda: tf.equal(state, Reading.CHUNK))

    # scan, and not map: TensorFlow runs a map without state in parallel, in any order even where
    # the user's options allow that. And not inside a flat_map, which makes its functions ready
    # anew in each epoch, before the first chunk.
    start = tf.constant(-1, tf.int64), tf.constant(0, tf.int64)
    steps = seeds.scan(start, do_not_convert(step), name=name)
    told = steps.take_while(do_not_convert(goes_on), name=name)
    chunks = told.scan(0, do_not_convert(lambda none, found: (none, found[0])), name=name)
    keep(chunks, kept)
    if blocks:
        return chunks.flat_map(do_not_convert(blocks.batches), name=name)
    return cut(chunks, plan, name)


def call_python(function: Callable, inputs: Sequence, types: Any, name: str | None) -> Any:
    """Calls a function of arrays that keeps no state, so that iterators over it can be saved.

    Placed by hand: without a place, TensorFlow makes "/device::0" of it on its way to the workers
    of a ParameterServerStrategy, and fails.

    Args:
      function: Called with NumPy arrays.
      inputs: Tensors.
      types: Of the results.
      name: A name for the operation.
    """
    with tf.device("/device:CPU:0"):
        return tf.numpy_function(function, inputs, types, stateful=False, name=name)


def epoch_seeds(seed: int | None, anew: bool, name: str | None) -> tf.data.Dataset:
    """Gives a data set whose first element is the seed of the epoch, which TensorFlow keeps.

    Args:
      seed: What they are derived from; None for other ones in each run.
      anew: Whether each epoch has a seed of its own.
      name: A name for the tf.data operations.
    """
    seed = secrets.randbits(31) if seed is None else seed
    return tf.data.Dataset.random(seed, rerandomize_each_iteration=anew, name=name)


class EpochSeeds:
    """Seeds of a generator's epochs.

    Args:
      seed: What they are derived from; None for other ones each time.
    """

    def __init__(self, seed: int | None):
        self._seed = secrets.randbits(64) if seed is None else int(seed)
        self._epochs = itertools.count()

    def __call__(self) -> int:
        """Gives the seed of the next epoch, of 64 bits."""
        sequence = np.random.SeedSequence((self._seed, next(self._epochs)))
        return int(sequence.generate_state(1, np.uint64)[0])
