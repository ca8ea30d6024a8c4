"""What a room has in its rows: a ratio, or a claim, over all its machines."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from helpers.claims.expectation import CANNOT_RUN
from helpers.measure import Ratio

from .shared import VERDICTS


@dataclass(frozen=True)
class Spread:
    """One ratio over the machines of the room.

    Attributes:
        where: The claim or the notebook.
        what: The condition or the measurement.
        arm: The arm.
        baseline: What it is compared with.
        ratios: One for each machine, None where the machine has none.
        far: Places of the machines that are far from the median.
    """

    where: str
    what: str
    arm: str
    baseline: str
    ratios: tuple[Ratio | None, ...]
    far: tuple[int, ...] = ()

    @cached_property
    def values(self) -> tuple[float, ...]:
        """The ratios that there are, from the lowest."""
        return tuple(sorted(ratio.value for ratio in self.ratios if ratio))

    @property
    def median(self) -> float:
        """The room's median, of the logarithms."""
        return math.exp(float(np.median(np.log(self.values))))

    @property
    def low(self) -> float:
        """The lowest of the machines."""
        return self.values[0]

    @property
    def high(self) -> float:
        """The highest."""
        return self.values[-1]

    @property
    def middle_half(self) -> tuple[float, float]:
        """Between which ratios the middle half of the machines lies."""
        low, high = np.quantile(np.log(self.values), (0.25, 0.75))
        return math.exp(low), math.exp(high)

    @property
    def place(self) -> str:
        """Where it is from, in words."""
        return f"{self.where}: {self.what}"


@dataclass(frozen=True)
class Tally:
    """One claim's verdicts in the room.

    Attributes:
        claim: Its id.
        verdicts: One for each machine, None where the machine does not have the claim.
    """

    claim: str
    verdicts: tuple[str | None, ...]

    @cached_property
    def counts(self) -> dict[str, int]:
        """How many machines say what, those that could not run it left out; in order."""
        found = Counter(self.verdicts)
        return {verdict: found[verdict] for verdict in VERDICTS[:-1] if found[verdict]}

    @property
    def could_not(self) -> int:
        """How many could not run it."""
        return self.verdicts.count(CANNOT_RUN)

    @property
    def majority(self) -> str | None:
        """The verdict that most machines have, or None when two verdicts lead."""
        ranked = sorted(self.counts.items(), key=lambda item: -item[1])
        if not ranked or (len(ranked) > 1 and ranked[0][1] == ranked[1][1]):
            return None
        return ranked[0][0]

    @property
    def share(self) -> float | None:
        """The share of machines with the room's verdict, or None when there is none."""
        if self.majority is None:
            return None
        return self.counts[self.majority] / sum(self.counts.values())

    @property
    def against(self) -> tuple[int, ...]:
        """Places of the machines with another verdict than the room's."""
        if self.majority is None:
            return ()
        return tuple(
            place
            for place, verdict in enumerate(self.verdicts)
            if verdict not in (None, CANNOT_RUN, self.majority)
        )
