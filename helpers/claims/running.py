"""Run one claim on this machine."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

from helpers.measure import Cancelled, Progress, Settings, compare
from helpers.measure.timing import Flag
from helpers.measure.turn import turn
from helpers.quiet import tf

from .claim import CannotRun, Checked, Claim, ClaimResult, Condition, ConditionResult

NOT_OF_THE_CLAIM = (CannotRun, tf.errors.OpError, OSError, MemoryError)
"""What a machine may refuse: ports, processes, memory, operations its TensorFlow lacks."""


def run_claim(
    claim: Claim,
    *,
    settings: Settings | None = None,
    on_progress: Callable[[str, float], None] | None = None,
    cancelled: Flag | None = None,
) -> ClaimResult:
    """Runs every condition of a claim, one after the other, in this process.

    Args:
        claim: What to try.
        settings: How long each comparison may run; each condition's own unless given.
        on_progress: Called with the name of the condition under way and the share of the claim
            that is done.
        cancelled: Looked at between conditions and before each trial.

    Raises:
        Cancelled: If `cancelled` was set.
    """
    start = time.perf_counter()
    found = []
    for place, condition in enumerate(claim.conditions):
        if cancelled is not None and cancelled.is_set():
            raise Cancelled("cancelled before the claim was tried.")

        def tell(share: float, place: int = place, name: str = condition.name) -> None:
            if on_progress is not None:
                on_progress(name, (place + share) / len(claim.conditions))

        tell(0.0)
        gc.collect()  # iterators of the condition before hold threads until they are collected
        found.append(_run(claim, condition, settings, tell, cancelled))
        tell(1.0)
    seconds = round(time.perf_counter() - start, 2)
    return ClaimResult(claim.id, claim.varies, tuple(found), seconds)


def _run(
    claim: Claim,
    condition: Condition,
    settings: Settings | None,
    tell: Callable[[float], None],
    cancelled: Flag | None,
) -> ConditionResult:
    try:
        if isinstance(condition, Checked):
            return ConditionResult(condition.name, finding=condition.check())
        settings = settings or Settings.default(
            precision=condition.precision, budget_s=condition.budget_s
        )
        with turn(cancelled=cancelled), condition.arms() as (baseline, arm):
            measured = compare(
                [baseline, arm],
                title=f"{claim.id}, {condition.name}",
                settings=settings,
                on_progress=lambda progress: tell(_share(progress)),
                cancelled=cancelled,
            )
        return ConditionResult(condition.name, condition.expects, measured)
    except NOT_OF_THE_CLAIM as error:
        lines = str(error).strip().splitlines() or ["no reason given"]
        return ConditionResult(condition.name, missing=f"{type(error).__name__}: {lines[0]}")


def _share(progress: Progress) -> float:
    """How much of a comparison is done; one that becomes precise is done sooner."""
    return min(
        1.0,
        max(progress.rounds / progress.max_rounds, progress.elapsed_s / progress.budget_s),
    )
