"""Arrays that stay where they are: tensors over a source's own memory, and batches cut from them.

No crossing at all: TensorFlow reads the memory itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from helpers.bridge.buffers import aligned_bytes, is_aligned
from helpers.bridge.structure import map_structure
from helpers.quiet import tf


def aligned(array: np.ndarray) -> np.ndarray:
    """Gives an array that TensorFlow can take over without a copy.

    NumPy's own arrays start at a multiple of 16 bytes, TensorFlow wants 64.

    Args:
      array: An array of numbers or booleans.

    Returns:
      `array` itself if it is C-contiguous and starts at a multiple of 64 bytes, else a copy that
      does, in the native byte order.

    Raises:
      TypeError: The array holds Python objects or text.
    """
    if array.dtype.kind not in "biufc":
        raise TypeError(
            f"only arrays of numbers or booleans can be aligned; this one holds {array.dtype}"
        )
    if array.dtype.isnative and is_aligned(array):
        return array
    dtype = array.dtype.newbyteorder("=")
    copy = np.frombuffer(aligned_bytes(array.size * dtype.itemsize), dtype).reshape(array.shape)
    copy[...] = array
    return copy


def batches(
    arrays: Any,
    *,
    batch_size: int,
    drop_remainder: bool,
    order: Callable[[], Iterable[int]] | None,
    name: str | None,
) -> tf.data.Dataset:
    """Cuts batches from arrays.

    Args:
      arrays: Structure of arrays of one length.
      batch_size: Rows in a batch.
      drop_remainder: Leaves out a last batch of fewer rows.
      order: Called once an epoch, gives the indices of the rows in their order; None for the
        order of the arrays.
      name: A name for the tf.data operations.
    """
    tensors = map_structure(_tensor, arrays)
    if order is None:
        whole = tf.data.Dataset.from_tensors(tensors, name=name)
        return whole.rebatch(batch_size, drop_remainder=drop_remainder, name=name)
    orders = tf.data.Dataset.from_generator(
        lambda: iter([np.asarray(order(), np.int64)]),
        output_signature=tf.TensorSpec((None,), tf.int64),
        name=name,
    )
    indices = orders.rebatch(batch_size, drop_remainder=drop_remainder, name=name)
    return indices.map(
        lambda rows: map_structure(lambda tensor: tf.gather(tensor, rows), tensors), name=name
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
