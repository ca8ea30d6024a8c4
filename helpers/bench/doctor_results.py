"""What the benchmark of the doctor found, and the proof that it amounts to."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from helpers.bench import doctor_rules as rules
from helpers.measure import Machine, percent, record


@dataclass(frozen=True)
class Pair:
    """A fix: the gain that was said and the one measured afterwards, each of today's rate.

    Attributes:
        fix: Its name.
        law: What the bottleneck law predicted.
        tried: Whether the doctor tried it; what it says is then from that trial.
        predicted: What the doctor said.
        low: Lower end of the 90 % interval that it stated.
        high: Upper end.
        measured: Median of the paired rounds.
        measured_low: Lower end of its 95 % interval.
        measured_high: Upper end.
        same: Whether the elements were the same.
    """

    fix: str
    law: float
    tried: bool
    predicted: float
    low: float
    high: float
    measured: float
    measured_low: float
    measured_high: float
    same: str

    @property
    def error(self) -> float:
        """How far the prediction is off, as a share of what was measured."""
        return abs(self.predicted / self.measured - 1)

    @property
    def held(self) -> bool:
        """Whether the stated interval holds what was measured."""
        return self.low <= self.measured <= self.high


def best_first(pairs: Sequence[Pair]) -> bool | None:
    """Tells whether of the fixes tried the best stood first; None without a choice.

    It did when no other was faster by more than 5 % and beyond both intervals.
    """
    tried = [pair for pair in pairs if pair.same.startswith("in ")]
    if len(tried) < 2:
        return None
    first, *others = tried
    return not any(
        other.measured > 1.05 * first.measured and other.measured_low > first.measured_high
        for other in others
    )


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
        return _furthest(self.true, self.said)


@dataclass(frozen=True)
class WorkersResult:
    """How many workers were advised, and how many are best.

    Attributes:
        name: Of the generator.
        advised: What the doctor says; 1 where it advises no more.
        best: The last one of those tried whose step gained more than 7 %.
        gains: For each number that was tried the rate as a multiple of one worker's.
        pairs: The fixes that were advised and could be applied, tried.
    """

    name: str
    advised: int
    best: int
    gains: tuple[tuple[int, float], ...]
    pairs: tuple[Pair, ...]

    @property
    def near(self) -> bool:
        """Whether the advice is within one of the best."""
        return abs(self.advised - self.best) <= 1


@dataclass(frozen=True)
class InjectedResult:
    """A generator of known costs.

    Attributes:
        name: Its costs.
        true: Shares of computation, sleep and crossing in a row of the pipeline, timed apart.
        said: What the doctor says.
    """

    name: str
    true: tuple[float, float, float]
    said: tuple[float, float, float]

    @property
    def off(self) -> float:
        """The largest difference of the three shares."""
        return _furthest(self.true, self.said)


@record
@dataclass(frozen=True)
class DoctorBench:
    """A run of `workbook bench doctor`.

    Attributes:
        machine: What ran it.
        quick: Whether it was shortened for a test.
        cases: The subjects.
        mixes: The generators of known mix.
        injected: The generators of known costs.
        workers: The generators whose best number of workers was tried.
        interrupted: Whether it was ended before it was done.
    """

    machine: Machine
    quick: bool
    cases: tuple[CaseResult, ...]
    mixes: tuple[MixResult, ...]
    injected: tuple[InjectedResult, ...]
    workers: tuple[WorkersResult, ...]
    interrupted: bool

    @property
    def provenance(self) -> str:
        """What ran it, in one line."""
        mode = "QUICK run, numbers show nothing" if self.quick else "full run"
        return f"{self.machine.line}, {mode}"

    def rows(self) -> list[tuple[str, str, str, str]]:
        """The proof: what is asked, what must be reached, what was, and what others reach."""
        cases, mixes = self.cases, self.mixes
        pairs = [pair for one in (*cases, *self.workers) for pair in one.pairs]
        choices = [best_first(one.pairs) for one in (*cases, *self.workers)]
        choices = [choice for choice in choices if choice is not None]
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
            law = statistics.median(abs(pair.law / pair.measured - 1) for pair in pairs)
            found += [
                ("predicted against measured, median error", "≤ 15 %, ≥ 60 pairs",
                 f"{percent(error)}, {len(pairs)} pairs", f"the law alone {percent(law)}"),
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
        if self.injected:
            found.append(
                ("shares of known costs within 5 points", "all",
                 _of([one.off <= 0.05 for one in self.injected]), "")
            )  # fmt: skip
        if self.workers:
            found.append(
                ("number of workers within 1 of the best tried", "9 of 10",
                 _of([one.near for one in self.workers]), "")
            )  # fmt: skip
        if cases:
            over = max(case.seconds / case.budget_s for case in cases)
            found.append(
                ("longest time to an answer", "≤ 60 s, ≤ 110 % of the budget",
                 f"{max(case.seconds for case in cases):.0f} s, {percent(over)}", "")
            )  # fmt: skip
        return found


def _furthest(one: Sequence[float], two: Sequence[float]) -> float:
    return max(abs(a - b) for a, b in zip(one, two, strict=True))


def _of(flags: list[bool]) -> str:
    return f"{sum(flags)} of {len(flags)} ({percent(sum(flags) / len(flags))})" if flags else "–"
