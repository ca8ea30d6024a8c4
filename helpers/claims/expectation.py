"""What a claim expects of a ratio, and whether an interval bears it out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from helpers.measure import Verdict, judge, times

SUPPORTED = "supported"
REFUTED = "refuted"
DEPENDS = "depends"
INCONCLUSIVE = "inconclusive"
CANNOT_RUN = "cannot run here"


GAIN = 1.3
"""The gain that advice must bring, unless a claim promises a smaller one.

It lies between no gain and the gains that were seen, so that an interval of a few seconds falls on
one side or the other.
"""


@dataclass(frozen=True)
class Expectation:
    """Where a claim expects the ratio of an arm to its baseline.

    Attributes:
        kind: "at least" and "at most" hold the ratio to one side of the bound; "about" holds it
            between 1/bound and bound.
        bound: A ratio of throughputs. 1 promises no more than that there is a difference.
    """

    kind: Literal["at least", "at most", "about"]
    bound: float

    def __post_init__(self) -> None:
        if not self.bound > 0 or (self.kind == "about" and not self.bound > 1):
            raise ValueError(
                f"no ratio can be {self.kind} {self.bound!r}: give a bound above 0, "
                "and above 1 for 'about'."
            )

    @property
    def words(self) -> str:
        """What is expected, as the end of the sentence "the claim expects …"."""
        if self.kind == "about":
            return f"{times(1 / self.bound)} to {times(self.bound)}"
        if self.bound == 1:
            return "faster" if self.kind == "at least" else "slower"
        return f"{self.kind} {times(self.bound)}"

    def outcome(self, verdict: Verdict, precision: float) -> tuple[str, str]:
        """Judges a ratio: the interval must be clear of the bound by more than the noise floor.

        Dividing the ratio by the bound turns the question into the one that `judge` answers, so a
        bound is judged like 1 is. No difference where a difference was promised refutes.

        Args:
            verdict: The arm against its baseline, with its ratio and the noise floor.
            precision: The half-width that was asked of the intervals, as a share.

        Returns:
            "supported", "refuted" or "inconclusive", and what would settle the last.
        """
        if self.kind == "about":
            return self._within(verdict, precision)
        side = _against(verdict, self.bound, precision)
        if side.kind == ("faster" if self.kind == "at least" else "slower"):
            return SUPPORTED, ""
        if side.kind in ("faster", "slower") or (side.kind == "no difference" and self.bound == 1):
            return REFUTED, ""
        return INCONCLUSIVE, _settle(side)

    def _within(self, verdict: Verdict, precision: float) -> tuple[str, str]:
        lower = _against(verdict, 1 / self.bound, precision)
        upper = _against(verdict, self.bound, precision)
        if lower.kind == "slower" or upper.kind == "faster":
            return REFUTED, ""
        if lower.kind == "faster" and upper.kind == "slower":
            return SUPPORTED, ""
        return INCONCLUSIVE, _settle(upper if lower.kind == "faster" else lower)


def at_least(bound: float) -> Expectation:
    """The arm has at least `bound` times the throughput of its baseline."""
    return Expectation("at least", bound)


def at_most(bound: float) -> Expectation:
    """The arm has at most `bound` times the throughput of its baseline."""
    return Expectation("at most", bound)


def about(bound: float) -> Expectation:
    """The arm and its baseline differ by less than a factor of `bound`."""
    return Expectation("about", bound)


def faster() -> Expectation:
    """The arm is faster, by however little."""
    return at_least(1)


def slower() -> Expectation:
    """The arm is slower, by however little."""
    return at_most(1)


def _against(verdict: Verdict, bound: float, precision: float) -> Verdict:
    ratio = verdict.ratio
    scaled = replace(
        ratio, value=ratio.value / bound, low=ratio.low / bound, high=ratio.high / bound
    )
    return judge(verdict.arm, verdict.baseline, scaled, verdict.floor, precision)


def _settle(verdict: Verdict) -> str:
    hidden = "the noise hides on which side of its bound it lies: try it on a quieter machine"
    return verdict.settle or hidden
