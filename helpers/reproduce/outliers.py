"""Which machine of a room is far from the rest, and what it has that the others have not."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from helpers.measure import times

from .shared import Shared

LEAST_MACHINES = 3
"""With fewer nobody can say which one is far."""

FAR = 3.5
"""Robust standard deviations from the median: the usual threshold of the modified z-score."""

LEAST = 1.1
"""Factor from the median below which nothing is far, however well the others agree."""

SHARE, COUNT = 0.1, 2
"""An outlier is far in this share of its ratios, and in so many; one may be far by chance."""

FEW = 0.1
"""What this share of the others has, or less, is rare."""

APART = 2.0
"""Factor from the room's median from which a number of cores sets a machine apart."""

_NORMAL = 1.96  # half a 95 % interval in standard deviations


@dataclass(frozen=True)
class Outlier:
    """A machine whose ratios are far from the room's.

    Attributes:
        place: Which machine, by its place in the room.
        far: Places of the ratios in which it is far, the farthest first.
        of: Ratios that could be compared.
        factor: The median distance of those ratios from the room's, as a factor above 1.
        farthest: Its farthest ratio as a multiple of the room's median.
        reasons: What sets it apart, as parts of a sentence; empty if nothing is known.
    """

    place: int
    far: tuple[int, ...]
    of: int
    factor: float
    farthest: float
    reasons: tuple[str, ...]


def far_off(logs: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Marks what is far from the median of its ratio.

    The yardstick is the median absolute deviation of the machines, or the noise of the typical
    interval where they agree better than that; and an interval that holds the median is not far.

    Args:
        logs: Logarithms of the ratios, a row for each ratio and a column for each machine; NaN
            where a machine has none. Each row has one at least.
        low: Of the lower ends.
        high: Of the upper ends.

    Returns:
        Truth values of the same shape.
    """
    middle = np.nanmedian(logs, axis=1, keepdims=True)
    spread = stats.median_abs_deviation(logs, axis=1, scale="normal", nan_policy="omit")
    noise = np.nanmedian(high - low, axis=1) / 2 / _NORMAL
    bound = np.maximum(FAR * np.maximum(spread, noise), math.log(LEAST))[:, None]
    found = (np.abs(logs - middle) > bound) & ((low > middle) | (high < middle))
    found[np.sum(~np.isnan(logs), axis=1) < LEAST_MACHINES] = False
    return found


def outliers(shared: Sequence[Shared], logs: np.ndarray, far: np.ndarray) -> tuple[Outlier, ...]:
    """Finds the machines that are far in many of their ratios.

    Args:
        shared: The machines.
        logs: As for `far_off`.
        far: What `far_off` gave.

    Returns:
        The farthest first.
    """
    comparable = ~np.isnan(logs) & (np.sum(~np.isnan(logs), axis=1) >= LEAST_MACHINES)[:, None]
    of, count = comparable.sum(axis=0), far.sum(axis=0)
    enough = np.maximum(np.minimum(COUNT, of), SHARE * of)
    places = [place for place in range(len(shared)) if of[place] and count[place] >= enough[place]]
    apart = logs - np.nanmedian(logs, axis=1, keepdims=True) if len(logs) else logs
    widths = [_width(one) for one in shared]
    found = []
    for place in places:
        rows = np.flatnonzero(far[:, place])
        off = apart[rows, place]
        order = np.argsort(-np.abs(off), kind="stable")
        found.append(
            Outlier(
                place,
                tuple(int(row) for row in rows[order]),
                int(of[place]),
                math.exp(float(np.median(np.abs(off)))),
                math.exp(float(off[order[0]])),
                _reasons(place, shared, set(places), widths),
            )
        )
    return tuple(sorted(found, key=lambda one: (-len(one.far) / one.of, -one.factor)))


_FACTS: dict[str, Callable[[Shared], str | None]] = {
    "processor": lambda one: one.machine.processor,
    "cores": lambda one: f"{one.machine.cores} cores",
    "memory": lambda one: f"{one.machine.memory_gib} GiB of memory",
    "system": lambda one: one.machine.system,
    "Python": lambda one: f"Python {one.machine.python}",
    "TensorFlow": lambda one: _version(one, "tensorflow", "TensorFlow"),
    "NumPy": lambda one: _version(one, "numpy", "NumPy"),
    "Keras": lambda one: _version(one, "keras", "Keras"),
    "code": lambda one: "another version of the measuring code" if one.code else None,
}
"""What may set a machine apart, in words; the code's is said only where it is rare."""


def _version(one: Shared, package: str, name: str) -> str | None:
    version = one.machine.versions.get(package)
    return f"{name} {version}" if version else f"no {name}"


def _reasons(
    place: int, shared: Sequence[Shared], far: set[int], widths: Sequence[float]
) -> tuple[str, ...]:
    """What this machine has and few others have, and numbers far from theirs."""
    said = []
    others = [other for other in range(len(shared)) if other != place]
    for name, fact in _FACTS.items():
        values = [one.code if name == "code" else fact(one) for one in shared]
        alike = [other for other in others if values[other] == values[place]]
        words = fact(shared[place])
        if name in ("cores", "memory") and (apart := _number_apart(name, place, shared)):
            said.append(apart)
        elif words and _rare(values, place):
            said.append(f"{words}, {_who_else(alike, len(others), far)}")
    usual = float(np.median([widths[other] for other in others]))
    if usual > 0 and widths[place] > APART * usual:
        said.append(
            f"intervals {widths[place] / usual:.1f} times as wide as the room's: it was busy, or "
            "changed its speed"
        )
    return tuple(said)


def _rare(values: Sequence[str | None], place: int) -> bool:
    """Whether few others share a value, in a room where most machines share theirs with many."""
    counts, others = Counter(values), len(values) - 1
    shares = [(counts[value] - 1) / others for value in values]
    rare = shares[place] <= FEW or counts[values[place]] == 1
    return rare and shares[place] < np.median(shares) / 2


def _number_apart(name: str, place: int, shared: Sequence[Shared]) -> str:
    """Cores or memory, if they are a multiple of the room's median or a part of it."""
    numbers = [one.machine.cores if name == "cores" else one.machine.memory_gib for one in shared]
    own = numbers[place]
    others = numbers[:place] + numbers[place + 1 :]
    usual = float(np.median(others))
    if not own or not usual or not (own >= APART * usual or own <= usual / APART):
        return ""
    beyond = sum(number >= own if own > usual else number <= own for number in others)
    if beyond > max(1, FEW * len(others)):
        return ""
    what = f"core{'s' * (own != 1)}" if name == "cores" else "GiB of memory"
    return f"{own} {what}, where the others' median is {usual:.3g}"


def _who_else(alike: Sequence[int], others: int, far: set[int]) -> str:
    if not alike:
        return "which no other has"
    said = f"which {len(alike)} of {others} others have"
    also = len(far.intersection(alike))
    return f"{said}, {also} of them outliers too" if also else said


def _width(one: Shared) -> float:
    """How wide its intervals are, typically, in logarithms."""
    if not one.ratios:
        return 0.0
    return float(np.median([math.log(ratio.high / ratio.low) for ratio in one.ratios]))


def described(one: Outlier, ratio: str) -> str:
    """An outlier in one sentence, without its name.

    Args:
        one: Which.
        ratio: Its farthest ratio, in words.
    """
    why = "; ".join(one.reasons) or "nothing that its file tells; it may have been busy"
    return (
        f"{len(one.far)} of {one.of} ratios are far from the room's median, typically by a factor "
        f"of {one.factor:.3g}; the farthest is {ratio}, at {times(one.farthest)} the median. "
        f"What sets it apart: {why}."
    )
