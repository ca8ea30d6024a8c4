"""What the arms of the claims yield: rows that exist, and the work before each."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator

import numpy as np

KB_40 = (100, 100)
"""Shape of the article's rows: 40 KB of float32."""

KB_600 = (224, 224, 3)
"""Shape of a usual image: 600 KB of float32."""

B_4 = (1,)
"""Shape of a row of one number: 4 B of float32."""

Work = Callable[[float], None]
"""Something that takes as many microseconds as it is told."""


@functools.lru_cache(maxsize=2)
def stored(shape: tuple[int, ...], count: int) -> np.ndarray:
    """Rows that exist before the pipeline does: uniform float32 in [0, 1), always the same.

    The last two are kept: TensorFlow never lets go of what a generator refers to.
    """
    return np.random.default_rng(0).random((count, *shape), dtype=np.float32)


def aligned(shape: tuple[int, ...], offset: int = 0) -> np.ndarray:
    """A float32 array of zeros at an address that is `offset` above a multiple of 64.

    Args:
        shape: Its shape.
        offset: Bytes, a multiple of 4. NumPy's own arrays are aligned to 16, often to no more.
    """
    size = 4 * int(np.prod(shape))
    memory = np.zeros(size + 128, np.uint8)
    start = -memory.ctypes.data % 64 + offset
    return memory[start : start + size].view(np.float32).reshape(shape)


def after(work: Work, us: float, rows: Iterable[np.ndarray]) -> Callable[[], Iterator[np.ndarray]]:
    """A generator function of rows, each after some work.

    Args:
        work: What is done before a row.
        us: How long.
        rows: The rows.
    """

    def generator() -> Iterator[np.ndarray]:
        for row in rows:
            work(us)
            yield row

    return generator


def sleep(us: float) -> None:
    """`time.sleep`, in microseconds."""
    time.sleep(us / 1e6)


def spin(us: float) -> None:
    """Keeps this thread's core and the GIL busy until so much time has passed."""
    end = time.perf_counter_ns() + 1000 * us
    while time.perf_counter_ns() < end:
        pass


def compute(us: float) -> None:
    """Computes in Python, holding the GIL, until this thread has worked for so long.

    Time spent waiting for the GIL or for a core does not count, as it would not for real work.
    """
    end = time.thread_time_ns() + 1000 * us
    while time.thread_time_ns() < end:
        pass
