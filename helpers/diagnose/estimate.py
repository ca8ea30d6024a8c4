"""A value with the interval that resampling its rounds gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

RESAMPLES = 400


@dataclass(frozen=True)
class Estimate:
    """A measured or predicted value.

    Attributes:
        value: The median.
        low: Lower end of its 90 % interval.
        high: Upper end.
    """

    value: float
    low: float
    high: float

    def scaled(self, factor: float) -> Estimate:
        """The same in another unit; `factor` is above 0."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)


def of_draws(draws: Sequence[float]) -> Estimate:
    """Summarises draws by their median and 5th to 95th percentile."""
    low, value, high = np.percentile(np.asarray(draws, float), (5, 50, 95))
    return Estimate(float(value), float(low), float(high))


def draw_medians(rounds: dict[str, Sequence[float]], seed: int = 0) -> dict[str, np.ndarray]:
    """Resamples rounds, the same ones for every quantity, and takes the medians.

    Quantities of one round met the same speed of the machine, so they are drawn together.

    Args:
        rounds: For each quantity its value in each round; all of one length.
        seed: The same rounds and seed give the same draws.

    Returns:
        For each quantity `RESAMPLES` medians; the first is that of the rounds as they are.
    """
    table = np.asarray(list(rounds.values()), float)
    count = table.shape[1]
    chosen = np.random.default_rng(seed).integers(0, count, (RESAMPLES, count))
    chosen[0] = np.arange(count)
    medians = np.median(table[:, chosen], axis=2)
    return dict(zip(rounds, medians, strict=True))
