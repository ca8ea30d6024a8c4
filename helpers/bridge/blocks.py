"""Batches cut from chunks of rows of varying shape: TensorFlow's side of `varying`."""

from __future__ import annotations

import collections
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
        tables = tuple(part[-1] for part in chunk if isinstance(part, tuple))
        numbered = tf.data.Dataset.from_tensor_slices(tables).enumerate()
        batches = numbered.map(lambda index, rows: self._batch(chunk, index, iter(rows)))
        if tf.executing_eagerly():  # tf.data's debug mode, whose callbacks die with their data set
            self._debugged.append(batches)
        return batches

    def _batch(self, chunk: tuple, index: tf.Tensor, rows: Iterator[tf.Tensor]) -> Any:
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

    def _padded_leaf(self, component, values, row):
        padded = tf.reshape(_cut(values, row), row[2:])
        padded.set_shape((self._static_rows, *component.shape))
        return padded

    def _ragged_leaf(self, component, values, splits, row):
        rank = component.ragged_rank
        inner = component.shape[rank:]
        first = 3 + len(inner)  # the bounds of the row splits come after the shape
        flat = tf.reshape(_cut(values, row), row[2:first])
        flat.set_shape((None, *inner))
        nested = [_cut(splits, row[first + k :]) for k in range(rank)]
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


def _cut(values: tf.Tensor, bounds: tf.Tensor) -> tf.Tensor:
    """Cuts out the values between the first two bounds, without a copy where they are aligned."""
    return tf.strided_slice(values, bounds[0:1], bounds[1:2])
