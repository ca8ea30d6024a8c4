"""Carries a plan out, and gathers what it measured into one results file.

Claims come first: they are the ledger, and a notebook may show what they found. What a step
measured is on disk as soon as it is measured, below `partial/` in the results' folder, so that a
failure or an interrupt loses nothing; the next run takes it from there if the same code would
measure it again on the same machine. A step that fails does not stop the others.
"""

from __future__ import annotations

import contextlib
import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from helpers.claims import ClaimResult
from helpers.measure import Measurement, Processes, load, save

from .digest import together
from .planning import Done, Plan, Step, finished
from .run import SO_FAR, Run
from .time_left import TimeLeft


def measure(
    plan: Plan,
    left: TimeLeft,
    tell: Callable[[str, float, str], None],
    failures: dict[str, str],
) -> None:
    """Does the steps that are still to do, each of them whatever becomes of the others.

    Args:
        plan: From `prepare`.
        left: Told when steps begin and end.
        tell: Called with the step in words, the share of it that is done, and what it is at; a
            last time with a share of 1 and what came out.
        failures: Where a sentence about each step that fails is put, by the step's name.

    Raises:
        KeyboardInterrupt: As it comes; the steps that are done are kept.
    """
    with contextlib.nullcontext() if plan.made.quick else Processes() as processes:
        _measure(plan, left, tell, failures, processes)


def _measure(
    plan: Plan,
    left: TimeLeft,
    tell: Callable[[str, float, str], None],
    failures: dict[str, str],
    processes: Processes | None,
) -> None:
    first_book = next((step for step in plan.ahead if step.kind == "notebook"), None)
    for step in plan.ahead:
        folder = plan.folder(step)
        shutil.rmtree(folder, ignore_errors=True)
        if step is first_book:  # the notebooks may show the claims, which were tried before them
            save(gather(plan, failures), plan.partial / SO_FAR)
        left.begin(step.name)
        start = time.monotonic()
        try:
            lends = step.kind == "notebook" and processes is not None
            with processes.lent() if lends else contextlib.nullcontext():
                said = step.run(
                    folder,
                    lambda share, words, step=step: tell(step.title, min(share, 0.99), words),
                    processes,
                )
        except Exception as error:  # whatever it is, the other steps are worth having
            said = failures[step.name] = _failure(step, error)
        else:
            save(Done(round(time.monotonic() - start, 1), step.digest), plan.done_file(step))
        left.end()
        tell(step.title, 1, said)


def _failure(step: Step, error: Exception) -> str:
    if step.kind == "notebook" and isinstance(error, ValueError):
        return str(error)  # it names the notebook and the cell
    what = str(error) if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
    return f"{step.title} failed: {what}"


def gather(plan: Plan, failures: Mapping[str, str]) -> Run:
    """Puts together what is on disk, what a failed notebook had measured included.

    Args:
        plan: From `prepare`.
        failures: From `measure`; a step that is in neither place was not finished.
    """
    seconds: dict[str, float] = {}
    codes: dict[str, str] = {}
    claims: dict[str, ClaimResult] = {}
    measurements: dict[str, Measurement] = {}
    missing = []
    for step in plan.steps:
        if plan.before and step.name in plan.unchanged and step.name not in plan.kept:
            seconds[step.name] = plan.before.seconds[step.name]
            codes[step.name] = step.digest
            if step.kind == "claim":
                claims[step.name] = plan.before.claims[step.name]
            else:
                measurements |= plan.before.of_notebook(step.name)
            continue
        files = plan.folder(step).glob("*.json")
        for file in sorted(files, key=lambda file: file.stat().st_mtime_ns):  # as they were made
            item = load(file)
            if isinstance(item, Measurement):
                measurements[file.stem] = item
            elif step.kind == "claim":
                claims[step.name] = item
        if finished(plan, step):
            done = load(plan.done_file(step))
            seconds[step.name], codes[step.name] = done.seconds, done.digest
        else:
            missing.append(failures.get(step.name, f"{step.title} was not finished."))
    made = plan.made
    return Run(
        machine=made.machine,
        quick=made.quick,
        code=together(codes),
        seconds=seconds,
        claims=claims,
        measurements=measurements,
        selected=plan.selected,
        missing=tuple(missing),
        codes=codes,
    )


def conclude(plan: Plan, run: Run) -> Path:
    """Writes the results file and clears away what was kept on the way.

    An unfinished run never takes the place of a results file: it goes beside what was kept, which
    stays.

    Returns:
        The results file.

    Raises:
        ValueError: If it cannot be written.
    """
    if run.missing:
        return save(run, plan.partial / SO_FAR)
    written = save(run, plan.target)
    for step in plan.steps:
        shutil.rmtree(plan.folder(step), ignore_errors=True)
        plan.done_file(step).unlink(missing_ok=True)
    left = {path.name for path in plan.partial.iterdir()}
    if run.whole or left <= {"made.json", SO_FAR, Path(SO_FAR).with_suffix(".html").name}:
        shutil.rmtree(plan.partial)  # of a selection, another one may have left more
    if not any(plan.partial.parent.iterdir()):
        plan.partial.parent.rmdir()
    return written
