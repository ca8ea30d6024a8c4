"""Whether the beginning was like the rest: machines and processes take time to settle.

The clock of a processor, a cache of files, the memory that an allocator has at hand: what is warm
only after a while makes the first rounds, or the first process, differ from those that follow. It
is said, as an average of both is true of neither.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

SURE = 0.99
"""A difference is told when it is so improbable by chance: many ratios are looked at."""


def beginning(logs: Sequence[np.ndarray], least: float) -> str:
    """Says in which part of the beginning a ratio was another one; nothing if in none.

    Args:
        logs: The logarithms of each process's ratios in the order of its rounds.
        least: The difference, as a share, below which nothing is said.
    """
    if len(logs) == 1:
        return _rounds(logs[0], least)
    medians = np.array([np.median(each) for each in logs])
    if len(medians) > 3 and _apart(medians[0], medians[1:], least):
        return f"in the first process {_times(medians[0])}, in the others {_times(medians[1:])}"
    steps = np.array([each[0] - np.median(each[1:]) for each in logs])
    if _apart(0.0, steps, least, of_mean=True):
        first = [each[0] for each in logs]
        later = [np.median(each[1:]) for each in logs]
        return f"in the first round of each process {_times(first)}, later {_times(later)}"
    return ""


def _rounds(logs: np.ndarray, least: float) -> str:
    """Sets the first quarter of one process's rounds against the others."""
    count = len(logs) // 4
    if count < 3:
        return ""
    first, later = logs[:count], logs[count:]
    chance = stats.mannwhitneyu(first, later).pvalue
    if chance > 1 - SURE or abs(np.median(first) - np.median(later)) < math.log1p(least):
        return ""
    return f"in the first {count} rounds {_times(first)}, later {_times(later)}"


def _apart(one: float, others: np.ndarray, least: float, of_mean: bool = False) -> bool:
    """Tells whether a value lies where no further value, or no mean of others, would be."""
    count = len(others)
    spread = float(others.std(ddof=1)) * math.sqrt(1 / count + (0 if of_mean else 1))
    reach = float(stats.t.ppf((1 + SURE) / 2, count - 1)) * spread
    return abs(one - float(others.mean())) > max(reach, math.log1p(least))


def _times(logs: float | Sequence[float]) -> str:
    return f"{math.exp(float(np.median(logs))):.3g}×"
