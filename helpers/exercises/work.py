"""Exercises of notebook 06: where work belongs, and what to cache."""

from __future__ import annotations

from typing import Any

from helpers.quiet import tf
from helpers.study import PipelineOptions

from . import looking
from .exercise import Exercise, NotYetError, Seen


def _lean(made: Any, seen: Seen) -> None:
    mine = looking.options(
        made, seen, PipelineOptions(batch=64, transform="map_after_batch", parallel="autotune"),
        {
            ("transform", "generator"): "The generator still scales each row in Python.",
            ("transform", "map"): "A `map` before the batch is called for each row.",
            ("transform", "none"): "The scaling is gone; it should move, not vanish.",
            ("batch", None): "The batches of 64 are missing.",
            "batch": "A batch holds {value} rows, and 64 were asked for.",
            ("parallel", None): "One call of `map` waits for the other: `parallel` lets several "
            "run.",
            "parallel": "parallel={value} fixes the number of calls; TensorFlow should choose it.",
            "source": "The rows should still come from the generator.",
        },
    )  # fmt: skip
    seen.count("calls of map for 640 rows", -(-640 // mine.batch), 10)


LEAN = Exercise(
    name="06-lean",
    title="A lean generator",
    spec="Describe the pipeline that a lean design would choose: the generator only hands rows "
    "over, batches of 64, the scaling on whole batches, several calls at a time as TensorFlow sees "
    "fit.",
    start='mine = PipelineOptions(transform="generator")  # change me',
    solution="""
mine = PipelineOptions(batch=64, transform="map_after_batch", parallel="autotune")
""",
    answer="mine",
    hint="`transform` says where the scaling runs; `parallel` is the num_parallel_calls of `map`.",
    right="The scaling is called once for 64 rows, and as often at a time as TensorFlow likes.",
    look=_lean,
)


def _cached(made: Any, seen: Seen) -> None:
    costly = looking.Counted(lambda row: row * 10)
    noise = looking.Counted(lambda row: row + 1 + 1000 * len(noise.calls))

    def mapped(counted: looking.Counted) -> Any:
        def step(row: Any) -> Any:
            value = tf.numpy_function(counted, [row], tf.int64)
            value.set_shape(())
            return value

        return step

    rows = tf.data.Dataset.range(8)
    mine = looking.dataset(looking.called(made, rows, mapped(costly), mapped(noise)))
    epochs = [[int(row) for row in mine] for _ in range(2)]
    costly_once = seen.count("calls of costly in two epochs", len(costly.calls), 8)
    noise_each = seen.count("calls of augment in two epochs", len(noise.calls), 16)
    for rows_of_it in epochs:
        base = [row % 1000 for row in rows_of_it]
        if base == [10 * row + 10 for row in range(8)]:
            raise NotYetError("augment runs before costly, and should run behind it.")
        if sorted(base) == [10 * row + 1 for row in range(8)] and base != sorted(base):
            raise NotYetError("The order is another one: nobody asked for a shuffle.")
        if base != [10 * row + 1 for row in range(8)]:
            raise NotYetError("Each row should go through costly and then through augment, once.")
    if not noise_each:
        raise NotYetError(
            "The second epoch has the same noise as the first: the cache stands behind augment "
            "and keeps what it made."
        )
    if not costly_once:
        raise NotYetError(
            "costly runs more than once for a row: what is kept, if anything, is what goes into it."
        )


CACHED = Exercise(
    name="06-cached",
    title="What to cache",
    spec="`costly` gives the same for a row in every epoch, `augment` something random. Put a "
    "cache where `costly` runs once for each row, however many epochs there are, and `augment` in "
    "every epoch. The check counts the calls of both.",
    start="""
def cached(rows, costly, augment):
    return rows.map(costly).map(augment)  # change me
""",
    solution="""
def cached(rows, costly, augment):
    return rows.map(costly).cache().map(augment)
""",
    answer="cached",
    hint="`cache()` keeps what comes into it, and from the second epoch on nothing before it runs.",
    right="costly ran 8 times for 8 rows, augment in both epochs.",
    look=_cached,
)
