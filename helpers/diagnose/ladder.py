"""The stall ladder: the arms of one interleaved run that tell where a batch's time goes."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers import bridge
from helpers.diagnose.guard import Deadline
from helpers.diagnose.subject import Subject
from helpers.measure import Arm, Measurement, Progress, Settings, compare
from helpers.quiet import tf

CONSUMER, BARE, CROSSED, PIPELINE, TOGETHER = "c0", "g", "x", "w", "t"
REPLAY, TIGHT, BRIDGED, WORKER, SLICED = "replay", "tight", "bridged", "worker", "sliced"
"""The five rungs; then the rows that were kept, without the user's work: through from_generator,
with the signature that they have, through the bridge, and from a worker process; and the user's
sequence, a slice at a time."""

LIGHT = 0.1
"""Below this share of generator in a row, a worker process is not measured."""

RING, TRIAL_S, MOST_BATCHES = 10, 0.12, 60


@dataclass(frozen=True)
class Ladder:
    """What was measured.

    Attributes:
        batches: Batches of a trial.
        batch_size: Rows in each.
        rounds: For each arm the nanoseconds of a batch in each round.
        measurement: The run itself; None if there was no time for one.
        left_out: Arms that could not run, with the reason.
    """

    batches: int
    batch_size: int
    rounds: dict[str, list[float]]
    measurement: Measurement | None
    left_out: dict[str, str]


def climb(
    subject: Subject,
    signature: Any,
    tight: Any,
    kept: Sequence[Any],
    *,
    batch_size: int,
    rows_known: int | None,
    row_ns: float,
    step: Callable[[Any], object] | None,
    deadline: Deadline,
    on_progress: Callable[[Progress], None] | None = None,
) -> Ladder:
    """Measures the arms.

    Args:
        subject: What is examined.
        signature: Of its rows; None for a pipeline without a generator.
        tight: The signature that the rows have, where the other chooses the slow callback; else
            None.
        kept: Rows to replay.
        batch_size: Rows in a batch; 1 where the elements are batches already.
        rows_known: How many rows there are; None if that is not known or they do not end.
        row_ns: What a row takes in bare Python, for the length of a trial.
        step: The consumer; None if it is idle.
        deadline: When to stop.
        on_progress: Called after each round.
    """
    left_out: dict[str, str] = {}
    ring = _ring(subject, signature, kept, batch_size)
    guess = batch_size * (row_ns + 150e3) + (_once(step, ring[0]) if step else 0)
    batches = int(max(4, min(MOST_BATCHES, TRIAL_S * 1e9 / max(guess, 1))))
    if rows_known is not None:
        batches = min(batches, rows_known // batch_size)
    if batches < 3:
        raise ValueError("fewer than three batches")
    arms: dict[str, Arm] = {}
    slow = 3 * batches * guess * 3e-9 > 0.7 * deadline.left_s
    if slow:
        left_out["the user's rows"] = "three rounds of them take longer than the budget"
    else:
        arms |= _own_arms(subject, signature, batch_size, batches, step)
    if signature is not None and subject.kind != "batches":
        worth = row_ns > LIGHT * 150e3 and subject.pipeline is None
        arms |= _replays(subject, signature, tight, kept, batch_size, batches, worth, left_out)
    if subject.kind == "sequence" and _slices(subject.source, batch_size):
        arms[SLICED] = Arm(
            SLICED, lambda: _in_slices(subject.source, batch_size, batches), _rows(batch_size)
        )
    if step is not None:
        arms[CONSUMER] = Arm(CONSUMER, lambda: _cycle(ring, batches), _rows(batch_size), step)
    if not arms:
        return Ladder(batches, batch_size, {}, None, left_out)
    settings = Settings.default(
        precision=0.04, budget_s=max(1.0, 0.8 * deadline.left_s), min_rounds=3, max_rounds=14,
        warmup_rounds=1,
    )  # fmt: skip
    measured = compare(
        list(arms.values()), title="the stall ladder", settings=settings,
        baseline=next(name for name in (TOGETHER, PIPELINE, CROSSED, REPLAY, CONSUMER)
                      if name in arms),
        on_progress=on_progress, cancelled=deadline,
    )  # fmt: skip
    rounds = {
        name: [trial.ns_per_example * batch_size for trial in measured.trials_of(name)]
        for name in arms
    }
    return Ladder(batches, batch_size, rounds, measured, left_out)


def naive(subject: Subject, signature: Any, batch_size: int) -> tf.data.Dataset:
    """What the user's generator gives with tf.data alone: the rung `x`."""
    rows = tf.data.Dataset.from_generator(subject.rows, output_signature=signature)
    return rows if subject.kind == "batches" else rows.batch(batch_size)


def _own_arms(
    subject: Subject, signature: Any, batch_size: int, batches: int, step: Any
) -> dict[str, Arm]:
    per = _rows(batch_size)
    arms: dict[str, Arm] = {}
    if subject.rows is not None:
        arms[BARE] = Arm(BARE, lambda: _bare(subject.rows, batch_size, batches), per)
    if subject.rows is not None and signature is not None:
        arms[CROSSED] = Arm(
            CROSSED, lambda: naive(subject, signature, batch_size).take(batches), per
        )
    whole = subject.pipeline or (lambda: naive(subject, signature, batch_size))
    if subject.pipeline is not None:
        arms[PIPELINE] = Arm(PIPELINE, lambda: whole().take(batches), per)
    if step is not None:
        arms[TOGETHER] = Arm(TOGETHER, lambda: whole().take(batches), per, step)
    return arms


def _replays(
    subject: Subject,
    signature: Any,
    tight: Any,
    kept: Sequence[Any],
    batch_size: int,
    batches: int,
    worth: bool,
    left_out: dict[str, str],
) -> dict[str, Arm]:
    """The arms of the rows alone: what a crossing costs, and what it might."""
    rows = endless(kept)

    def crossing(spec: Any) -> tf.data.Dataset:
        made = tf.data.Dataset.from_generator(rows, output_signature=spec)
        return made.batch(batch_size).take(batches)

    per = _rows(batch_size)
    arms = {REPLAY: Arm(REPLAY, lambda: crossing(signature), per)}
    if tight is not None:
        arms[TIGHT] = Arm(TIGHT, lambda: crossing(tight), per)
    for name, workers in ((BRIDGED, 0), (WORKER, 1)):
        if workers and not worth:
            continue
        try:
            made = bridge.from_generator(
                rows, output_signature=tight or signature, batch_size=batch_size,
                num_workers=workers,
            )  # fmt: skip
            if subject.pipeline is not None:  # what takes the place of rows has to give rows
                made = made.unbatch().batch(batch_size)
            next(iter(made))
        except Exception as error:  # rows that the bridge cannot take
            left_out[name] = f"{type(error).__name__}: {error}".splitlines()[0]
            continue
        arms[name] = Arm(name, lambda made=made: made.take(batches), per)
    return arms


def _slices(source: Any, batch_size: int) -> bool:
    """Tells whether a slice of a sequence is an array of as many rows."""
    try:
        piece = source[0:batch_size]
        return isinstance(piece, np.ndarray) and len(piece) == batch_size
    except Exception:  # whatever a class of the user's raises for a slice
        return False


def _in_slices(source: Any, batch_size: int, batches: int) -> Iterator[Any]:
    for start in range(0, batches * batch_size, batch_size):
        yield np.array(source[start : start + batch_size])


def endless(kept: Sequence[Any]) -> Callable[[], Iterator[Any]]:
    """Returns a generator function that repeats rows, and that a worker can be sent by value."""
    rows = list(kept)

    def replayed() -> Iterator[Any]:
        while True:
            yield from rows

    replayed.__module__ = "__main__"  # else a worker would import this package, and TensorFlow
    return replayed


def _ring(subject: Subject, signature: Any, kept: Sequence[Any], batch_size: int) -> list[Any]:
    """Captures batches for the consumer alone."""
    if subject.pipeline is not None:
        return list(subject.pipeline().take(RING))
    if subject.kind == "batches":
        return list(kept[:RING])
    source = tf.data.Dataset.from_generator(endless(kept), output_signature=signature)
    return list(source.batch(batch_size).take(RING))


def _bare(rows: Any, batch_size: int, batches: int) -> Iterator[int]:
    iterator = rows()
    for _ in range(batches):
        deque(itertools.islice(iterator, batch_size), maxlen=0)
        yield batch_size


def _cycle(ring: Sequence[Any], batches: int) -> Iterator[Any]:
    return itertools.islice(itertools.cycle(ring), batches)


def _rows(batch_size: int) -> Callable[[Any], int]:
    return lambda element: batch_size


def _once(step: Callable[[Any], object], batch: Any) -> float:
    """Nanoseconds of one step, after a first one that may trace a graph."""
    step(batch)
    start = time.perf_counter_ns()
    step(batch)
    return time.perf_counter_ns() - start
