"""One crossing for many rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from helpers.bridge import from_generator
from helpers.measure import Arm
from helpers.quiet import tf

from ..arms import (
    CLEAR,
    Arms,
    Then,
    behind_device,
    called,
    converted,
    generator_arm,
    own,
    repeated_arm,
    rows_taken,
    stored_arm,
)
from ..claim import Claim, Timed
from ..expectation import about, at_least, at_most
from ..rows import B_4, KB_40, KB_600, aligned, stored

NOTEBOOK = "07-cross-less-often"

CHUNK = 256
"""Rows in a chunk."""

BATCH = 32
"""Examples in a batch."""


def sizes(shape: tuple[int, ...], take: int = 100) -> tuple[Arm, Arm]:
    """A row of 4 B again and again, and one of another shape as NumPy puts it in memory."""
    count = rows_taken(take)
    return (
        repeated_arm("rows of 4 B", np.zeros(B_4, np.float32), count),
        repeated_arm("larger rows", aligned(shape, 16), count),
    )


def stacked(shape: tuple[int, ...], take: int = 256) -> tuple[Arm, Arm]:
    """Rows that tf.data batches, and rows that Python stacks into batches of 32."""
    rows = stored(shape, rows_taken(take, 2 * BATCH))

    def batches() -> Iterator[np.ndarray]:
        batch = []
        for row in rows:
            batch.append(row)
            if len(batch) == BATCH:
                yield np.stack(batch)
                batch = []

    return (
        generator_arm("stacked in Python", batches, (None, *shape), examples=len, content="rows"),
        row_by_row("batched in tf.data", rows),
    )


def by_index(indices: int, take: int = 256) -> tuple[Arm, Arm]:
    """from_generator, and a map over indices that calls Python; in batches of 32 in the end."""
    count = rows_taken(take, 2 * BATCH)
    rows = stored(KB_40, count)

    def look_up(index: np.ndarray) -> np.ndarray:
        return rows[index]

    def fetched(index: tf.Tensor) -> tf.Tensor:
        return called(look_up, index, (*index.shape, *KB_40))

    def indexed() -> tf.data.Dataset:
        dataset = tf.data.Dataset.range(count)
        if indices > 1:
            return dataset.batch(indices).map(fetched)
        return dataset.map(fetched).batch(BATCH)

    return (
        row_by_row("from_generator", rows),
        Arm("range and numpy_function", indexed, len, content="rows"),
    )


def unbatched(shape: tuple[int, ...], take: int = 512) -> tuple[Arm, Arm]:
    """One row a crossing, and chunks of 256 that are unbatched again; batches of 32 of either."""
    rows = stored(shape, rows_taken(take, 2 * BATCH))
    return (
        row_by_row("a row a crossing", rows),
        in_chunks("chunks, unbatched", rows, lambda chunks: chunks.unbatch().batch(BATCH)),
    )


def row_by_row(name: str, rows: np.ndarray) -> Arm:
    """Stored rows one by one, in batches of 32 after the crossing."""
    return stored_arm(
        name, rows, lambda dataset: dataset.batch(BATCH), examples=len, content="rows"
    )


def in_chunks(name: str, rows: np.ndarray, then: Then) -> Arm:
    """Views of 256 stored rows at a time."""

    def chunks() -> Iterator[np.ndarray]:
        for start in range(0, len(rows), CHUNK):
            yield rows[start : start + CHUNK]

    return generator_arm(name, chunks, (None, *rows.shape[1:]), then, examples=len, content="rows")


def against_slices(arm: Callable[[np.ndarray], Arm], take: int = 2048) -> Arms:
    """from_tensor_slices in batches of 32 with a prefetch, and another arm over the same rows."""

    def make() -> tuple[Arm, Arm]:
        rows = stored(KB_40, rows_taken(take, 2 * BATCH))

        def slices() -> tf.data.Dataset:
            return tf.data.Dataset.from_tensor_slices(rows).batch(BATCH).prefetch(2)

        return Arm("from_tensor_slices", slices, len, content="rows"), arm(rows)

    return own(make)


def rebatched(rows: np.ndarray) -> Arm:
    """Chunks that are cut into batches of 32 by rebatch."""
    return in_chunks("chunks, rebatched", rows, lambda chunks: chunks.rebatch(BATCH).prefetch(2))


def bridged(rows: np.ndarray) -> Arm:
    """The row generator as it is, with `helpers.bridge.from_generator`."""

    def build() -> tf.data.Dataset:
        return from_generator(
            partial(iter, rows),
            output_signature=tf.TensorSpec(rows.shape[1:], tf.float32),
            batch_size=BATCH,
        ).prefetch(2)

    return Arm("rows through the bridge", build, len, content="rows")


CLAIMS = (
    Claim(
        id="crossing-is-paid-per-element",
        statement="A crossing costs the same whatever the element's size.",
        source="ourselves",
        detail="from_generator_op.py: one call of Python for each element",
        notebook=NOTEBOOK,
        conditions=(
            Timed("for rows of 4 KB", own(sizes, (1000,), 200), about(1.5)),
            Timed("for rows of 9.6 MB", own(sizes, (16, *KB_600), 20), about(1.5), **CLEAR),
        ),
        supports="Such rows come at the speed of rows of 4 B, to within 1.5×.",
        refutes="They come slower: the array is copied, and the copy takes as long.",
        varies="the size: a copy of megabytes outweighs the crossing",
    ),
    Claim(
        id="batch-in-tf-data",
        statement="Batching in tf.data is faster than batching in Python.",
        source="article",
        detail='"Operations like … batching should ideally be handled by … tf.data"',
        notebook=NOTEBOOK,
        conditions=(
            Timed("for rows of 4 B", own(stacked, B_4), at_least(1), **CLEAR),
            Timed("for rows of 40 KB", own(stacked, KB_40), at_least(1), **CLEAR),
        ),
        supports="Rows that tf.data batches come faster than batches stacked in the generator.",
        refutes="They come slower: each row pays a crossing, and a stacked batch pays one.",
        varies="the size of a row",
    ),
    Claim(
        id="numpy-function-instead",
        statement="A map with numpy_function over indices is faster than from_generator.",
        source="ourselves",
        detail="a common answer to the article's question",
        notebook=NOTEBOOK,
        conditions=(
            Timed("for one index a call", own(by_index, 1), at_least(2)),
            Timed("for 32 indices a call", own(by_index, 32), at_least(2), **CLEAR),
        ),
        supports="It is twice as fast or faster.",
        refutes="A call for each row costs what a crossing costs.",
        varies="how many rows a call fetches",
    ),
    Claim(
        id="unbatching-loses-the-gain",
        statement="To unbatch a chunk after the crossing throws away what the chunk has gained.",
        source="ourselves",
        detail="a common objection",
        notebook=NOTEBOOK,
        conditions=(
            Timed("for rows of 40 KB", own(unbatched, KB_40), at_most(1.5), **CLEAR),
            Timed("for rows of 4 B", own(unbatched, B_4), at_most(1.5), **CLEAR),
        ),
        supports="Chunks that are unbatched come at most 1.5× as fast as single rows.",
        refutes="They come many times as fast: what follows the crossing is cheap.",
        varies="the size of a row",
    ),
    Claim(
        id="comparable-performance",
        statement="With the article's advice from_generator performs like from_tensor_slices.",
        source="article",
        detail='first paragraph: "vital for achieving comparable performance"',
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "behind an idle consumer",
                converted(prefetch="autotune", batch=BATCH, take=256),
                at_least(0.5),
                **CLEAR,
            ),
            Timed(
                "behind a device that takes 2 ms for each row",
                converted(**behind_device(2000, take=40)),
                at_least(0.5),
                **CLEAR,
            ),
        ),
        supports="With signature, lean generator and prefetch it has half the speed or more.",
        refutes="It has less than half the speed.",
        varies="how long the consumer takes for a row",
    ),
    Claim(
        id="cannot-match-slices",
        statement="from_generator cannot come near from_tensor_slices, whatever one does.",
        source="ourselves",
        detail="a common belief",
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "for one row a crossing",
                converted(prefetch=2, batch=BATCH, take=256),
                at_most(0.5),
                **CLEAR,
            ),
            Timed(
                "for chunks of 256 stored rows, rebatched",
                against_slices(rebatched),
                at_most(0.5),
            ),
            Timed(
                "for rows of 40 KB through the bridge",
                against_slices(bridged),
                at_most(0.5),
            ),
        ),
        supports="It has half the speed of from_tensor_slices or less.",
        refutes="It has more than half the speed.",
        varies="how many rows share a crossing",
    ),
)
