"""The stall ladder: the arms of one interleaved run that tell where a batch's time goes."""

from __future__ import annotations

import itertools
import random
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers import bridge
from helpers.diagnose.guard import Deadline
from helpers.diagnose.subject import Subject
from helpers.measure import Arm, pick, run_trial
from helpers.quiet import tf

CONSUMER, BARE, CROSSED, PIPELINE, TOGETHER = "c0", "g", "x", "w", "t"
REPLAY, TIGHT, BRIDGED, WORKER, SLICED = "replay", "tight", "bridged", "worker", "sliced"
"""The five rungs; then the rows that were kept, without the user's work: through from_generator,
with the signature that they have, through the bridge, and from a worker process; and the user's
sequence, a slice at a time."""

LIGHT = 0.1
"""Below this share of generator in a row, a worker process is not measured."""

WORKER_S = 4
"""Seconds that have to be left for one: its start takes up to two."""

RING, TRIAL_S, FEWEST, MOST_BATCHES, MOST_ROUNDS = 10, 0.15, 3, 60, 14
"""Batches that the consumer alone is given; seconds of a trial; batches of one, at least and at
most; rounds at most."""

CROSSING_NS = 150e3
"""A crossing, roughly: what makes a row light or heavy before anything was measured."""

Maker = Callable[[int], Arm]
"""Makes an arm of so many batches."""


@dataclass(frozen=True)
class Ladder:
    """What was measured.

    Attributes:
        batches: Batches of a trial.
        batch_size: Rows in each.
        rounds: For each arm the nanoseconds of a batch in each round.
        left_out: Arms that could not run, with the reason.
        ring: The batches that the consumer alone was given.
    """

    batches: int
    batch_size: int
    rounds: dict[str, list[float]]
    left_out: dict[str, str]
    ring: Sequence[Any] = ()

    @property
    def count(self) -> int:
        """Rounds."""
        return max(map(len, self.rounds.values()), default=0)


Tell = Callable[[int], None]


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
    tell: Tell = lambda rounds: None,
) -> Ladder:
    """Measures the arms, in as many rounds as there is time for.

    Args:
        subject: What is examined.
        signature: Of its rows; None for a pipeline without a generator.
        tight: The signature that the rows have, where the other chooses the slow callback; else
            None.
        kept: Rows to replay.
        batch_size: Rows in a batch; 1 where the elements are batches already.
        rows_known: How many rows there are; None if that is not known or they do not end.
        row_ns: What a row takes in bare Python.
        step: The consumer; None if it is idle.
        deadline: When to stop; a round that has begun is not counted then.
        tell: Told how many rounds are done.

    Raises:
        ValueError: If there are fewer than three batches.
    """
    left_out: dict[str, str] = {}
    most = MOST_BATCHES if rows_known is None else min(MOST_BATCHES, rows_known // batch_size)
    if most < FEWEST:
        raise ValueError(f"{most} batches are too few to time.")
    makers: dict[str, Maker] = {}
    if 3 * FEWEST * batch_size * row_ns * 4e-9 > 0.7 * deadline.left_s:
        left_out["the user's rows"] = "three rounds of them take longer than the budget"
    else:
        makers |= _own_arms(subject, signature, batch_size, step)
    if signature is not None and subject.kind != "batches":
        worth = (
            row_ns > LIGHT * CROSSING_NS and subject.pipeline is None and deadline.left_s > WORKER_S
        )
        makers |= _replays(subject, signature, tight, kept, batch_size, worth, left_out)
    if subject.kind == "sequence" and _slices(subject.source, batch_size):
        makers[SLICED] = lambda n: Arm(
            SLICED, lambda: _in_slices(subject.source, batch_size, n), _rows(batch_size)
        )
    ring: Sequence[Any] = ()
    if step is not None:
        ring = _ring(subject, signature, kept, batch_size)
        makers[CONSUMER] = lambda n: Arm(CONSUMER, lambda: _cycle(ring, n), _rows(batch_size), step)
    pilot = {name: run_trial(make(FEWEST)) for name, make in makers.items()}
    spent = sum((trial.cold_ns + trial.steady_ns) / 1e9 for trial in pilot.values())
    # rounds that leave time for three of them and more, and trials no longer than needed
    wanted = min(TRIAL_S * len(makers), 0.25 * deadline.left_s)
    batches = int(min(most, max(FEWEST, FEWEST * wanted / max(spent, 1e-9))))
    found: dict[str, list[float]] = {name: [] for name in makers}
    if batches == FEWEST:  # heavy rows: what the pilot cost is not thrown away
        found = {name: [one.ns_per_example * batch_size] for name, one in pilot.items()}
    _rounds([make(batches) for make in makers.values()], found, deadline, batch_size, tell)
    return Ladder(batches, batch_size, found, left_out, ring)


def _rounds(
    arms: Sequence[Arm],
    found: dict[str, list[float]],
    deadline: Deadline,
    batch_size: int,
    tell: Tell,
) -> None:
    """Runs every arm once a round, shuffled; what is cut off by the deadline does not count."""
    order = random.Random(0)
    for round_ in range(pick(MOST_ROUNDS, 2)):
        times = {}
        for place, arm in enumerate(order.sample(arms, len(arms))):
            if deadline.is_set() or (deadline.left_s == 0 and found[arm.name]):
                return
            trial = run_trial(arm, round_=round_, position=place)
            times[arm.name] = trial.ns_per_example * batch_size
        for name, ns in times.items():
            found[name].append(ns)
        tell(round_ + 1)


def naive(subject: Subject, signature: Any, batch_size: int) -> tf.data.Dataset:
    """What the user's generator gives with tf.data alone: the rung `x`."""
    rows = tf.data.Dataset.from_generator(subject.rows, output_signature=signature)
    return rows if subject.kind == "batches" else batched(rows, subject, batch_size)


def batched(rows: tf.data.Dataset, subject: Subject, batch_size: int) -> tf.data.Dataset:
    """Makes batches of a subject's rows."""
    return rows.padded_batch(batch_size) if subject.padded else rows.batch(batch_size)


def _own_arms(
    subject: Subject, signature: Any, batch_size: int, step: Callable[[Any], object] | None
) -> dict[str, Maker]:
    per = _rows(batch_size)
    makers: dict[str, Maker] = {}
    if subject.rows is not None:
        makers[BARE] = lambda n: Arm(BARE, lambda: _bare(subject.rows, batch_size, n), per)
    if subject.rows is not None and signature is not None:
        makers[CROSSED] = lambda n: Arm(
            CROSSED, lambda: naive(subject, signature, batch_size).take(n), per
        )
    whole = subject.pipeline or (lambda: naive(subject, signature, batch_size))
    if subject.pipeline is not None:
        makers[PIPELINE] = lambda n: Arm(PIPELINE, lambda: whole().take(n), per)
    if step is not None:
        makers[TOGETHER] = lambda n: Arm(TOGETHER, lambda: whole().take(n), per, step)
    return makers


def _replays(
    subject: Subject,
    signature: Any,
    tight: Any,
    kept: Sequence[Any],
    batch_size: int,
    worth: bool,
    left_out: dict[str, str],
) -> dict[str, Maker]:
    """The arms of the rows alone: what a crossing costs, and what it might."""
    rows = endless(kept)

    def crossing(name: str, spec: Any) -> Maker:
        def build(n: int) -> tf.data.Dataset:
            made = tf.data.Dataset.from_generator(rows, output_signature=spec)
            return batched(made, subject, batch_size).take(n)

        return lambda n: Arm(name, lambda: build(n), per)

    per = _rows(batch_size)
    makers = {REPLAY: crossing(REPLAY, signature)}
    if tight is not None:
        makers[TIGHT] = crossing(TIGHT, tight)
    for name, workers in ((BRIDGED, 0), (WORKER, 1)):
        if workers and not worth:
            continue
        try:
            made = bridge.from_generator(
                rows, output_signature=tight or signature, batch_size=batch_size,
                num_workers=workers, varying="pad" if subject.padded else None,
            )  # fmt: skip
            if subject.pipeline is not None:  # what takes the place of rows has to give rows
                made = made.unbatch().batch(batch_size)
            next(iter(made))
        except Exception as error:  # rows that the bridge cannot take
            left_out[name] = f"{type(error).__name__}: {error}".splitlines()[0]
            continue
        makers[name] = lambda n, name=name, made=made: Arm(name, lambda: made.take(n), per)
    return makers


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
    return list(batched(source, subject, batch_size).take(RING))


def _bare(rows: Any, batch_size: int, batches: int) -> Iterator[int]:
    iterator = rows()
    for _ in range(batches):
        deque(itertools.islice(iterator, batch_size), maxlen=0)
        yield batch_size


def one_batch(subject: Subject, signature: Any, kept: Sequence[Any], batch_size: int) -> Any:
    """Returns a batch as the consumer gets them; None if there is none."""
    return next(iter(_ring(subject, signature, kept, batch_size)), None)


def _cycle(ring: Sequence[Any], batches: int) -> Iterator[Any]:
    return itertools.islice(itertools.cycle(ring), batches)


def _rows(batch_size: int) -> Callable[[Any], int]:
    return lambda element: batch_size
