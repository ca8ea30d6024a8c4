"""What a comparison leaves behind: its trials, and all that is read off them."""

from __future__ import annotations

import html
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .machine import Machine
from .results import record
from .settings import Settings
from .settling import beginning
from .statistics import Ratio, Verdict, judge, ratio_of_times, times


@dataclass(frozen=True)
class Trial:
    """One timed pass of one arm, as raw nanoseconds and counts.

    Attributes:
        arm: The arm's name.
        round: The round, warm-up rounds included, from 0; it goes on from process to process.
        position: Its turn within the round, from 0.
        warmup: Whether the round is a warm-up and not counted.
        build_ns: Building the iterable.
        first_ns: Opening it and waiting for the first element.
        steady_ns: From the arrival of the first element to that of the last.
        wait_ns: The part of `steady_ns` spent waiting for elements; the consumer had the rest.
        elements: Elements that arrived, the first included.
        examples: Examples in them.
        first_examples: Examples in the first.
        process: The process that made it, from 0.
    """

    arm: str
    round: int
    position: int
    warmup: bool
    build_ns: int
    first_ns: int
    steady_ns: int
    wait_ns: int
    elements: int
    examples: int
    first_examples: int
    process: int = 0

    @property
    def cold_ns(self) -> int:
        """The cold start: building, opening and the first element."""
        return self.build_ns + self.first_ns

    @property
    def ns_per_example(self) -> float:
        """Steady time of one example: the first element is in neither part of the fraction."""
        return self.steady_ns / (self.examples - self.first_examples)

    @property
    def stall(self) -> float:
        """The share of the steady span that the consumer spent waiting for data."""
        return self.wait_ns / self.steady_ns

    @property
    def single_pass_ns(self) -> int:
        """The whole pass on one stopwatch, as a script around the loop would time it."""
        return self.build_ns + self.first_ns + self.steady_ns


@record
@dataclass(frozen=True)
class Measurement:
    """A comparison of arms with a baseline, with every trial that was made.

    Attributes:
        title: What it is about.
        baseline: The arm that the others are compared with.
        control: The name of the baseline's second entry in each round, which shows the noise.
        arms: The arms' names, in the order they were given.
        trials: Every trial in the order it was run.
        settings: When it was to stop.
        machine: What ran it.
        stopped: Why it stopped: "precise", "budget", "rounds", or "processes" when all were done.
    """

    title: str
    baseline: str
    control: str
    arms: tuple[str, ...]
    trials: tuple[Trial, ...]
    settings: Settings
    machine: Machine
    stopped: str

    def trials_of(self, arm: str) -> tuple[Trial, ...]:
        """The counted trials of an arm, one a round, in the rounds' order.

        Raises:
            ValueError: If there is no such arm.
        """
        if arm not in (*self.arms, self.control):
            raise ValueError(f"there is no arm {arm!r} here; there are {', '.join(self.arms)}.")
        return tuple(trial for trial in self.trials if trial.arm == arm and not trial.warmup)

    @property
    def rounds(self) -> int:
        """Counted rounds."""
        return len(self.trials_of(self.baseline))

    @property
    def processes(self) -> int:
        """How many fresh processes took part; with one, all intervals are within that run."""
        return len({trial.process for trial in self.trials})

    def ratio(self, arm: str, baseline: str | None = None) -> Ratio:
        """Throughput of an arm over that of the baseline (or of another arm), steady state."""
        return self._ratio("ns_per_example", arm, baseline)

    def cold_ratio(self, arm: str, baseline: str | None = None) -> Ratio:
        """How much sooner the arm's first element is there than the baseline's."""
        return self._ratio("cold_ns", arm, baseline)

    def _ratio(self, quantity: str, arm: str, baseline: str | None) -> Ratio:
        base, other = self._pairs(quantity, arm, baseline)
        processes = [trial.process for trial in self.trials_of(arm)]
        return ratio_of_times(base, other, self.settings.seed, processes)

    def _pairs(self, quantity: str, arm: str, baseline: str | None = None) -> list[list[float]]:
        return [
            [getattr(trial, quantity) for trial in self.trials_of(name)]
            for name in (baseline or self.baseline, arm)
        ]

    def floor(self) -> Ratio:
        """The noise floor: the control, which is the baseline again, against the baseline."""
        return self.ratio(self.control)

    def verdict(self, arm: str, baseline: str | None = None) -> Verdict:
        """What may be said of an arm against the baseline, or against another arm."""
        return judge(
            arm,
            baseline or self.baseline,
            self.ratio(arm, baseline),
            self.floor(),
            self.settings.precision,
        )

    def ns_per_example(self, arm: str) -> float:
        """Median over the rounds of the steady nanoseconds of one example."""
        return statistics.median(trial.ns_per_example for trial in self.trials_of(arm))

    def cold_ns(self, arm: str) -> float:
        """Median over the rounds of the nanoseconds of a cold start."""
        return statistics.median(trial.cold_ns for trial in self.trials_of(arm))

    def stall(self, arm: str) -> float:
        """Median over the rounds of the share of the steady span spent waiting for data."""
        return statistics.median(trial.stall for trial in self.trials_of(arm))

    def single_pass_ratios(self) -> tuple[float, ...]:
        """The baseline against itself, judged by one pass of each, once for every round.

        One pass holds the cold start too: it is what a stopwatch around the whole script shows.
        """
        pairs = zip(self.trials_of(self.baseline), self.trials_of(self.control), strict=True)
        return tuple(first.single_pass_ns / again.single_pass_ns for first, again in pairs)

    def single_pass_error(self, tolerance: float = 0.1) -> float:
        """The share of rounds in which one pass of each would show a difference that is none.

        Args:
            tolerance: The difference, as a share, that somebody would take for real.
        """
        ratios = self.single_pass_ratios()
        return sum(max(ratio, 1 / ratio) > 1 + tolerance for ratio in ratios) / len(ratios)

    @property
    def remarks(self) -> tuple[str, ...]:
        """Where the first rounds, or the first process, differ from the rest by more than noise."""
        floor = self.floor()
        least = max(self.settings.precision, floor.precision)
        said = []
        for arm in (*self.arms, self.control):
            if arm != self.baseline and not self.settings.quick:
                base, other = self._pairs("ns_per_example", arm)
                logs = np.log(np.divide(base, other))
                processes = np.array([trial.process for trial in self.trials_of(arm)])
                parts = [logs[processes == process] for process in np.unique(processes)]
                if words := beginning(parts, least):
                    said.append(f"{arm} had not settled at once: {words}.")
        return tuple(said)

    @property
    def provenance(self) -> str:
        """What ran it, in one line for the foot of every figure and table."""
        mode = "QUICK run, numbers show nothing" if self.settings.quick else "full run"
        return f"{self.machine.line}, {self.basis}, {mode}"

    @property
    def basis(self) -> str:
        """What the intervals rest on."""
        if self.processes == 1:
            return f"{self.rounds} rounds, intervals within this run"
        return f"{self.rounds} rounds in {self.processes} processes"

    def rows(self) -> list[dict[str, Any]]:
        """The arms as the rows of a table, numbers as numbers."""
        return [
            {
                "arm": arm,
                "µs per example": self.ns_per_example(arm) / 1e3,
                "cold start ms": self.cold_ns(arm) / 1e6,
                "ratio": ratio.value,
                "low": ratio.low,
                "high": ratio.high,
                "verdict": "baseline" if arm == self.baseline else self.verdict(arm).kind,
            }
            for arm in self.arms
            for ratio in [self.floor() if arm == self.baseline else self.ratio(arm)]
        ]

    @property
    def interval_name(self) -> str:
        """What its intervals are called: those of one process promise nothing of the next."""
        return "95 % interval" if self.processes > 1 else "95 % within this run"

    def _cells(self) -> list[tuple[str, ...]]:
        heads = ("arm", "µs per example", "cold start, ms", "speed", self.interval_name, "verdict")
        lines = [heads]
        for row in self.rows():
            is_baseline = row["arm"] == self.baseline
            span = f"{times(row['low'])} to {times(row['high'])}"
            lines.append(
                (
                    row["arm"],
                    f"{row['µs per example']:.3g}"
                    if row["µs per example"] < 100
                    else f"{row['µs per example']:.0f}",
                    f"{row['cold start ms']:.1f}",
                    "1×" if is_baseline else times(row["ratio"]),
                    f"noise {span}" if is_baseline else span,
                    row["verdict"],
                )
            )
        return lines

    def __str__(self) -> str:
        cells = self._cells()
        widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
        lines = [
            "  ".join(
                cell.ljust(width) if column in (0, 5) else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in cells
        ]
        title = [self.title] if self.title else []
        return "\n".join([*title, *lines, *self.remarks, self.provenance])

    def _repr_html_(self) -> str:
        heads, *lines = self._cells()
        parts = ["<table>"]
        if self.title:
            parts.append(
                "<caption style='text-align:left;font-weight:bold'>"
                f"{html.escape(self.title)}</caption>"
            )
        parts.append(
            "<thead><tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr></thead>"
        )
        for line in lines:
            parts.append(
                "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in line) + "</tr>"
            )
        parts.append("</table>")
        parts += [f"<p><small>{html.escape(said)}</small></p>" for said in self.remarks]
        parts.append(f"<p><small>{html.escape(self.provenance)}</small></p>")
        return "".join(parts)


def together(parts: Sequence[Measurement], settings: Settings) -> Measurement:
    """Puts one comparison together that several processes made.

    Args:
        parts: One from each process, of the same arms.
        settings: What was asked of all of them together.
    """
    trials: list[Trial] = []
    for process, part in enumerate(parts):
        before = trials[-1].round + 1 if trials else 0
        trials += [
            replace(trial, process=process, round=before + trial.round) for trial in part.trials
        ]
    whole = replace(parts[0], trials=tuple(trials), settings=settings, stopped="processes")
    others = [arm for arm in (*whole.arms, whole.control) if arm != whole.baseline]
    if all(whole.ratio(arm).precision <= settings.precision for arm in others):
        return replace(whole, stopped="precise")
    return whole
