"""After how many epochs writing the rows once has paid. Arithmetic on measured times."""

from __future__ import annotations

import math
from dataclasses import dataclass

from helpers.measure import times


@dataclass(frozen=True)
class Payback:
    """What it costs to write once and read from then on, and what it costs to make rows each time.

    Attributes:
        once_s: Seconds of writing.
        made_s: Seconds of an epoch whose rows Python makes.
        read_s: Seconds of an epoch that is read.
    """

    once_s: float
    made_s: float
    read_s: float

    @property
    def epochs(self) -> int | None:
        """Number of epochs after which it has cost no more than making them; None for never."""
        saved = self.made_s - self.read_s
        return max(1, math.ceil(self.once_s / saved - 1e-9)) if saved > 0 else None

    def gain(self, epochs: int) -> float:
        """How many times as fast that many epochs are, the writing included.

        Args:
            epochs: 1 or more.
        """
        return epochs * self.made_s / (self.once_s + epochs * self.read_s)

    def __str__(self) -> str:
        if self.epochs is None:
            return "it never pays: reading takes as long as making the rows."
        after = f"it pays from {self.epochs} epoch{'s' if self.epochs > 1 else ''} on"
        return f"{after}; over 10 epochs it is {times(self.gain(10))} as fast."
