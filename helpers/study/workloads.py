"""The generators under study and the rows they yield, each a documented function.

Each function takes element shape, cost and count as parameters and returns a generator function
for `tf.data.Dataset.from_generator`. `listing` shows the body of the same functions, with the
parameters filled in, as the code that a reader can paste; there is no second copy.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np

Generator = Callable[[], Iterator[np.ndarray]]

PYTHON_LOOPS_PER_US = 75
"""Turns of an empty `for` in a microsecond of `work="python"`.

Counted with Python 3.11 on an idle core of a 2-core cloud machine (AVX-512 Xeon). It is a constant
and not calibrated in each process, so that all arms, the kernel, a child process and the code that
the reader sees do the same work; on another machine the microseconds scale with its speed.
"""

NUMPY_ELEMENTS_PER_US = 165
"""Elements of `np.hypot` in a microsecond of `work="numpy"`; counted on the same machine.

`np.hypot` has no vector version, so its cost differs little between processors, and like every
ufunc it frees the GIL while it runs over 500 elements or more.
"""


def stored_rows(size: tuple[int, ...] = (1000, 100, 100), seed: int = 0) -> np.ndarray:
    """The rows that exist before the pipeline does: uniform float32 in [0, 1).

    The article's reader has the data in memory, so making them is no part of a measurement.

    Args:
        size: Number of rows, then the shape of one. The studies keep only the rows that are taken:
            1000 rows of 100×100 are 40 MB, all of the article's 10 000 would be 400 MB, and
            `from_tensor_slices` holds a copy of its own.
        seed: Of `np.random.default_rng`; the same seed gives the same rows.
    """
    rows = np.random.default_rng(seed).random(size, dtype=np.float32)
    return rows


def inefficient(
    shape: tuple[int, ...] = (100, 100), count: int = 10_000, seconds: float = 0.00001
) -> Generator:
    """The article's first example: a short sleep, then a row of new random numbers.

    `time.sleep` takes its time and the timer's slack besides: 10 µs asked are 60–120 µs on Linux.

    Args:
        shape: Shape of one row, at least one dimension.
        count: Rows in an epoch.
        seconds: Sleep before each row.
    """

    def inefficient_generator():
        for _ in range(count):
            time.sleep(seconds)  # simulates a costly operation
            yield np.random.rand(*shape).astype(np.float32)

    return inefficient_generator


def better(shape: tuple[int, ...] = (100, 100), count: int = 10_000) -> Generator:
    """The article's second example without its prefetch: a row of new random numbers, no sleep.

    Yielding `tf.constant` of the same row makes it the third, `even_better_generator`.

    Args:
        shape: Shape of one row, at least one dimension.
        count: Rows in an epoch.
    """

    def better_generator():
        for _ in range(count):
            yield np.random.rand(*shape).astype(np.float32)

    return better_generator


def stored(rows: np.ndarray, count: int = 10_000) -> Generator:
    """Rows that exist already, so that what is measured is the crossing alone.

    Args:
        rows: The rows, along the first axis; they start over when `count` is larger.
        count: Rows in an epoch.
    """

    def stored_generator():
        for i in range(count):
            yield rows[i % len(rows)]

    return stored_generator


def sleeping(rows: np.ndarray, count: int = 10_000, seconds: float = 0.00001) -> Generator:
    """A wait that leaves both the GIL and the core free, then a stored row.

    Args:
        rows: The rows, along the first axis.
        count: Rows in an epoch.
        seconds: Sleep before each row.
    """

    def sleeping_generator():
        for i in range(count):
            time.sleep(seconds)  # like waiting for a disk: core and GIL stay free
            yield rows[i % len(rows)]

    return sleeping_generator


def busy_python(rows: np.ndarray, count: int = 10_000, loops: int = 750) -> Generator:
    """Work in Python, which holds the GIL, then a stored row.

    Args:
        rows: The rows, along the first axis.
        count: Rows in an epoch.
        loops: Turns of an empty loop before each row; see `PYTHON_LOOPS_PER_US`.
    """

    def python_generator():
        for i in range(count):
            for _ in range(loops):  # work in Python: holds the GIL
                pass
            yield rows[i % len(rows)]

    return python_generator


def busy_numpy(rows: np.ndarray, count: int = 10_000, elements: int = 1650) -> Generator:
    """Work in NumPy, which frees the GIL and keeps a core, then a stored row.

    Args:
        rows: The rows, along the first axis.
        count: Rows in an epoch.
        elements: Elements to work on before each row; see `NUMPY_ELEMENTS_PER_US`.
    """
    block = np.ones(elements)

    def numpy_generator():
        for i in range(count):
            np.hypot(block, 1.0, out=block)  # work in NumPy: frees the GIL
            yield rows[i % len(rows)]

    return numpy_generator


def transformation() -> Callable:
    """The one numeric transformation: uniform [0, 1) to [-1, 1).

    The same function serves in the generator (on an array), in `map` (on a tensor) and on whole
    batches, and each gives the same bits: doubling is exact, so one rounding remains.
    """

    def scale(values):
        return 2.0 * values - 1.0

    return scale
