"""The other operations of tf.data that the article advises: shuffle, map_and_batch, cache."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from helpers.measure import Arm
from helpers.quiet import tf

from ..arms import CLEAR, Arms, generated, generator_arm, options, own, rows_taken
from ..claim import Checked, Claim, Finding, Timed
from ..expectation import GAIN, at_least
from ..looking import nodes
from ..rows import B_4, KB_40, stored

NOTEBOOK = "06-work-in-tf-data"


def shuffled(shape: tuple[int, ...], take: int = 140) -> tuple[Arm, Arm]:
    """An endless source, shuffled by index in Python and by a buffer in tf.data."""
    count = rows_taken(take)
    rows = stored(shape, count)

    def permuted() -> Iterator[np.ndarray]:
        rng = np.random.default_rng(0)
        while True:
            for index in rng.permutation(count):
                yield rows[index]

    def ordered() -> Iterator[np.ndarray]:
        while True:
            yield from rows

    return (
        generator_arm("shuffled in Python", permuted, shape, lambda data: data.take(count)),
        generator_arm(
            "shuffle(50)", ordered, shape, lambda data: data.shuffle(50, seed=0).take(count)
        ),
    )


def double(row: tf.Tensor) -> tf.Tensor:
    """A small transformation."""
    return row + row


def fused(generator: bool, take: int) -> tuple[Arm, Arm]:
    """Map and batch, and the deprecated fusion of the two."""
    rows = stored(B_4, rows_taken(take))

    def source() -> tf.data.Dataset:
        if generator:
            return generated(partial(iter, rows), B_4)
        return tf.data.Dataset.from_tensor_slices(rows)

    level = tf.get_logger().level
    tf.get_logger().setLevel("ERROR")  # that it is deprecated is a condition of its own
    fusion = tf.data.experimental.map_and_batch(double, 16, num_parallel_calls=2)
    tf.get_logger().setLevel(level)
    return (
        Arm(
            "map and batch",
            lambda: source().map(double, num_parallel_calls=2).batch(16),
            len,
            content="doubled",
        ),
        Arm("map_and_batch", lambda: source().apply(fusion), len, content="doubled"),
    )


def is_not_fused_already() -> Finding:
    """Looks at the nodes that run where map and batch are written apart."""
    seen = nodes(tf.data.Dataset.range(8).map(double, num_parallel_calls=2).batch(2))
    return Finding("MapAndBatch" not in seen, f"for map and batch, {', '.join(seen)} run")


def is_current() -> Finding:
    """Reads what TensorFlow says of map_and_batch."""
    text = tf.data.experimental.map_and_batch.__doc__ or ""
    old = "deprecated" in text.lower()
    return Finding(not old, f"TensorFlow calls it {'deprecated' if old else 'current'}")


def epochs(alternative: str, **common: object) -> Arms:
    """Three epochs without and with a cache."""
    return options(
        {"no cache": {}, f"cache in {alternative}": {"cache": alternative}}, epochs=3, **common
    )


CLAIMS = (
    Claim(
        id="shuffle-in-tf-data",
        statement="Shuffling in tf.data is faster than shuffling in Python.",
        source="article",
        detail='"using map, batch, shuffle … instead of custom Python loops"',
        notebook=NOTEBOOK,
        conditions=(
            Timed("for rows of 4 B", own(shuffled, B_4), at_least(GAIN)),
            Timed("for rows of 40 KB", own(shuffled, KB_40), at_least(GAIN)),
        ),
        supports="A shuffle buffer is 1.3× as fast as yielding rows in a shuffled order.",
        refutes="Either costs little beside the crossing.",
        varies="the size of a row",
    ),
    Claim(
        id="map-and-batch-is-faster",
        statement="map_and_batch, a fusion of the two, is faster than map and batch.",
        source="article",
        detail='"consider using tf.data.experimental.map_and_batch"',
        notebook=NOTEBOOK,
        conditions=(
            Timed("after from_tensor_slices", own(fused, False, 3200), at_least(GAIN)),
            Timed("after from_generator", own(fused, True, 256), at_least(GAIN)),
            Checked("for the nodes that run", is_not_fused_already),
            Checked("for its standing in TensorFlow", is_current),
        ),
        supports="It is 1.3× as fast or faster.",
        refutes="TensorFlow fuses the two itself, and has deprecated it.",
        varies="what is looked at",
    ),
    Claim(
        id="cache-spares-work",
        statement="A cache makes the epochs after the first faster.",
        source="article",
        detail='"If the data does not change between epochs, ensure its being cached"',
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "in memory, after a generator",
                epochs("memory", work="numpy", work_us=300, take=48),
                at_least(GAIN),
            ),
            Timed(
                "in a file, after a generator",
                epochs("file", work="numpy", work_us=300, take=48),
                at_least(GAIN),
            ),
            Timed(
                "in a file, after slices of memory",
                epochs("file", source="tensor_slices", batch=25, take=200),
                at_least(GAIN),
                **CLEAR,
            ),
        ),
        supports="Three epochs with a cache run 1.3× as fast or faster.",
        refutes="The source is as fast as the cache, or faster.",
        varies="what the source costs, beside what the cache costs",
    ),
)
