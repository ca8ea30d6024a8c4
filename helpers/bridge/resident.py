"""Arrays that stay where they are: tensors over a source's own memory, and batches cut from them.

No crossing at all: TensorFlow reads the memory itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from helpers.bridge.batcher import call_python, do_not_convert
from helpers.bridge.buffers import aligned
from helpers.bridge.owning import Kept, keep, weakly
from helpers.bridge.sharding import Order
from helpers.bridge.structure import map_structure
from helpers.quiet import tf


def batches(
    arrays: Any,
    count: int,
    *,
    batch_size: int,
    drop_remainder: bool,
    order: Order | None,
    seeds: tf.data.Dataset,
    name: str | None,
) -> tf.data.Dataset:
    """Cuts batches from arrays.

    Args:
      arrays: Structure of arrays of one length.
      count: That length.
      batch_size: Rows in a batch.
      drop_remainder: Leaves out a last batch of fewer rows.
      order: Gives the indices of the rows in their order; None for the order of the arrays.
      seeds: Its first element is the seed of an epoch, for the order.
      name: A name for the tf.data operations.
    """
    tensors = map_structure(_tensor, arrays)
    stop = count - count % batch_size if drop_remainder else count
    starts = tf.data.Dataset.range(0, stop, batch_size, name=name)

    def batch(take: Callable[[tf.Tensor], tf.Tensor]) -> Any:
        leaves = map_structure(take, tensors)
        if drop_remainder:
            for leaf in tf.nest.flatten(leaves):
                leaf.set_shape((batch_size, *leaf.shape[1:]))
        return leaves

    def cut(start: tf.Tensor) -> Any:
        return batch(lambda tensor: _rows(tensor, start, batch_size))

    if order is None:
        return _map(starts, cut, name)
    kept = Kept(order)
    get = weakly(kept)

    def epoch(seed: tf.Tensor) -> tf.data.Dataset:
        indices = call_python(lambda seed: get().of(int(seed)), (seed,), tf.int64, name)
        indices.set_shape((count,))

        def gather(start: tf.Tensor) -> Any:
            rows = _rows(indices, start, batch_size)
            return batch(lambda tensor: tf.gather(tensor, rows))

        return _map(starts, gather, name)

    shuffled = keep(seeds.take(1, name=name).flat_map(do_not_convert(epoch), name=name), kept)
    return shuffled.apply(tf.data.experimental.assert_cardinality(-(-stop // batch_size)))


def _rows(tensor: tf.Tensor, start: tf.Tensor, count: int) -> tf.Tensor:
    """Cuts out rows, without a copy where they begin at a multiple of 64 bytes."""
    rows = tensor[start : start + count]
    rows.set_shape((None, *tensor.shape[1:]))
    return rows


def _map(starts: tf.data.Dataset, function: Callable, name: str | None) -> tf.data.Dataset:
    # Not rebatch: in the middle of an epoch, a checkpoint of it holds the whole array. And in order
    # whatever the options say, as the batches of from_tensor_slices are.
    return starts.map(
        do_not_convert(function),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
        name=name,
    )


def _tensor(array: np.ndarray) -> tf.Tensor:
    if array.dtype.kind not in "biufc" or array.dtype.itemsize > 16:
        return tf.constant(array)
    array = aligned(array)
    if not array.flags.writeable:  # DLPack cannot say that memory is only to be read
        array = np.asarray(_Writeable(array))
    # A tensor made through DLPack does not own its memory. TensorFlow therefore never reuses it for
    # a result, as it does with an array from Python that nothing else in the graph refers to.
    return tf.experimental.dlpack.from_dlpack(array.__dlpack__())


class _Writeable:
    """Offers the memory of a read-only array as writeable, to something that does not write."""

    def __init__(self, array: np.ndarray):
        self._array = array  # keeps the memory
        self.__array_interface__ = {
            **array.__array_interface__,
            "data": (array.ctypes.data, False),
        }
