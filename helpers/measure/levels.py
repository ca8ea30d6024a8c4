"""The interval of what several processes measured: what differs between them, and between rounds.

A process is given by chance where its memory lies and how its hashes fall, and keeps it as long as
it lives: its rounds agree with each other more than with those of the next process. So the variance
has two parts, each estimated from its own level. A bootstrap of both levels is too narrow
with as few processes as can be started, and Student's interval of the processes' medians alone is
wider than need be where the rounds are what varies.
"""

from __future__ import annotations

import functools

import numpy as np
from scipy import stats


@functools.lru_cache(maxsize=4096)  # a report asks for every ratio again and again
def two_level_interval(
    packed: tuple[bytes, ...], seed: int, confidence: float, resamples: int
) -> tuple[float, float, float]:
    """The mean of the processes' medians, and where it lies should all be done again.

    The degrees of freedom are Satterthwaite's for the sum of both parts of the variance.

    Args:
        packed: The logarithms of each process's rounds, as bytes to be hashable; two rounds or
            more in each of two processes or more.
        seed: Seeds the resampling within processes.
        confidence: Of the interval, such as 0.95.
        resamples: How often the rounds of a process are drawn anew.

    Returns:
        The middle, the lower and the upper end.
    """
    processes = [np.frombuffer(each) for each in packed]
    count = len(processes)
    draw = np.random.default_rng(seed)
    medians = np.array([np.median(logs) for logs in processes])
    middle = float(medians.mean())
    within = sum(_variance_of_median(logs, draw, resamples) for logs in processes) / count**2
    between = max(0.0, float(medians.var(ddof=1)) / count - within)
    variance = between + within
    if variance == 0:
        return middle, middle, middle
    rounds = sum(map(len, processes))
    freedom = variance**2 / (between**2 / (count - 1) + within**2 / (rounds - count))
    half = float(stats.t.ppf((1 + confidence) / 2, freedom)) * variance**0.5
    return middle, middle - half, middle + half


def _variance_of_median(logs: np.ndarray, draw: np.random.Generator, resamples: int) -> float:
    """By resampling, and made up for what the spread of a few falls short by."""
    drawn = logs[draw.integers(len(logs), size=(resamples, len(logs)))]
    return float(np.median(drawn, axis=1).var()) * len(logs) / (len(logs) - 1)
