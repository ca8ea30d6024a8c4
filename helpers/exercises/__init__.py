"""The notebooks' exercises: what is asked, a solution, and a check that says what is wrong."""

from . import (
    baseline,
    chunks,
    constant,
    generator,
    left,
    own,
    prefetch,
    scale,
    scoreboard,
    signature,
    sources,
    start,
    training,
    work,
    workers,
)  # fmt: skip
from .exercise import Count, Exercise, Finding

EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise
    for exercise in (
        start.BATCHES,
        start.RATIO,
        baseline.DRAINED,
        baseline.MEMORY,
        generator.TEN_AT_A_TIME,
        generator.CROSSINGS,
        prefetch.TWO_BATCHES,
        prefetch.WITHOUT,
        constant.MENDED,
        constant.AT_ONCE,
        signature.PAIRS,
        signature.PADDED,
        work.LEAN,
        work.CACHED,
        chunks.CHUNKED,
        chunks.COPIED,
        workers.SHARDED,
        workers.SENDABLE,
        left.PACKED,
        left.APART,
        own.COUNTED,
        own.AHEAD,
        sources.COLUMNS,
        sources.COUNTED,
        training.WEIGHTED,
        training.ENDLESS,
        scale.PROMISE,
        scale.PAYS,
        scoreboard.ADVICE,
        scoreboard.VERDICT,
    )
}
"""By name, in the order of the notebooks."""

__all__ = ["EXERCISES", "Count", "Exercise", "Finding"]
