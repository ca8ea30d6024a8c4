"""A notebook's blocking measurement: progress while it runs, its result kept when asked for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from IPython.display import HTML, display

from helpers.measure import (
    Arm,
    Measurement,
    Processes,
    Progress,
    Settings,
    compare,
    percent,
    together,
)
from helpers.measure.keeping import is_kept, keep
from helpers.measure.turn import turn
from helpers.replay import MACHINE, replaying
from helpers.study import PipelineOptions

_REPLAYED = "<small>Replayed from a committed run; nothing is measured here.</small>"


def run(
    name: str,
    arms: Mapping[str, PipelineOptions | Arm],
    *,
    title: str = "",
    baseline: str | None = None,
    **settings: Any,
) -> Measurement:
    """Measures arms in this process with a line of progress; interrupt the kernel to cancel.

    What `workbook reproduce` keeps is measured in several fresh processes, as it is published.

    Args:
        name: What a results file calls the measurement, such as "03-prefetch-idle".
        arms: The arms by the name that figures show, the baseline first.
        title: What the comparison is about.
        baseline: Name of another baseline than the first arm.
        **settings: Changes to `helpers.measure.Settings`; without effect in quick mode.

    Raises:
        ValueError: As `helpers.measure.compare`; or if what is replayed lacks it.
    """
    if replaying():
        return _replayed(name)
    made = [
        Arm(**{**vars(arm), "name": label}) if isinstance(arm, Arm) else arm.arm(label)
        for label, arm in arms.items()
    ]
    line = display(HTML(_line(title, "starting")), display_id=True)

    def tell(progress: Progress) -> None:
        if line is not None:  # None outside a notebook
            line.update(HTML(_line(title, _said(progress))))

    def wait(words: str) -> None:
        if line is not None:
            line.update(HTML(_line(title, words)))

    try:
        with turn(wait):
            measured = _measure(made, title, baseline, Settings.default(**settings), tell)
    finally:
        if line is not None:
            line.update(HTML(""))
    return keep(name, measured)


def _replayed(name: str) -> Measurement:
    from helpers.reproduce import replayed

    run = replayed()
    if name not in run.measurements:
        raise ValueError(
            f"the run that is replayed has no {name!r}: name another in {MACHINE}, or measure."
        )
    display(HTML(_REPLAYED))
    return run.measurements[name]


def _measure(
    arms: Sequence[Arm],
    title: str,
    baseline: str | None,
    settings: Settings,
    tell: Callable[[Progress], None],
) -> Measurement:
    """Measures here or, if it is to be published, in several processes."""
    options = {"title": title, "baseline": baseline, "settings": settings}
    if is_kept() and not settings.quick:
        try:
            parts = _processes().each(
                compare, arms, on_progress=lambda place, progress: tell(progress), **options
            )
            return together(parts, settings)
        except TypeError:  # an arm holds what cannot travel: one process, and it says so
            pass
    return compare(arms, on_progress=tell, **options)


@functools.cache
def _processes() -> Processes:
    """Those of this kernel: they end with it."""
    return Processes()


def _line(title: str, said: str) -> str:
    return f"<small>Measuring: {title or 'arms'} … {said}</small>"


def _said(progress: Progress) -> str:
    said = f"round {progress.rounds}, {progress.elapsed_s:.0f} s of about {progress.budget_s:.0f} s"
    if progress.ratios:
        widest = max(ratio.precision for ratio in progress.ratios.values())
        said += f", widest interval ±{percent(widest)}"
    return said
