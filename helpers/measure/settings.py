"""How long a comparison may run and how sure it must be, in full and in quick mode."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass, replace
from typing import Any, TypeVar

T = TypeVar("T")


def quick() -> bool:
    """Tells whether this process runs in quick mode: the one place that reads WORKBOOK_QUICK.

    Quick mode shortens every run, so that the notebooks can serve as tests. Its numbers show
    that things work, and nothing more; wherever a number is printed, the mode is printed too.
    """
    return os.environ.get("WORKBOOK_QUICK", "") not in ("", "0")


def pick(full: T, quick_: T) -> T:
    """Returns the first argument in a full run and the second in quick mode."""
    return quick_ if quick() else full


@dataclass(frozen=True)
class Settings:
    """When a comparison is long enough.

    Attributes:
        precision: The half-width, as a share, that the 95 % interval of every ratio must reach
            before the comparison may stop. Two intervals of ±5 % overlap too often to tell a
            10 % slowdown (found in about 70 % of simulated runs); ±3 % finds it in over 90 %.
        budget_s: Seconds after which, once `min_rounds` are done, no further round starts.
        min_rounds: Counted rounds that are always run; an interval of fewer says little.
        max_rounds: Counted rounds after which the comparison stops in any case.
        warmup_rounds: Rounds run first, kept and marked, and not counted.
        seed: Seeds the order of the arms within each round, and the bootstrap.
        quick: Whether the run was shortened for a test.
    """

    precision: float = 0.03
    budget_s: float = 30.0
    min_rounds: int = 8
    max_rounds: int = 200
    warmup_rounds: int = 1
    seed: int = 0
    quick: bool = False

    def __post_init__(self) -> None:
        if not 0 < self.precision < 1:
            raise ValueError(f"precision is a share between 0 and 1, not {self.precision!r}.")
        if not self.budget_s > 0:
            raise ValueError(f"budget_s is a number of seconds above 0, not {self.budget_s!r}.")
        if self.min_rounds < 2:
            raise ValueError(f"min_rounds must be 2 or more, not {self.min_rounds!r}.")
        if self.max_rounds < self.min_rounds:
            raise ValueError(
                f"max_rounds ({self.max_rounds}) must not be below min_rounds ({self.min_rounds})."
            )
        if self.warmup_rounds < 0:
            raise ValueError(f"warmup_rounds must be 0 or more, not {self.warmup_rounds!r}.")

    def share(self, processes: int) -> Settings:
        """What one of several processes is to do, so that all do as much as one would alone.

        Args:
            processes: How many.
        """
        least = max(2, math.ceil(self.min_rounds / processes))
        return replace(
            self,
            precision=min(0.9, math.expm1(math.log1p(self.precision) * math.sqrt(processes))),
            budget_s=self.budget_s / processes,
            min_rounds=least,
            max_rounds=max(least, math.ceil(self.max_rounds / processes)),
        )

    @classmethod
    def default(cls, **changes: Any) -> Settings:
        """The settings for this process: full ones with `changes`, or the shortened ones.

        In quick mode the changes are ignored, but for the seed: a quick run is as short as it
        can be whatever the full run asks for.
        """
        if not quick():
            return cls(**changes)
        return cls(
            precision=0.25,
            budget_s=1.0,
            min_rounds=3,
            max_rounds=3,
            warmup_rounds=0,
            seed=changes.get("seed", 0),
            quick=True,
        )
