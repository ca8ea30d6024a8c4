"""Run one claim on this machine."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

from helpers.measure import Cancelled, Measurement, Processes, Settings, compare, together
from helpers.measure.timing import Flag
from helpers.measure.turn import turn
from helpers.quiet import tf

from .claim import CannotRun, Checked, Claim, ClaimResult, Condition, ConditionResult
from .ledger import claim_named

NOT_OF_THE_CLAIM = (CannotRun, tf.errors.OpError, OSError, MemoryError)
"""What a machine may refuse: ports, processes, memory, operations its TensorFlow lacks."""


def run_claim(
    claim: Claim,
    *,
    settings: Settings | None = None,
    on_progress: Callable[[str, float], None] | None = None,
    cancelled: Flag | None = None,
    processes: Processes | None = None,
) -> ClaimResult:
    """Runs every condition of a claim, one after the other.

    Args:
        claim: What to try.
        settings: How long each comparison may run; each condition's own unless given.
        on_progress: Called with the name of the condition under way and the share of the claim
            that is done.
        cancelled: Looked at between conditions and before each trial.
        processes: Where the comparisons are made, by which the claim must be of the ledger; in
            this process unless given.

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
        found.append(_run(claim, condition, settings, tell, cancelled, processes))
        tell(1.0)
    seconds = round(time.perf_counter() - start, 2)
    return ClaimResult(claim.id, claim.varies, tuple(found), seconds)


def _run(
    claim: Claim,
    condition: Condition,
    settings: Settings | None,
    tell: Callable[[float], None],
    cancelled: Flag | None,
    processes: Processes | None,
) -> ConditionResult:
    try:
        if isinstance(condition, Checked):
            gc.collect()
            return ConditionResult(condition.name, finding=condition.check())
        settings = settings or Settings.default(
            precision=condition.precision, budget_s=condition.budget_s
        )
        with turn(cancelled=cancelled):
            if processes is None:
                measured = _compare(
                    claim, condition.name, settings=settings, cancelled=cancelled,
                    on_progress=lambda progress: tell(progress.share),
                )  # fmt: skip
            else:
                parts = processes.each(
                    _compare_named, claim.id, condition.name, settings=settings,
                    cancelled=cancelled, on_progress=lambda place, progress: tell(
                        (place + progress.share) / processes.count
                    ),
                )  # fmt: skip
                measured = together(parts, settings)
        return ConditionResult(condition.name, condition.expects, measured)
    except NOT_OF_THE_CLAIM as error:
        lines = str(error).strip().splitlines() or ["no reason given"]
        return ConditionResult(condition.name, missing=f"{type(error).__name__}: {lines[0]}")


def _compare(claim: Claim, name: str, **options: Any) -> Measurement:
    """Compares the arms of one of a claim's conditions."""
    gc.collect()  # iterators of the condition before hold threads until they are collected
    condition = next(each for each in claim.conditions if each.name == name)
    with condition.arms() as (baseline, arm):
        return compare([baseline, arm], title=f"{claim.id}, {name}", **options)


def _compare_named(id_: str, name: str, **options: Any) -> Measurement:
    """The same in another process, to which the arms of a claim cannot be sent."""
    return _compare(claim_named(id_), name, **options)
