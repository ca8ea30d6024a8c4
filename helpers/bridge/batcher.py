"""Chunks into TensorFlow, and batches out of them."""

from __future__ import annotations

import itertools
import math
import secrets
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from helpers.bridge.blocks import Blocks
from helpers.bridge.chunks import CHUNK_BYTES, FILL_SECONDS, Chunks, Workspace, open_gatherer
from helpers.bridge.processes import WorkerPool
from helpers.bridge.sharding import GeneratorShards, Shards
from helpers.bridge.signature import padding_of, rows_spec
from helpers.bridge.slices import Slices
from helpers.bridge.structure import Layout, Unpacker
from helpers.quiet import tf


class Batcher:
    """Batches rows of one layout on their way into TensorFlow.

    Args:
      layout: Structure of a row.
      batch_size: Rows in a batch.
      drop_remainder: Leaves out a last batch of fewer rows.
      varying: See `from_generator`.
      padding_values: See `from_generator`.
      chunk_size: Rows at a crossing; None to let it follow the speed of the rows.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        batch_size: int,
        drop_remainder: bool,
        varying: str | None = None,
        padding_values: Any = None,
        chunk_size: int | None = None,
    ):
        self.layout = layout
        self.batch_size = batch_size
        self.drop_remainder = drop_remainder
        self.varying = None if all(c.is_fixed for c in layout.components) else varying
        self.padding = padding_of(padding_values, layout) if varying == "pad" else ()
        self.chunk_size = chunk_size
        self.chunk_batches = chunk_size and -(-chunk_size // batch_size)

    def from_rows(
        self, generator: Callable[..., Iterable], args: Sequence | None, name: str | None
    ) -> tf.data.Dataset:
        """Builds a data set from rows that this process generates."""
        workspace = Workspace(self.layout)
        kept = _kept(workspace)
        return self._cross(
            lambda *values: self._chunks(generator(*values), kept() or Workspace(self.layout)),
            args,
            name,
            owns=workspace,
        )

    def from_slices(self, source: Any, count: int, name: str | None) -> tf.data.Dataset:
        """Builds a data set from a source that gives slices."""
        workspace = Workspace(self.layout)
        kept = _kept(workspace)

        def open_slices():
            return Slices(
                source,
                count,
                self.layout,
                kept() or Workspace(self.layout),
                batch_size=self.batch_size,
                chunk_batches=self.chunk_batches,
            )

        return self._cross(open_slices, None, name, owns=workspace)

    def from_generator_workers(
        self,
        generator: Callable[..., Iterable],
        args: Sequence | None,
        num_workers: int,
        seed: int | None,
        name: str | None,
    ) -> tf.data.Dataset:
        """Builds a data set from a generator that runs in worker processes, a shard in each."""
        values = [tf.convert_to_tensor(value).numpy() for value in args or ()]
        return self.from_shards(
            GeneratorShards(generator, values, alone=num_workers == 1),
            num_workers,
            EpochSeeds(seed),
            name,
        )

    def from_shards(
        self, shards: Shards, num_workers: int, seeds: Callable[[], int], name: str | None
    ) -> tf.data.Dataset:
        """Builds a data set from shards that worker processes read.

        Args:
          shards: See `helpers.bridge.sharding`.
          num_workers: Number of processes.
          seeds: Called once an epoch, gives its seed.
          name: A name for the tf.data operations.
        """
        components = self.layout.components
        direct = all(c.is_fixed and not c.is_text for c in components)
        chunk_rows, early = self.chunk_size or self.batch_size, None
        if num_workers == 1 and direct and self.chunk_size is None:
            # Larger chunks of several workers would change the order of the rows.
            row_bytes = sum(c.dtype.itemsize * math.prod(c.shape) for c in components)
            chunk_rows *= max(1, CHUNK_BYTES // max(1, row_bytes * self.batch_size))
            early = (self.batch_size, FILL_SECONDS)
        pool = WorkerPool(
            shards,
            [(c.dtype, c.shape) if c.is_fixed and not c.is_text else None for c in components],
            chunk_rows=chunk_rows,
            num_workers=num_workers,
            unpack=Unpacker(self.layout),
            early=early,
        )
        kept = _kept(pool)
        workspace = Workspace(self.layout)

        def open_chunks() -> Iterator:
            pool = kept()
            if pool is None:
                raise RuntimeError("the data set of these workers is gone; keep a reference to it")
            epoch = pool.epoch(seeds())
            if direct:
                return map(self.layout.pack, epoch)  # in C: it holds on to no chunk
            rows = itertools.chain.from_iterable(zip(*chunk, strict=True) for chunk in epoch)
            return self._chunks(rows, workspace, read=tuple)

        return self._cross(open_chunks, None, name, owns=pool)

    def _chunks(self, rows: Iterable, workspace: Workspace, read: Callable | None = None) -> Chunks:
        return Chunks(
            rows,
            open_gatherer(
                self.layout, workspace.pools, self.batch_size, self.varying, self.padding, read
            ),
            batch_size=self.batch_size,
            drop_remainder=self.drop_remainder,
            chunk_batches=self.chunk_batches,
            workspace=workspace,
            pack=tuple if self.varying else self.layout.pack,
        )

    def _cross(
        self,
        open_chunks: Callable[..., Iterable],
        args: Sequence | None,
        name: str | None,
        owns: object,
    ) -> tf.data.Dataset:
        """Takes chunks across and cuts batches from them.

        Args:
          open_chunks: Called with `args` as arrays once an epoch; gives the chunks.
          args: See `from_generator`.
          name: A name for the tf.data operations.
          owns: What lives as long as the data set and those derived from it.
        """
        if self.varying:
            blocks = Blocks(
                self.layout, self.batch_size, self.drop_remainder, self.varying == "ragged"
            )
            signature = blocks.signature
        else:
            signature = self.layout.pack([rows_spec(c) for c in self.layout.components])
        chunks = tf.data.Dataset.from_generator(
            open_chunks, args=args, output_signature=signature, name=name
        )
        chunks._bridge_owns = owns
        if self.varying:
            return chunks.flat_map(blocks.batches, name=name)
        # Without a copy where a chunk holds whole batches of a multiple of 64 bytes.
        return chunks.rebatch(self.batch_size, drop_remainder=self.drop_remainder, name=name)


def _kept(owned: Any) -> Callable[[], Any]:
    """Refers to something that a data set owns, from a function that TensorFlow calls.

    TensorFlow never forgets such a function, so the function may not keep anything alive. While a
    graph is built, the data set does not outlive the building, and the function has to.
    """
    return weakref.ref(owned) if tf.executing_eagerly() else lambda: owned


class EpochSeeds:
    """Seeds, epoch by epoch.

    Args:
      seed: What they are derived from; None for other ones each time.
      anew: Whether each epoch has a seed of its own.
    """

    def __init__(self, seed: int | None, anew: bool = True):
        self._seed = secrets.randbits(64) if seed is None else int(seed)
        self._epochs = itertools.count() if anew else itertools.repeat(0)

    def __call__(self) -> int:
        """Gives the seed of the next epoch, of 64 bits."""
        sequence = np.random.SeedSequence((self._seed, next(self._epochs)))
        return int(sequence.generate_state(1, np.uint64)[0])
