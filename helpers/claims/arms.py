"""The arms of the claims: mostly PipelineOptions, shortened, and a few parts of our own."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import numpy as np

from helpers.measure import Arm, pick
from helpers.quiet import tf
from helpers.study import PipelineOptions

Arms = Callable[[], AbstractContextManager[tuple[Arm, Arm]]]

Then = Callable[[tf.data.Dataset], tf.data.Dataset] | None

KB_40 = (100, 100)
"""Shape of the article's rows: 40 KB of float32."""

KB_600 = (224, 224, 3)
"""Shape of a usual image: 600 KB of float32."""

B_4 = (1,)
"""Shape of a row of one number: 4 B of float32."""

CLEAR: dict[str, float] = {"precision": 0.2, "budget_s": 3.0}
"""For a condition whose arms differ many times over, or not nearly as the claim expects."""

ROWS = 200
"""Rows in a trial unless a condition says otherwise: some 50 ms of from_generator."""


def rows_taken(full: int = ROWS, quick: int = 24) -> int:
    """Rows in a trial, of a full run and in quick mode."""
    return pick(full, min(full, quick))


def options(alternatives: dict[str, dict[str, Any]], *, take: int = ROWS, **common: Any) -> Arms:
    """Arms from two sets of `PipelineOptions`.

    Args:
        alternatives: The baseline, then the arm: a name, and what is particular to it.
        take: Rows in a trial of a full run.
        **common: What both share.
    """

    def make() -> tuple[Arm, Arm]:
        rows = rows_taken(take, quick=max(24, 2 * common.get("batch", 1)))
        baseline, arm = (
            PipelineOptions(take=rows, **common, **particular).arm(name)
            for name, particular in alternatives.items()
        )
        return baseline, arm

    return own(make)


def own(make: Callable[..., tuple[Arm, Arm]], *args: Any, **kwargs: Any) -> Arms:
    """Arms from a function that makes them; it is called when the condition is tried."""

    @contextmanager
    def opened() -> Iterator[tuple[Arm, Arm]]:
        yield make(*args, **kwargs)

    return opened


def generator_arm(
    name: str,
    generator: Callable[..., Iterable],
    spec: Any,
    then: Then = None,
    **more: Any,
) -> Arm:
    """An arm that is a from_generator and what follows it.

    Args:
        name: What figures call it.
        generator: As for `from_generator`.
        spec: The output_signature, or the shape of the float32 rows.
        then: What follows in the pipeline.
        **more: Of `Arm`.
    """
    if isinstance(spec, tuple) and all(size is None or isinstance(size, int) for size in spec):
        spec = tf.TensorSpec(spec, tf.float32)

    def build() -> tf.data.Dataset:
        dataset = tf.data.Dataset.from_generator(generator, output_signature=spec)
        return then(dataset) if then else dataset

    return Arm(name, build, **more)


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
