"""The arms of the claims: mostly PipelineOptions, shortened, and a few parts of our own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import Any

import numpy as np

from helpers.measure import Arm, pick
from helpers.quiet import tf
from helpers.study import PipelineOptions

from .rows import Work

Arms = Callable[[], AbstractContextManager[tuple[Arm, Arm]]]

Then = Callable[[tf.data.Dataset], tf.data.Dataset] | None

CLEAR: dict[str, float] = {"precision": 0.2, "budget_s": 3.0}
"""For a condition whose arms differ many times over, or not nearly as the claim expects."""

ROWS = 150
"""Rows in a trial unless a condition says otherwise: some 40 ms of from_generator."""


def rows_taken(full: int = ROWS, quick: int = 24) -> int:
    """Rows in a trial, of a full run and in quick mode."""
    return pick(full, min(full, quick))


# Arms from the options of the studies


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


def converted(**common: Any) -> Arms:
    """from_tensor_slices, and from_generator in its place.

    Args:
        **common: As for `options`.
    """
    return options(
        {
            "from_tensor_slices": {"source": "tensor_slices"},
            "from_generator": {"source": "generator"},
        },
        **common,
    )


def behind_device(step_us: float, take: int) -> dict[str, Any]:
    """Options for a prefetch, and a device behind it that takes so long for each row."""
    return {"prefetch": "autotune", "consumer": "device", "step_us": step_us, "take": take}


# Arms of our own


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
        spec: As for `generated`.
        then: What follows in the pipeline.
        **more: Of `Arm`.
    """

    def build() -> tf.data.Dataset:
        dataset = generated(generator, spec)
        return then(dataset) if then else dataset

    return Arm(name, build, **more)


def stored_arm(name: str, rows: np.ndarray, then: Then = None, **more: Any) -> Arm:
    """An arm of rows that exist, one a crossing.

    Args:
        name: What figures call it.
        rows: The rows, along the first axis.
        then: What follows in the pipeline.
        **more: Of `Arm`.
    """
    return generator_arm(name, partial(iter, rows), rows.shape[1:], then, **more)


def repeated_arm(name: str, row: Any, count: int) -> Arm:
    """An arm of one array or tensor, yielded again and again."""
    return generator_arm(name, partial(iter, [row] * count), tuple(row.shape))


# Their parts


def generated(generator: Callable[..., Iterable], spec: Any) -> tf.data.Dataset:
    """A from_generator data set.

    Args:
        generator: As for `from_generator`.
        spec: The output_signature, or the shape of the float32 rows.
    """
    if isinstance(spec, tuple) and all(size is None or isinstance(size, int) for size in spec):
        spec = tf.TensorSpec(spec, tf.float32)
    return tf.data.Dataset.from_generator(generator, output_signature=spec)


def side_by_side(generator: Callable[[], Iterable], spec: Any, count: int) -> tf.data.Dataset:
    """So many from_generator data sets of the same rows, interleaved in parallel.

    Args:
        generator: As for `from_generator`.
        spec: As for `generated`.
        count: How many, each with a thread of its own.
    """

    def one(_: tf.Tensor) -> tf.data.Dataset:
        return generated(generator, spec)

    return tf.data.Dataset.range(count).interleave(
        one, cycle_length=count, num_parallel_calls=count
    )


def called(function: Callable, values: tf.Tensor, shape: Any) -> tf.Tensor:
    """Calls Python from within a map; what comes out is float32 of the shape that is given."""
    result = tf.numpy_function(function, [values], tf.float32)
    result.set_shape(shape)
    return result


def taking(work: Work, us: float) -> Callable[[Any], None]:
    """A consumer that takes so long for each element."""
    return lambda element: work(us)
