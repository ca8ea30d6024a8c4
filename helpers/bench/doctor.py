"""The benchmark of the doctor: subjects of known ailment or health, and what it makes of them."""

from __future__ import annotations

import importlib.util
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle

import helpers
from helpers.bench import doctor_rules as rules
from helpers.diagnose import Diagnosis, examine
from helpers.diagnose import profile as profiles
from helpers.diagnose.guard import Deadline
from helpers.diagnose.looking import Look, look
from helpers.diagnose.probes import held_share, running_share
from helpers.measure import Machine, quick, record, this_machine

SUBJECTS = Path(helpers.__file__).parents[1] / "tests" / "doctor" / "subjects.py"
"""The subjects are not part of the package, so that the doctor cannot know them."""

TRY_S = 2.5
"""Seconds for trying a fix."""

Tell = Callable[[str, float], None]


@dataclass(frozen=True)
class Pair:
    """A fix: predicted and measured gain.

    Attributes:
        fix: Its name.
        predicted: As multiples of today's rate.
        low: Lower end of the stated 90 % interval.
        high: Upper end.
        measured: Median of the paired rounds.
        same: Whether the elements were the same.
    """

    fix: str
    predicted: float
    low: float
    high: float
    measured: float
    same: str

    @property
    def error(self) -> float:
        """How far the prediction is off, as a share of what was measured."""
        return abs(self.predicted / self.measured - 1)

    @property
    def held(self) -> bool:
        """Whether the stated interval holds what was measured."""
        return self.low <= self.measured <= self.high


@dataclass(frozen=True)
class CaseResult:
    """One subject.

    Attributes:
        name: Its own.
        wanted: What is right to name first.
        healthy: Whether nothing may be advised.
        first: What the doctor named first.
        advised: What it advised, in its order.
        accused: Whether it accused what is healthy.
        misfit: How far off the law was; None if unknown.
        pairs: The fixes that it could apply, tried.
        xprof: What XProf's rule names.
        grain: What Grain's rule names.
        seconds: Until the answer.
        budget_s: Seconds it was given.
    """

    name: str
    wanted: tuple[str, ...]
    healthy: bool
    first: str
    advised: tuple[str, ...]
    accused: bool
    misfit: float | None
    pairs: tuple[Pair, ...]
    xprof: str
    grain: str
    seconds: float
    budget_s: float

    @property
    def right(self) -> bool:
        """Whether the first cause is right."""
        return self.first in self.wanted

    @property
    def best_first(self) -> bool | None:
        """Whether of the fixes tried the best stood first, within 5 %; None without a choice."""
        tried = [pair for pair in self.pairs if pair.same != "different elements"]
        if len(tried) < 2:
            return None
        return tried[0].measured >= 0.95 * max(pair.measured for pair in tried)


@dataclass(frozen=True)
class MixResult:
    """A generator of known mix.

    Attributes:
        name: Its parts.
        true: Shares held, waiting and freed, by timing the parts.
        said: What the doctor says.
        slowing: How much longer a row took while it was watched; 0.05 is 5 %.
    """

    name: str
    true: tuple[float, float, float]
    said: tuple[float, float, float]
    slowing: float

    @property
    def off(self) -> float:
        """The largest difference of the three shares."""
        return max(abs(one - two) for one, two in zip(self.true, self.said, strict=True))


@record
@dataclass(frozen=True)
class DoctorBench:
    """A run of `workbook bench doctor`.

    Attributes:
        machine: What ran it.
        quick: Whether it was shortened for a test.
        cases: The subjects.
        mixes: The generators of known mix.
        interrupted: Whether it was ended before it was done.
    """

    machine: Machine
    quick: bool
    cases: tuple[CaseResult, ...]
    mixes: tuple[MixResult, ...]
    interrupted: bool

    @property
    def provenance(self) -> str:
        """What ran it, in one line."""
        mode = "QUICK run, numbers show nothing" if self.quick else "full run"
        return f"{self.machine.line}, {mode}"

    def rows(self) -> list[tuple[str, str, str, str]]:
        """The proof: what is asked, what must be reached, what was, and what others reach."""
        cases, mixes = self.cases, self.mixes
        pairs = [pair for case in cases for pair in case.pairs]
        choices = [case.best_first for case in cases if case.best_first is not None]
        healthy = [case for case in cases if case.healthy]
        beside = []
        for name in ("xprof", "grain"):
            said = [rules.right(getattr(case, name), case.wanted, case.healthy) for case in cases]
            beside.append(f"{name} {_of(said)}")
        found = [
            ("first cause right", "≥ 95 %", _of([case.right for case in cases]), ", ".join(beside)),
            ("best fix first, by trying all", "≥ 90 %", _of(choices), ""),
            (
                "healthy, accused",
                "0",
                f"{sum(case.accused for case in healthy)} of {len(healthy)}",
                "",
            ),
        ]
        if pairs:
            error = statistics.median(pair.error for pair in pairs)
            found += [
                ("predicted against measured, median error", "≤ 15 %, ≥ 60 pairs",
                 f"{error:.0%}, {len(pairs)} pairs", ""),
                ("stated 90 % interval holds", "≥ 80 %", _of([pair.held for pair in pairs]), ""),
            ]  # fmt: skip
        if mixes:
            found += [
                ("GIL held / waiting / freed within 10 points", "all of 12",
                 _of([mix.off <= 0.10 for mix in mixes]), ""),
                ("the same within 5 points", "all", _of([mix.off <= 0.05 for mix in mixes]), ""),
                ("slowing while watched, median and most", "≤ 5 %",
                 f"{statistics.median(mix.slowing for mix in mixes):+.0%}, "
                 f"{max(mix.slowing for mix in mixes):+.0%}", ""),
            ]  # fmt: skip
        if cases:
            over = max(case.seconds / case.budget_s for case in cases)
            found.append(
                ("longest time to an answer", "≤ 60 s, ≤ 110 % of the budget",
                 f"{max(case.seconds for case in cases):.0f} s, {over:.0%}", "")
            )  # fmt: skip
        return found


def _of(flags: list[bool]) -> str:
    return f"{sum(flags)} of {len(flags)} ({sum(flags) / len(flags):.0%})" if flags else "–"


def subjects(path: Path = SUBJECTS) -> Any:
    """Imports the subjects.

    Raises:
        ValueError: If they are not there, as in an installed package.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing: the bench runs from a checkout of the workbook.")
    spec = importlib.util.spec_from_file_location("doctor_subjects", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    cloudpickle.register_pickle_by_value(module)  # no worker could import it
    return module


def run(
    only: list[str] | None = None,
    *,
    budget_s: float = 15,
    tell: Tell = lambda name, share: None,
    keep: Callable[[DoctorBench], None] = lambda result: None,
) -> DoctorBench:
    """Examines all subjects and tries every fix that can be applied.

    Args:
        only: Names of subjects; all, and the mixes, unless given.
        budget_s: Seconds for each examination.
        tell: Told what is being done, and the share that is done.
        keep: Called with all results so far.

    Raises:
        ValueError: If there is no such subject.
    """
    known = subjects()
    chosen = [case for case in known.CASES if not only or case.name in only]
    missing = set(only or ()) - {case.name for case in chosen}
    if missing:
        raise ValueError(f"there is no subject {sorted(missing)[0]!r}.")
    mixes = {} if only else known.MIXES
    total = len(chosen) + len(mixes)
    cases: list[CaseResult] = []
    mixed: list[MixResult] = []

    def result(interrupted: bool) -> DoctorBench:
        return DoctorBench(this_machine(), quick(), tuple(cases), tuple(mixed), interrupted)

    try:
        for place, (name, make) in enumerate(mixes.items()):
            tell(name, place / total)
            mixed.append(run_mix(name, *make()))
        for place, case in enumerate(chosen, len(mixes)):
            tell(case.name, place / total)
            cases.append(run_case(case, budget_s))
            keep(result(True))
    except KeyboardInterrupt:
        return result(True)
    return result(False)


def run_case(case: Any, budget_s: float) -> CaseResult:
    """Examines one subject and tries what is advised.

    Args:
        case: Of the subjects.
        budget_s: Seconds for the examination.
    """
    subject, how = case.make()
    start = time.perf_counter()
    found = examine(subject, budget_s=budget_s, **how)
    seconds = time.perf_counter() - start
    pairs = []
    for number, one in enumerate(found.advice, 1):
        if not one.automatic:
            continue
        try:
            tried = found.try_fix(number, budget_s=TRY_S)
        except Exception as error:  # a fix that cannot run is one that does not help
            pairs.append(Pair(one.name, one.gain.value, one.gain.low, one.gain.high, 0.01,
                              f"different elements ({type(error).__name__})"[:18]))  # fmt: skip
            continue
        gain = one.gain
        measured = tried.measured.value
        pairs.append(Pair(one.name, gain.value, gain.low, gain.high, measured, tried.same))
    return CaseResult(
        case.name, case.first, case.healthy, found.first, tuple(one.name for one in found.advice),
        case.healthy and not found.healthy, found.misfit, tuple(pairs), _xprof(found),
        rules.grain(found), seconds, budget_s,
    )  # fmt: skip


def _xprof(found: Diagnosis) -> str:
    build = rules.original_of(found)
    if build is None:
        return "unknown"
    try:
        return rules.xprof(build, 5, found)
    except Exception:  # a subject that fails
        return "unknown"


def run_mix(name: str, rows: Any, parts: dict[str, Callable[[], object]]) -> MixResult:
    """Watches a generator of known mix, and times its parts before and after.

    Args:
        name: What it is called.
        rows: The generator.
        parts: What it does in a row, each alone.
    """
    before = {part: _median_ns(part, call) for part, call in parts.items()}
    alone = _row_ns(rows)
    seen = Look()
    look(rows, seen, Deadline(2), file=__file__, once=False)
    running = running_share(seen)
    found = profiles.watch(rows, rows.__code__.co_filename, 1 if quick() else 3, running)
    again = _row_ns(rows)
    after = {part: _median_ns(part, call) for part, call in parts.items()}
    cost = {part: (before[part] + after[part]) / 2 for part in parts}
    whole = sum(cost.values())
    true = tuple(cost[part] / whole for part in ("held", "waiting", "freed"))
    held = held_share(found.held, found.active, found.waiting, running)
    slowing = found.rows_ns / ((alone + again) / 2) - 1 if found.rows_ns else 0.0
    return MixResult(name, true, (held, 1 - running, running - held), slowing)


def _median_ns(part: str, call: Callable[[], object]) -> float:
    """Nanoseconds of a part: those on a core, unless it waits."""
    clock = time.perf_counter_ns if part == "waiting" else time.thread_time_ns
    times = []
    for _ in range(15):
        start = clock()
        call()
        times.append(clock() - start)
    return statistics.median(times)


def _row_ns(rows: Any) -> float:
    start = time.perf_counter_ns()
    for count, _ in enumerate(rows(), 1):
        if time.perf_counter_ns() - start > (0.2e9 if quick() else 1.5e9):
            return (time.perf_counter_ns() - start) / count
    return float("nan")
