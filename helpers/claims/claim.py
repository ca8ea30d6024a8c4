"""A claim, the conditions that test it, and how its verdict follows from what they gave."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Literal

from helpers.measure import Arm, Measurement, record

from .expectation import CANNOT_RUN, DEPENDS, INCONCLUSIVE, REFUTED, SUPPORTED, Expectation

Source = Literal["article", "TensorFlow guide", "ourselves"]


class CannotRun(Exception):
    """A condition needs something that this machine does not have; the message says what."""


@dataclass(frozen=True)
class Finding:
    """What running something once showed.

    Attributes:
        holds: Whether it went as the claim says.
        evidence: What was seen, as the end of a sentence.
    """

    holds: bool
    evidence: str


@dataclass(frozen=True)
class Timed:
    """A condition that is settled by a ratio.

    Attributes:
        name: The condition in words that follow "holds", such as "behind an idle consumer".
        arms: Opens the baseline and the arm, in this order, for as long as the context lasts.
        expects: Where the claim expects the arm's ratio to the baseline.
        precision: The half-width asked of the intervals, as a share: a third or less of the way
            from the bound to what the arms do, as far as that is known.
        budget_s: Seconds for the comparison if it does not become precise.
    """

    name: str
    arms: Callable[[], AbstractContextManager[tuple[Arm, Arm]]]
    expects: Expectation
    precision: float = 0.08
    budget_s: float = 6.0


@dataclass(frozen=True)
class Checked:
    """A condition that is settled by running something and looking.

    Attributes:
        name: The condition in words that follow "holds".
        check: Runs it; raises `CannotRun` where it cannot.
    """

    name: str
    check: Callable[[], Finding]


Condition = Timed | Checked


@dataclass(frozen=True)
class Claim:
    """A statement with the comparisons and checks that try it.

    Attributes:
        id: Kebab-case name, unique.
        statement: What is claimed, in our words.
        source: Who says so.
        detail: Where exactly.
        notebook: The notebook that explains it, without the ending.
        conditions: Under what it is tried.
        supports: What would support it.
        refutes: What would refute it.
        varies: What differs from one condition to the next, as the end of "it depends on …".
    """

    id: str
    statement: str
    source: Source
    detail: str
    notebook: str
    conditions: tuple[Condition, ...]
    supports: str
    refutes: str
    varies: str


@dataclass(frozen=True)
class ConditionResult:
    """What one condition gave.

    Attributes:
        name: The condition's name.
        expects: Where the claim expected the ratio; None for a check.
        measurement: The comparison, of a baseline and one arm; None for a check.
        finding: What a check showed; None for a comparison.
        missing: Why it could not run on this machine; empty if it ran.
    """

    name: str
    expects: Expectation | None = None
    measurement: Measurement | None = None
    finding: Finding | None = None
    missing: str = ""

    def __post_init__(self) -> None:
        parts = (self.measurement is not None, self.finding is not None, bool(self.missing))
        if sum(parts) != 1 or (self.measurement is not None and self.expects is None):
            raise ValueError(
                f"the condition {self.name!r} must have a measurement with an expectation, a "
                "finding, or a reason why it could not run."
            )

    @property
    def outcome(self) -> str:
        """One of "supported", "refuted", "inconclusive" and "cannot run here"."""
        return self._judged()[0]

    @property
    def settle(self) -> str:
        """What would settle an inconclusive outcome; empty otherwise."""
        return self._judged()[1]

    def _judged(self) -> tuple[str, str]:
        if self.missing:
            return CANNOT_RUN, ""
        if self.finding is not None:
            return (SUPPORTED if self.finding.holds else REFUTED), ""
        measured = self.measurement
        return self.expects.outcome(measured.verdict(self.arm), measured.settings.precision)

    @property
    def arm(self) -> str | None:
        """Name of the arm that is judged against the measurement's baseline; None for a check."""
        if self.measurement is None:
            return None
        return next(arm for arm in self.measurement.arms if arm != self.measurement.baseline)

    @property
    def evidence(self) -> str:
        """What was seen, with its numbers, as part of a sentence."""
        if self.missing:
            return self.missing
        if self.finding is not None:
            return self.finding.evidence
        ratio = self.measurement.ratio(self.arm)
        return (
            f"{self.arm} against {self.measurement.baseline}: {ratio}, expected "
            f"{self.expects.words}"
        )

    @property
    def phrase(self) -> str:
        """The condition with what was seen under it."""
        settle = f"; {self.settle}" if self.settle else ""
        return f"{self.name} ({self.evidence}{settle})"


@record
@dataclass(frozen=True)
class ClaimResult:
    """What a claim's conditions gave on one machine; its verdict follows from them.

    Attributes:
        claim: The claim's id.
        varies: What differs from one condition to the next.
        conditions: What each gave, in the claim's order.
        seconds: How long it took.
    """

    claim: str
    varies: str
    conditions: tuple[ConditionResult, ...]
    seconds: float

    @property
    def verdict(self) -> str:
        """One of "supported", "refuted", "depends", "inconclusive" and "cannot run here"."""
        return verdict_of(condition.outcome for condition in self.conditions)

    def of(self, outcome: str) -> tuple[ConditionResult, ...]:
        """The conditions with that outcome."""
        return tuple(found for found in self.conditions if found.outcome == outcome)

    @property
    def sentence(self) -> str:
        """The verdict with its numbers; on what it depends, or what would settle it."""
        opening = {
            SUPPORTED: "Supported",
            REFUTED: "Refuted",
            DEPENDS: f"Depends on {self.varies}",
            INCONCLUSIVE: "Inconclusive",
            CANNOT_RUN: "Cannot run here",
        }[self.verdict]
        parts = [
            f"{words} {'; '.join(found.phrase for found in self.of(outcome))}"
            for outcome, words in (
                (SUPPORTED, "it holds"),
                (REFUTED, "it does not hold"),
                (INCONCLUSIVE, "it is undecided"),
                (CANNOT_RUN, "it could not be tried"),
            )
            if self.of(outcome)
        ]
        return f"{opening}: {'. '.join([parts[0], *(_capital(part) for part in parts[1:])])}."


def verdict_of(outcomes: Iterable[str]) -> str:
    """Combines the outcomes of a claim's conditions.

    Conditions that agree decide; conditions that disagree make it depend, whatever the rest gave;
    an inconclusive one leaves it open otherwise. One that cannot run takes no part.

    Args:
        outcomes: "supported", "refuted", "inconclusive" or "cannot run here" for each condition.
    """
    found = set(outcomes) - {CANNOT_RUN}
    if not found:
        return CANNOT_RUN
    if {SUPPORTED, REFUTED} <= found:
        return DEPENDS
    if INCONCLUSIVE in found:
        return INCONCLUSIVE
    return found.pop()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
