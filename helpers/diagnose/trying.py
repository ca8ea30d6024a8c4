"""A fix put to the test: the same elements first, then interleaved rounds with the consumer."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.diagnose.advice import Advice
from helpers.diagnose.estimate import Estimate
from helpers.measure import Arm, Progress, Ratio, Settings, compare, record, times
from helpers.measure.timing import Flag
from helpers.quiet import tf

BEFORE, AFTER = "as it is", "changed"
CHECKED_ROWS = 256


@record
@dataclass(frozen=True)
class Tried:
    """What trying a fix showed.

    Attributes:
        name: The fix.
        predicted: Its gain as the law has it; None for a change that the law was not asked about.
        measured: Its gain in interleaved rounds, with a 95 % interval.
        floor: The original against itself in the same rounds.
        same: "in order", "in another order" or "different elements".
        helps: Whether it is faster beyond the noise, with the same elements.
        quick: Whether the run was shortened for a test.
    """

    name: str
    predicted: Estimate | None
    measured: Ratio
    floor: Ratio
    same: str
    helps: bool
    quick: bool

    def __str__(self) -> str:
        said = f"{self.name}: measured {self.measured}"
        if self.predicted is not None:
            low, high = times(self.predicted.low), times(self.predicted.high)
            said += f", predicted {times(self.predicted.value)} [{low}, {high}]"
        said += f"; the same elements {self.same}." if self.same != "different elements" else "."
        if self.same == "different elements":
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
        budget_s: Seconds for the rounds.
        cancelled: Looked at before each trial.
        on_progress: Called after each round.
    """
    same = _same(before(), after(), max(1, min(batches, CHECKED_ROWS // batch_size)))
    arms = [
        Arm(label, lambda build=build: build().take(batches), lambda element: batch_size, step)
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
        same, faster and same != "different elements", settings.quick,
    )  # fmt: skip


def _same(before: tf.data.Dataset, after: tf.data.Dataset, batches: int) -> str:
    """Compares rows: those of the first batches in order, else all rows as a multiset."""
    one, two = _rows(before.take(batches)), _rows(after.take(batches))
    if one == two:
        return "in order"
    limit = 4 * CHECKED_ROWS
    one = list(itertools.islice(_each(before), limit + 1))
    two = list(itertools.islice(_each(after), limit + 1))
    if len(one) > limit:  # too many for a multiset: what came must at least be among them
        known = Counter(one)
        return "in another order" if any(row in known for row in two) else "different elements"
    return "in another order" if Counter(one) == Counter(two) else "different elements"


def _rows(dataset: tf.data.Dataset) -> list[bytes]:
    return list(_each(dataset))


def _each(dataset: tf.data.Dataset) -> Any:
    for batch in dataset:
        flat = [part.numpy() for part in tf.nest.flatten(batch, expand_composites=True)]
        for parts in zip(*[np.atleast_1d(part) for part in flat], strict=False):
            yield b"|".join(np.ascontiguousarray(part).tobytes() if not isinstance(part, bytes)
                            else part for part in parts)  # fmt: skip
