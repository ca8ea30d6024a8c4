"""How long a loop over an epoch goes on after its last element: a point for each epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes

from .axes import NOTE, foot, log_ticks, name_rows, say, write_beside
from .palette import VERMILLION

LATE_MS = 10.0
"""From here on a loop is late: what it takes to end by itself is a tenth of it."""


def endings(ax: Axes, waits: Mapping[str, Sequence[float]], provenance: str) -> Axes:
    """Draws how long loops took from their last element to their end.

    Args:
        ax: Where.
        waits: The milliseconds of each epoch, by the name of its pipeline.
        provenance: What measured it.
    """
    said = []
    for y, (name, each) in enumerate(waits.items()):
        beside = [y + 0.09 * (index % 5 - 2) for index in range(len(each))]  # so that each is seen
        ax.plot(each, beside, "o", mfc="none", mec=VERMILLION, ms=6, mew=1.4)
        late = sum(wait > LATE_MS for wait in each)
        words = f"{late} of {len(each)} over {LATE_MS:g} ms"
        write_beside(ax, y, words)
        said.append(f"{name}: {words}, the longest {max(each):.3g} ms")
    every = [wait for each in waits.values() for wait in each]
    ax.set_xscale("log")
    ax.set_xlim(min(0.5, *every) / 1.2, max(100.0, *every) * 1.2)
    log_ticks(ax.xaxis, *ax.get_xlim(), lambda tick: f"{tick:.4g}")
    ax.set_xlabel("ms from the last row to the end of the loop, log scale", size=NOTE)
    name_rows(ax, list(waits))
    foot(ax, provenance)
    say(ax, f"From the last row of an epoch to the end of the loop. {'; '.join(said)}.")
    return ax
