"""Random structures, and rows for them in the many forms in which Python code yields values."""

import collections
import itertools

import numpy as np
from contract.drawn import Point
from hypothesis import strategies as st
from unit.bridging import spec

from helpers.bridge.structure import map_structure
from helpers.quiet import tf

DTYPES = ["float32", "float64", "float16", "int32", "uint8", "int64", "bool", "complex64", "string"]

leaf_specs = st.builds(
    lambda shape, dtype: spec(tuple(shape), tf.as_dtype(dtype)),
    st.lists(st.sampled_from([None, 0, 1, 2, 3]), max_size=2),
    st.sampled_from(DTYPES),
)
signatures = st.recursive(
    leaf_specs,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(tuple),
        st.dictionaries(st.sampled_from("zyxab"), inner, min_size=1, max_size=3),
        st.dictionaries(st.sampled_from("ba"), inner, min_size=1).map(collections.OrderedDict),
        st.builds(Point, inner, inner),
    ),
    max_leaves=4,
)


class Rows:
    """Rows that match a signature, in the many forms in which Python code yields values.

    Args:
      signature: Structure of a row.
      count: Number of rows.
      batch_size: After how many rows the unknown dimensions change.
      seed: Of the values.
      tensors: Whether some values are tensors.
    """

    def __init__(self, signature, count, batch_size, seed, tensors=True):
        self.signature = signature
        self.count = count
        self.batch_size = batch_size
        self.seed = seed
        self.tensors = tensors

    def __call__(self):
        rng = np.random.default_rng(self.seed)
        kept = {}  # arrays that are filled again for each row
        for index in range(self.count):
            if index % self.batch_size == 0:
                sizes = iter(rng.integers(0, 4, 100).tolist())  # of unknown dimensions
                shapes = map_structure(
                    lambda s: tuple(next(sizes) if d is None else d for d in s.shape),  # noqa: B023
                    self.signature,
                )
            numbers = itertools.count()
            yield _zip_map(
                lambda s, shape: self._value(rng, s, shape, kept, next(numbers)),  # noqa: B023
                self.signature,
                shapes,
            )

    def _value(self, rng, spec, shape, kept, number):
        return value_of(rng, spec.dtype, shape, kept, number, self.tensors)


def _zip_map(function, signature, shapes):
    if isinstance(signature, dict):
        parts = {key: _zip_map(function, signature[key], shapes[key]) for key in signature}
        return type(signature)(parts)
    if isinstance(signature, tuple):
        parts = [_zip_map(function, *pair) for pair in zip(signature, shapes, strict=True)]
        return type(signature)(*parts) if hasattr(signature, "_fields") else tuple(parts)
    return function(signature, shapes)


def value_of(rng, dtype, shape, kept, number, tensors=True):
    """A random value in one of the forms in which Python code yields it."""
    form = rng.integers(5)
    if dtype == tf.string:
        words = np.array(["", "a", "bc", "dé"], object)[rng.integers(0, 4, shape)]
        if form == 0:
            return words
        if shape == ():
            return words.encode() if form == 1 else words
        return words.astype("U2") if form == 2 or words.size == 0 else words.tolist()
    values = rng.integers(0, 100, shape)
    if form == 0:  # another type than the signature's
        return values
    if form == 1 and np.size(values):
        return np.asarray(values).tolist()
    array = np.asarray(values).astype(dtype.as_numpy_dtype)
    if form == 2:
        return array[()]
    if form == 3:  # the same array each time; TensorFlow's own from_generator corrupts aligned ones
        target = kept.setdefault((number, shape), _unaligned(shape, array.dtype))
        target[...] = array
        return target
    return tf.constant(array) if tensors else array


def _unaligned(shape, dtype):
    raw = np.empty(int(np.prod(shape)) * dtype.itemsize + 128, np.uint8)
    start = -raw.ctypes.data % 64 + 16
    return raw[start : start + raw.nbytes - 128].view(dtype).reshape(shape)
