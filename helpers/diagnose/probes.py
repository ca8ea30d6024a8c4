"""What kind of work rows are: they run or wait, and two threads do more than one or not."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.diagnose.guard import Deadline
from helpers.diagnose.looking import Look

ROUND_S, ROUNDS = 0.12, 5

SELDOM = 0.05
"""Voluntary switches a row below which a generator does not wait."""


@dataclass(frozen=True)
class Kind:
    """What the probes say.

    Attributes:
        running: Share of `next()` that is processor time.
        rho: Rows of two threads against rows of one, in the same time; NaN if it could not be had.
        held_low: Lower end of the share of the running time that holds the GIL.
        held_high: Upper end.
    """

    running: float
    rho: float
    held_low: float
    held_high: float


def bracket(rho: float) -> tuple[float, float]:
    """Returns what a ratio of two threads to one says of the share that holds the GIL.

    With a held share h, two threads reach at most 1/h, and at worst they take turns at all that
    is not overlapped: 2/(1 + h). At 2 it says only "at most half".

    Args:
        rho: Rows of two threads against rows of one.
    """
    return float(np.clip(2 / rho - 1, 0, 1)), float(np.clip(1 / rho, 0, 1))


def running_share(look: Look) -> float:
    """Returns the share of `next()` that is processor time, or would be on a free core.

    On a machine that is shared, a thread that could run may have to wait for a core: that is no
    waiting of its own. A thread that hardly ever gives up its core by itself does not wait; of
    others the time without a core is taken off.
    """
    rows = slice(1, None) if look.count > 1 else slice(None)
    wall, cpu = np.asarray(look.wall_ns[rows], float), np.asarray(look.cpu_ns[rows], float)
    if not len(wall) or wall.sum() <= 0:
        return 1.0
    if 0 <= look.switches < SELDOM * look.count:
        return 1.0
    if look.delay_ns:
        share = cpu.sum() / max(cpu.sum(), wall.sum() - look.delay_ns)
    elif np.percentile(wall, 75) < 4 * max(1.0, np.percentile(wall, 25)):
        share = np.median(cpu) / max(1.0, np.percentile(wall, 25))  # rows that were soon
    else:  # rows of different kinds: a median would leave out the long ones
        share = cpu.sum() / wall.sum()
    return float(np.clip(share, 0, 1))


def held_share(held: float, active: float, waiting: float, running: float) -> float:
    """Returns the share of `next()` with the GIL held, from looks at a core that is shared.

    A thread that holds the GIL and has no core is seen to hold it, and one that wakes up and has
    none is seen to wait: so the looks only say how what runs is divided. What runs without the GIL
    is seen to be active, though short sleeps are too; and it cannot be more than is left by what
    waits by the thread's own clock.

    Args:
        held: Share of the looks with the GIL held.
        active: Share of the looks at a thread that ran without it.
        waiting: Share of the time watched that it waited, by the thread's own clock.
        running: Share of `next()` that is processor time.
    """
    freed = max(0.0, min(active, 1 - waiting - held))
    return running * held / max(held + freed, 1e-9)


def kind_of(rows: Callable[[], Iterator[Any]], look: Look, deadline: Deadline) -> Kind:
    """Probes rows: what their own clock says, and two threads against one.

    Args:
        rows: Returns a fresh iterator.
        look: What was seen before.
        deadline: When to stop.
    """
    running = running_share(look)
    if look.row_ns > 0.2 * ROUND_S * 1e9 or deadline.left_s < 2 * ROUND_S * ROUNDS:
        return Kind(running, float("nan"), 0.0, 1.0)
    ratios = []
    for _ in range(ROUNDS):
        one, two = (_rate(rows, threads) for threads in (1, 2))
        if one > 0 and two > 0:
            ratios.append(two / one)
    if not ratios:
        return Kind(running, float("nan"), 0.0, 1.0)
    rho = float(np.median(ratios))
    return Kind(running, rho, *bracket(rho))


def _rate(rows: Callable[[], Iterator[Any]], threads: int) -> float:
    """Rows a second that so many threads get, each from an iterator of its own."""
    counts = [0] * threads
    end = time.perf_counter() + ROUND_S
    start = threading.Barrier(threads + 1)

    def pull(place: int) -> None:
        iterator = rows()
        start.wait()
        while time.perf_counter() < end:
            if next(iterator, start) is start:  # at its end: another pass
                iterator = rows()
                if next(iterator, start) is start:
                    return
            counts[place] += 1

    def quietly(place: int) -> None:
        try:
            pull(place)
        except Exception:  # a handle that no other thread may use: no ratio then
            counts[place] = 0
            start.abort()

    team = [
        threading.Thread(target=quietly, args=(place,), daemon=True) for place in range(threads)
    ]
    for thread in team:
        thread.start()
    try:
        start.wait(timeout=5)
    except threading.BrokenBarrierError:
        return 0.0
    began = time.perf_counter()
    for thread in team:
        thread.join()
    return sum(counts) / (time.perf_counter() - began)
