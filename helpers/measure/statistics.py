"""Ratios of paired trials, their intervals, and what may be concluded from them."""

from __future__ import annotations

import functools
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from .levels import two_level_interval

CONFIDENCE = 0.95
RESAMPLES = 999


@dataclass(frozen=True)
class Ratio:
    """How fast an arm is, as a multiple of another: above 1 is faster.

    Attributes:
        value: The median of the ratios of the rounds; of several processes, the mean of theirs.
        low: Lower end of its 95 % interval.
        high: Upper end.
        rounds: How many paired rounds it rests on.
        processes: How many processes they were run in. The interval of one holds within that run
            and tells nothing of the next.
    """

    value: float
    low: float
    high: float
    rounds: int
    processes: int = 1

    @property
    def precision(self) -> float:
        """Half the width of the interval, as a share of the value."""
        return math.sqrt(self.high / self.low) - 1

    def overlaps(self, other: Ratio) -> bool:
        """Tells whether the two intervals share a point."""
        return self.low <= other.high and other.low <= self.high

    def clear_of(self, floor: Ratio) -> bool:
        """Tells whether a difference is seen, which every verdict and every mark rests on.

        Args:
            floor: The baseline against itself, in the rounds of this ratio.
        """
        return not self.overlaps(floor)

    def __str__(self) -> str:
        return f"{times(self.value)} [{times(self.low)}, {times(self.high)}]"


@dataclass(frozen=True)
class Share:
    """A share of a step, as the median over the rounds with its 95 % interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{percent(self.value)} [{percent(self.low)}, {percent(self.high)}]"


def times(value: float) -> str:
    """Writes a ratio with three figures: 0.0123×, 0.981×, 2.87×, 135×."""
    decimals = min(5, max(0, 2 - math.floor(math.log10(value)))) if value > 0 else 2
    return f"{value:.{decimals}f}×"


def percent(share: float) -> str:
    """Writes a share in per cent: 0.218 is 22 %, on one line with its sign."""
    return f"{100 * share:.0f}\u00a0%"


def ratio_of_times(
    baseline: Sequence[float],
    arm: Sequence[float],
    seed: int = 0,
    processes: Sequence[int] = (),
) -> Ratio:
    """Compares two arms that were timed in the same rounds.

    The ratio is taken within each round, where both arms met the same speed of the machine, and
    summarised by the median of its logarithm with a percentile bootstrap interval. A ratio of two
    medians would compare moments seconds apart.

    Args:
        baseline: Time per example of the baseline, one a round, in any unit.
        arm: Time per example of the arm in the same rounds.
        seed: Seeds the bootstrap, so that the same trials always give the same interval.
        processes: The process of each round, where there were several: the interval is then that
            of `levels`.

    Returns:
        The throughput of the arm divided by the throughput of the baseline.

    Raises:
        ValueError: If the rounds are not paired, are fewer than two, or took no time.
    """
    if len(baseline) != len(arm):
        raise ValueError(f"rounds are not paired: {len(baseline)} trials against {len(arm)}.")
    if len(baseline) < 2:
        raise ValueError("an interval needs two rounds or more.")
    if min(min(baseline), min(arm)) <= 0:
        raise ValueError("a trial took no measurable time: give it more elements.")
    logs = np.log(np.asarray(baseline, float) / np.asarray(arm, float))
    count = len(set(processes))
    if count > 1:
        each = [logs[np.equal(processes, process)].tobytes() for process in sorted(set(processes))]
        middle, low, high = two_level_interval(tuple(each), seed, CONFIDENCE, RESAMPLES)
        return Ratio(math.exp(middle), math.exp(low), math.exp(high), len(logs), count)
    low, high = _interval(logs.tobytes(), seed)
    middle = float(np.median(logs))
    return Ratio(math.exp(middle), math.exp(low), math.exp(high), len(logs))


@functools.lru_cache(maxsize=4096)  # a report asks for every ratio again and again
def _interval(packed: bytes, seed: int) -> tuple[float, float]:
    """The bootstrap interval of the median of logarithms, which come as bytes to be hashable."""
    logs = np.frombuffer(packed)
    if np.ptp(logs) == 0:  # nothing to resample: scipy would warn and return NaN
        return float(logs[0]), float(logs[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        low, high = stats.bootstrap(
            (logs,),
            np.median,
            confidence_level=CONFIDENCE,
            n_resamples=RESAMPLES,
            method="percentile",
            rng=np.random.default_rng(seed),
        ).confidence_interval
    return float(low), float(high)


@dataclass(frozen=True)
class Verdict:
    """What a comparison of two arms allows one to say.

    Attributes:
        arm: The arm that is judged.
        baseline: What it is compared with.
        kind: "faster", "slower", "no difference" or "inconclusive".
        ratio: Throughput of the arm over that of the baseline.
        floor: The noise floor: the baseline against itself in the same rounds.
        settle: What would settle an inconclusive comparison; empty otherwise.
    """

    arm: str
    baseline: str
    kind: str
    ratio: Ratio
    floor: Ratio
    settle: str = ""

    @property
    def sentence(self) -> str:
        """The verdict as one sentence with its numbers."""
        if self.kind in ("faster", "slower"):
            said = f"{self.arm} is {self.kind} than {self.baseline}: {self.ratio}."
        elif self.kind == "no difference":
            most = max(self.ratio.high, 1 / self.ratio.low) - 1
            said = (
                f"No difference between {self.arm} and {self.baseline} is seen: {self.ratio}, "
                f"so if there is one it is below {percent(most)}."
            )
        else:
            said = (
                f"{self.arm} against {self.baseline} is inconclusive: {self.ratio}; {self.settle}."
            )
        return said


def judge(arm: str, baseline: str, ratio: Ratio, floor: Ratio, precision: float) -> Verdict:
    """Judges a ratio against the noise floor of the same rounds.

    The arm differs only when its interval and that of the control share no point. It does not
    differ when its ratio lies inside the control's interval and its own interval is as narrow as
    was asked for. Everything between is inconclusive.

    Args:
        arm: Name of the arm.
        baseline: Name of the baseline.
        ratio: The arm against the baseline.
        floor: The baseline's control against the baseline.
        precision: The half-width that was asked of the intervals, as a share.
    """
    if ratio.clear_of(floor):
        kind = "faster" if ratio.value > floor.value else "slower"
        return Verdict(arm, baseline, kind, ratio, floor)
    if floor.low <= ratio.value <= floor.high and ratio.precision <= precision:
        return Verdict(arm, baseline, "no difference", ratio, floor)
    return Verdict(
        arm, baseline, "inconclusive", ratio, floor, _what_settles(ratio, floor, precision)
    )


def _what_settles(ratio: Ratio, floor: Ratio, precision: float) -> str:
    """Says how many rounds, or processes, would do: intervals narrow with their square root."""
    gap = abs(math.log(ratio.value / floor.value))
    widths = math.log1p(ratio.precision) + math.log1p(floor.precision)
    wanted = max(gap, math.log1p(precision))
    what, done = ("processes", ratio.processes) if ratio.processes > 1 else ("rounds", ratio.rounds)
    needed = max(done + 1, math.ceil(done * (widths / wanted) ** 2))
    return f"about {needed} {what} in place of {done} would settle it"
