"""A lease ends with the last array that shares the memory, whichever that is."""

import numpy as np
import pytest

from helpers.bridge.buffers import Pool, is_aligned

VIEWS = {
    "slice": lambda array: array[:3],
    "slice of a slice": lambda array: array[1:9][2:],
    "reshape": lambda array: array.reshape(5, 4),
    "transpose of a view": lambda array: array.reshape(5, 4).T,
    "view": lambda array: array.view(np.int32),
    "row": lambda array: array.reshape(5, 4)[1],
    "asarray": lambda array: np.asarray(memoryview(array)),
}


@pytest.mark.parametrize("kind", VIEWS)
def test_a_view_keeps_the_lease(kind):
    pool = Pool()
    array = pool.lease((20,), np.dtype(np.float32))
    view = VIEWS[kind](array)
    del array
    assert (pool.lent, pool.free) == (1, 0)
    del view
    assert (pool.lent, pool.free) == (0, 1)


def test_a_block_is_lent_again_only_when_nothing_refers_to_it():
    pool = Pool()
    kept = [pool.lease((16,), np.dtype(np.int64))[k:] for k in range(8)]
    for k, array in enumerate(kept):
        array[:] = k
    assert [array.tolist() for array in kept] == [[k] * (16 - k) for k in range(8)]
    assert all(is_aligned(pool.lease((n,), np.dtype(np.int8))) for n in (0, 1, 63, 1000))
