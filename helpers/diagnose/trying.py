"""A fix put to the test: the same elements first, then interleaved rounds with the consumer."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.diagnose.advice import Advice
from helpers.diagnose.estimate import Estimate, draw_medians, of_draws
from helpers.diagnose.guard import Deadline
from helpers.measure import (
    Arm,
    Progress,
    Ratio,
    Settings,
    compare,
    pick,
    record,
    run_trial,
    times,
)  # fmt: skip
from helpers.measure.timing import Flag, TooFew
from helpers.quiet import tf

BEFORE, AFTER = "as it is", "changed"
CHECKED_ROWS, ALL_ROWS = 256, 1024
"""Rows compared in order; rows compared whatever their order."""

LEAST_RACES, MOST_RACES = 2, 12
"""Rounds of a race."""

AGAIN = 1.1
"""The interval of a race is made wider by this factor on each side: so far
apart come two runs of one comparison minutes apart (`workbook bench doctor`), of which its rounds
know nothing."""


@record
@dataclass(frozen=True)
class Tried:
    """What trying a fix showed.

    Attributes:
        name: The fix.
        predicted: Its gain as it was advised; None for a change that nobody advised.
        measured: Its gain in interleaved rounds, with a 95 % interval.
        floor: The original against itself in the same rounds.
        same: "in order", "in another order", "in another order, as far as they were compared" or
            "different elements".
        helps: Whether it is faster beyond the noise, with the same elements.
        fault: How the original changes or loses data; "" if it is not known to.
        quick: Whether the run was shortened for a test.
    """

    name: str
    predicted: Estimate | None
    measured: Ratio
    floor: Ratio
    same: str
    helps: bool
    fault: str
    quick: bool

    def __str__(self) -> str:
        said = f"{self.name}: measured {self.measured}"
        if self.predicted is not None:
            low, high = times(self.predicted.low), times(self.predicted.high)
            said += f", predicted {times(self.predicted.value)} [{low}, {high}]"
        said += f"; the same elements {self.same}." if self.same != "different elements" else "."
        if self.same == "different elements" and self.fault:
            said += (
                f" It does not yield the same elements, and need not: the original is at fault "
                f"({self.fault}). Hold the changed rows to what they should be."
            )
        elif self.same == "different elements":
            said += " It does not yield the same elements: it is no fix."
        elif not self.helps:
            said += " It does not help here."
        return said + (" QUICK run, numbers show nothing." if self.quick else "")

    def _repr_html_(self) -> str:
        import html

        return f"<p>{html.escape(str(self))}</p>"


def try_out(
    before: Callable[[], tf.data.Dataset],
    after: Callable[[], tf.data.Dataset],
    *,
    name: str,
    predicted: Advice | None,
    batches: int,
    batch_size: int,
    step: Callable[[Any], object] | None,
    parallel: bool,
    fault: str,
    budget_s: float,
    cancelled: Flag | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Tried:
    """Measures a changed pipeline against the original.

    Args:
        before: Builds the original.
        after: Builds the changed one.
        name: What the fix is called.
        predicted: What was advised, with its gain.
        batches: Batches of a trial.
        batch_size: Rows in each.
        step: The consumer; None if it is idle.
        parallel: Whether the changed one makes whole batches at the same time.
        fault: How the original changes or loses data; "" if it is not known to.
        budget_s: Seconds for the rounds.
        cancelled: Looked at before each trial.
        on_progress: Called after each round.
    """
    same = _same(before(), after(), max(1, min(batches, CHECKED_ROWS // batch_size)))
    arms = [
        _arm(label, build, batches, batch_size, step, from_start=parallel)
        for label, build in ((BEFORE, before), (AFTER, after))
    ]
    settings = Settings.default(
        precision=0.04, budget_s=budget_s, min_rounds=4, max_rounds=20, warmup_rounds=1
    )
    measured = compare(
        arms, title=name, settings=settings, on_progress=on_progress, cancelled=cancelled
    )
    faster = measured.verdict(AFTER).kind == "faster"
    return Tried(
        name, predicted.gain if predicted else None, measured.ratio(AFTER), measured.floor(),
        same, faster and same != "different elements", fault, settings.quick,
    )  # fmt: skip


def race(
    before: Callable[[], tf.data.Dataset],
    changed: Mapping[str, Callable[[], tf.data.Dataset]],
    *,
    parallel: Collection[str],
    batches: Mapping[str, int],
    batch_size: int,
    step: Callable[[Any], object] | None,
    deadline: Deadline,
) -> dict[str, Estimate]:
    """Measures changed pipelines against the original for as long as there is time.

    Every round runs each of them once, in an order of its own; the first round, in which workers
    start and functions are traced, does not count. What raises drops out.

    Args:
        before: Builds the original.
        changed: For each name, what builds the changed pipeline.
        parallel: The names of those that make whole batches at the same time.
        batches: Batches of a trial of each name, and of `BEFORE`.
        batch_size: Rows in each.
        step: The consumer; None if it is idle.
        deadline: When to stop; a round that has begun does not count then.

    Returns:
        For each name its gain, with the interval that resampling the rounds gives, made wider;
        empty when there was no time for two rounds, or the original has a single element.
    """
    arms = {
        name: _arm(name, build, batches[name], batch_size, step, from_start=name in parallel)
        for name, build in {BEFORE: before, **changed}.items()
    }
    for name in list(arms):
        try:
            run_trial(arms[name])
        except Exception as error:
            if name == BEFORE and isinstance(error, TooFew):
                return {}
            if name == BEFORE:
                raise
            del arms[name]
        if not deadline.left_s:
            return {}
    found: dict[str, list[float]] = {name: [] for name in arms}
    order = random.Random(0)
    for round_ in range(pick(MOST_RACES, 3)):
        times = {}
        for name in order.sample(list(arms), len(arms)):
            if not deadline.left_s:
                break
            times[name] = run_trial(arms[name], round_=round_).ns_per_example
        if len(times) < len(arms):
            break
        for name, ns in times.items():
            found[name].append(ns)
    if len(found[BEFORE]) < LEAST_RACES:
        return {}
    draws = draw_medians(found)
    gains = {name: of_draws(draws[BEFORE] / draws[name]) for name in arms if name != BEFORE}
    return {name: Estimate(one.value, one.low / AGAIN, one.high * AGAIN)
            for name, one in gains.items()}  # fmt: skip


def _arm(
    name: str,
    build: Callable[[], tf.data.Dataset],
    batches: int,
    batch_size: int,
    step: Callable[[Any], object] | None,
    *,
    from_start: bool,
) -> Arm:
    """Makes an arm of so many batches.

    The clock of a trial starts with its first element. What makes several batches at once has more
    of them ready by then, and would seem that much faster, so with `from_start` the clock starts
    when the first batch is asked for: the first element is then nothing, of no rows.
    """
    if not from_start:
        return Arm(name, lambda: build().take(batches), lambda element: batch_size, step)
    return Arm(
        name,
        lambda: itertools.chain([None], build().take(batches)),
        lambda element: 0 if element is None else batch_size,
        step and (lambda element: None if element is None else step(element)),
    )


def _same(before: tf.data.Dataset, after: tf.data.Dataset, batches: int) -> str:
    """Compares rows: those of the first batches in order, else as many as can be as a multiset."""
    one, two = _rows(before.take(batches)), _rows(after.take(batches))
    if one == two:
        return "in order"
    one = Counter(itertools.islice(_each(before), 4 * ALL_ROWS + 1))
    two = Counter(itertools.islice(_each(after), ALL_ROWS + 1))
    if one == two:
        return "in another order"
    missing = (two - one).total()
    # where only a part of the original was seen, most of the changed one's rows have to be in it
    seen_whole = one.total() <= 4 * ALL_ROWS
    if two.total() > ALL_ROWS and missing <= (0 if seen_whole else 0.5 * two.total()):
        return "in another order, as far as they were compared"
    return "different elements"


def _rows(dataset: tf.data.Dataset) -> list[bytes]:
    return list(_each(dataset))


def _each(dataset: tf.data.Dataset) -> Any:
    for batch in dataset:
        flat = [part.numpy() for part in tf.nest.flatten(batch, expand_composites=True)]
        for parts in zip(*[np.atleast_1d(part) for part in flat], strict=False):
            yield b"|".join(np.ascontiguousarray(part).tobytes() if not isinstance(part, bytes)
                            else part for part in parts)  # fmt: skip
