"""Rows for the tests of the bridge, and how to compare what two data sets give."""

import numpy as np

from helpers.bridge.structure import leaves_of
from helpers.quiet import tf


def spec(shape=(), dtype=tf.float32):
    return tf.TensorSpec(shape, dtype)


def plain(element):
    """The components of an element, with their places, as NumPy arrays or nested lists."""
    return [
        (path, leaf.to_list() if isinstance(leaf, tf.RaggedTensor) else leaf.numpy())
        for path, leaf in leaves_of(element)
    ]


def assert_same_element(ours, theirs):
    assert type(ours) is type(theirs)
    for (path, found), (expected_path, expected) in zip(plain(ours), plain(theirs), strict=True):
        assert path == expected_path
        if isinstance(expected, list):
            assert found == expected
            continue
        assert found.dtype == expected.dtype
        assert found.shape == expected.shape
        np.testing.assert_array_equal(found, expected)


def assert_same(ours, theirs):
    """Both data sets have the same specification and give the same batches."""
    assert ours.element_spec == theirs.element_spec
    for found, expected in zip(ours, theirs, strict=True):
        assert_same_element(found, expected)


def events(dataset, limit=40):
    """What reading a data set to its end gives: batches, names of errors, and "end"."""
    seen = []
    iterator = iter(dataset)
    for _ in range(limit):
        try:
            seen.append(plain(next(iterator)))
        except StopIteration:
            seen.append("end")
            break
        except tf.errors.OpError as error:
            seen.append(type(error).__name__)
    return seen
