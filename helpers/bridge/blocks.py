"""Batches cut from chunks of rows of varying shape: TensorFlow's side of `varying`."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Iterator
from typing import Any

from helpers.bridge.chunks import Plan
from helpers.bridge.signature import rows_spec
from helpers.bridge.structure import Component
from helpers.quiet import tf


class Blocks:
    """Cuts chunks into batches.

    In a chunk, a component of varying shape is the tuple that its column closes with, any other
    one an array of rows.

    Args:
      plan: How rows become chunks, with `varying`.
    """

    def __init__(self, plan: Plan):
        self._layout = plan.layout
        self._batch_size = plan.batch_size
        self._static_rows = plan.batch_size if plan.drop_remainder else None
        self._ragged = plan.varying == "ragged"
        self._debugged: collections.deque = collections.deque(maxlen=64)

    @classmethod
    def of(cls, plan: Plan) -> Blocks | None:
        """Gives what cuts the chunks of a plan; None for one whose rows have one shape."""
        return cls(plan) if plan.varying else None

    @property
    def signature(self) -> tuple:
        """What a chunk looks like: one part a component."""
        return tuple(map(self._part_signature, self._layout.components))

    def _part_signature(self, component: Component) -> Any:
        if component.is_fixed:
            return rows_spec(component)
        values = tf.TensorSpec((None,), tf.as_dtype(component.dtype))
        if not self._ragged:
            return values, tf.TensorSpec((None, 3 + len(component.shape)), tf.int64)
        table = tf.TensorSpec((None, 4 + len(component.shape)), tf.int64)
        return values, tf.TensorSpec((None,), tf.int64), table

    def batches(self, *chunk: Any) -> tf.data.Dataset:
        """Gives the batches of a chunk."""
        places = tuple(
            self._places(component, part[-1])
            for component, part in zip(self._layout.components, chunk, strict=True)
            if not component.is_fixed
        )
        # Not enumerate: whenever it is opened, here for each chunk, TensorFlow optimizes its graph
        # anew (apply_rewrite in tensorflow/python/data/ops/dataset_ops.py), longer than it crosses.
        indices = tf.range(tf.shape(places[0][0], tf.int64)[0])
        numbered = tf.data.Dataset.from_tensor_slices((indices, places))
        batches = numbered.map(lambda index, rows: self._batch(chunk, index, iter(rows)))
        if tf.executing_eagerly():  # tf.data's debug mode, whose callbacks die with their data set
            self._debugged.append(batches)
        return batches

    def _places(self, component: Component, table: tf.Tensor) -> tuple[tf.Tensor, ...]:
        """Takes a table apart, once a chunk: what is left for each batch then is to cut."""
        first = 3 + len(component.shape[component.ragged_rank :]) if self._ragged else None
        bounds = range(first, first + component.ragged_rank + 1) if self._ragged else ()
        return (
            table[:, 0:1],
            table[:, 1:2],
            table[:, 2:first],
            *(table[:, place : place + 1] for place in bounds),
        )

    def _batch(self, chunk: tuple, index: tf.Tensor, rows: Iterator[tuple]) -> Any:
        leaves = []
        for component, part in zip(self._layout.components, chunk, strict=True):
            if component.is_fixed:
                start = index * self._batch_size
                leaf = part[start : start + self._batch_size]
                leaf.set_shape((self._static_rows, *component.shape))
            elif self._ragged:
                leaf = self._ragged_leaf(component, *part[:-1], next(rows))
            else:
                leaf = self._padded_leaf(component, *part[:-1], next(rows))
            leaves.append(leaf)
        return self._layout.pack(leaves)

    def _padded_leaf(self, component, values, place):
        start, end, shape = place
        padded = tf.reshape(_cut(values, start, end), shape)
        padded.set_shape((self._static_rows, *component.shape))
        return padded

    def _ragged_leaf(self, component, values, splits, place):
        start, end, shape, *bounds = place
        rank = component.ragged_rank
        flat = tf.reshape(_cut(values, start, end), shape)
        flat.set_shape((None, *component.shape[rank:]))
        nested = [_cut(splits, *pair) for pair in itertools.pairwise(bounds)]
        if self._static_rows is not None:
            nested[0].set_shape((self._static_rows + 1,))
        for size, bounds in zip(component.shape[rank - 1 :: -1], nested[::-1], strict=True):
            flat = _partitioned(flat, size, bounds)
        return flat


def _partitioned(values: tf.Tensor | tf.RaggedTensor, size: int | None, bounds: tf.Tensor) -> Any:
    """Adds a dimension; one of known size keeps it in the static shape, as `ragged_batch` does."""
    if size is None:
        return tf.RaggedTensor.from_row_splits(values, bounds, validate=False)
    count = tf.size(bounds, tf.int64) - 1
    if bounds.shape[0] is not None:
        count = tf.constant(bounds.shape[0] - 1, tf.int64)
    return tf.RaggedTensor.from_uniform_row_length(values, size, nrows=count, validate=False)


def _cut(values: tf.Tensor, start: tf.Tensor, end: tf.Tensor) -> tf.Tensor:
    """Cuts out the values between two places, (1,) each, without a copy where they are aligned."""
    return tf.strided_slice(values, start, end)
