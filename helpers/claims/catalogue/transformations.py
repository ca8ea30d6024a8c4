"""Transformations: in the generator or in map, one row or a batch, one call or many."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from helpers.measure import Arm
from helpers.quiet import tf

from ..arms import called, generator_arm, options, own, rows_taken, stored_arm
from ..claim import Claim, Timed
from ..expectation import GAIN, at_least
from ..rows import B_4, KB_40, Work, after, compute, sleep, stored

NOTEBOOK = "06-work-in-tf-data"

AUTOTUNE = tf.data.AUTOTUNE

Step = Callable[[tf.data.Dataset], tf.data.Dataset]


SIDE = 224
"""Side of a picture after resizing, as many networks want it."""


def resized_by_numpy(row: np.ndarray) -> np.ndarray:
    """Resizes a picture of 100×100 to 224×224, bilinear, as `tf.image.resize` does."""
    at = np.clip((np.arange(SIDE) + 0.5) * (len(row) / SIDE) - 0.5, 0, len(row) - 1)
    low = at.astype(int)
    high = np.minimum(low + 1, len(row) - 1)
    part = (at - low).astype(np.float32)
    columns = row[:, low] * (1 - part) + row[:, high] * part
    return columns[low] * (1 - part[:, None]) + columns[high] * part[:, None]


def resized_by_tensorflow(row: tf.Tensor) -> tf.Tensor:
    """The same in TensorFlow."""
    return tf.image.resize(row[..., None], (SIDE, SIDE))[..., 0]


def moved(take: int = 64) -> tuple[Arm, Arm]:
    """Pictures resized with NumPy in the generator, and with TensorFlow in a map."""
    rows = stored(KB_40, rows_taken(take))

    def resizing() -> Iterator[np.ndarray]:
        for row in rows:
            yield resized_by_numpy(row)

    return (
        generator_arm("resized in the generator", resizing, (SIDE, SIDE)),
        stored_arm(
            "resized in map",
            rows,
            lambda dataset: dataset.map(resized_by_tensorflow, num_parallel_calls=AUTOTUNE),
        ),
    )


def python_moved(take: int = 64) -> tuple[Arm, Arm]:
    """Half a millisecond of Python in the generator, and in a parallel map."""
    rows = stored(KB_40, rows_taken(take))
    return (
        generator_arm("Python in the generator", after(compute, 500, rows), KB_40, content="rows"),
        stored_arm("Python in map", rows, python_map(compute, 500), content="rows"),
    )


def python_map(work: Work, us: float, **parallel: int) -> Step:
    """A map that calls Python for each row; parallel unless told otherwise."""

    def worked(row: np.ndarray) -> np.ndarray:
        work(us)
        return row

    def mapped(row: tf.Tensor) -> tf.Tensor:
        return called(worked, row, row.shape)

    return lambda dataset: dataset.map(mapped, **(parallel or {"num_parallel_calls": AUTOTUNE}))


def parallel_map(
    one: Step,
    many: Step,
    take: int = 64,
) -> tuple[Arm, Arm]:
    """Stored rows through one call of a map at a time, and through two."""
    rows = stored(KB_40, rows_taken(take))
    slices = tf.data.Dataset.from_tensor_slices(rows)
    return (
        Arm("map", lambda: one(slices)),
        Arm("map with num_parallel_calls=2", lambda: many(slices)),
    )


def tensorflow_map(**parallel: int) -> Step:
    """A map of TensorFlow operations."""
    return lambda dataset: dataset.map(resized_by_tensorflow, **parallel)


CLAIMS = (
    Claim(
        id="transform-in-map",
        statement="A transformation in map is faster than the same in the generator.",
        source="article",
        detail='"Shift as much processing to tf.data operations as possible"',
        notebook=NOTEBOOK,
        conditions=(
            Timed("for resizing pictures, which TensorFlow does too", own(moved), at_least(GAIN)),
            Timed(
                "for a cheap one, two operations on 4 B",
                options(
                    {
                        "scaled in the generator": {"transform": "generator"},
                        "scaled in map": {"transform": "map"},
                    },
                    shape=B_4,
                ),
                at_least(GAIN),
            ),
            Timed("for one that stays in Python", own(python_moved), at_least(GAIN)),
        ),
        supports="In map it is 1.3× as fast or faster.",
        refutes="It is small beside the crossing, or keeps the GIL wherever it runs.",
        varies="what the transformation is",
    ),
    Claim(
        id="parallel-map-is-faster",
        statement="num_parallel_calls makes a map faster.",
        source="TensorFlow guide",
        detail="Better performance with the tf.data API, Parallelizing data transformation",
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "for a function that waits, as for a disk",
                own(
                    parallel_map,
                    python_map(sleep, 1000, num_parallel_calls=1),
                    python_map(sleep, 1000, num_parallel_calls=2),
                ),
                at_least(GAIN),
            ),
            Timed(
                "for a function that computes in Python",
                own(
                    parallel_map,
                    python_map(compute, 1000, num_parallel_calls=1),
                    python_map(compute, 1000, num_parallel_calls=2),
                ),
                at_least(GAIN),
            ),
            Timed(
                "for TensorFlow operations, where none is written",
                own(parallel_map, tensorflow_map(), tensorflow_map(num_parallel_calls=2)),
                at_least(GAIN),
            ),
        ),
        supports="Two calls at a time are 1.3× as fast or faster.",
        refutes="The GIL lets only one run, or TensorFlow has made the map parallel already.",
        varies="what the map calls",
    ),
    Claim(
        id="vectorise-the-map",
        statement="A map over batches is faster than a map over rows.",
        source="TensorFlow guide",
        detail="Better performance with the tf.data API, Vectorizing mapping",
        notebook=NOTEBOOK,
        conditions=tuple(
            Timed(
                name,
                options(
                    {
                        "map, then batch": {"transform": "map"},
                        "batch, then map": {"transform": "map_after_batch"},
                    },
                    source=source,
                    shape=B_4,
                    batch=64,
                    take=take,
                ),
                at_least(GAIN),
            )
            for name, source, take in (
                ("after from_tensor_slices", "tensor_slices", 3200),
                ("after from_generator", "generator", 384),
            )
        ),
        supports="For rows of 4 B in batches of 64 it is 1.3× as fast or faster.",
        refutes="What it saves is small beside the crossings.",
        varies="what the rows cost before they reach the map",
    ),
)
