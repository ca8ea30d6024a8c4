"""Figures of a diagnosis: ladder, timeline of a batch, law as bars, the data set's nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from .axes import NOTE, foot, head, name_rows, say, three, write_beside
from .nodes import nodes
from .palette import BLUE, GREY, MID, ORANGE, VERMILLION

if TYPE_CHECKING:  # helpers.diagnose imports TensorFlow
    from helpers.diagnose import Diagnosis


def stall_ladder(ax: Axes, diagnosis: Diagnosis) -> Axes:
    """Draws what a batch takes: measured times as bars with intervals, differences paler.

    Args:
        ax: Where.
        diagnosis: With `parts`.

    Raises:
        ValueError: If no time was measured.
    """
    if not diagnosis.parts:
        raise ValueError(f"there is nothing to draw: {diagnosis.sentence}")
    said = []
    for y, part in enumerate(diagnosis.parts):
        low, value, high = (ns / 1e6 for ns in (part.ns.low, part.ns.value, part.ns.high))
        ax.barh(y, value, color=MID if part.derived else BLUE, height=0.6)
        ax.plot([low, high], [y, y], color="black", lw=1.4, solid_capstyle="butt")
        write_beside(ax, y, f"{_signed(value)} ms")
        said.append(f"{part.name}: {_signed(value)} ms ({_signed(low)} to {_signed(high)})")
    ax.axvline(0, color=GREY, lw=0.8)
    ax.set_xlabel("ms per batch, with 90 % intervals; pale: differences", size=NOTE)
    name_rows(ax, [part.name for part in diagnosis.parts])
    head(ax, f"{diagnosis.subject}: where the time goes")
    foot(ax, diagnosis.provenance)
    say(ax, f"Where the time of a batch goes. {'; '.join(said)}.")
    return ax


def batch_timeline(ax: Axes, diagnosis: Diagnosis) -> Axes:
    """Draws one batch in steady state: what makes it, and what the consumer does meanwhile.

    Args:
        ax: Where.
        diagnosis: With `parts`.

    Raises:
        ValueError: If no time was measured.
    """
    times = {part.name: part.ns.value / 1e6 for part in diagnosis.parts}
    bare, crossed = times.get("generator alone", 0.0), times.get("from_generator and batch", 0.0)
    whole = times.get("the whole data set", crossed)
    if not whole:
        raise ValueError(f"there is nothing to draw: {diagnosis.sentence}")
    made = [("generator", min(bare, whole), BLUE)]
    made.append(("crossing", min(max(0.0, crossed - bare), whole - made[0][1]), ORANGE))
    made.append(("steps of tf.data", max(0.0, whole - made[0][1] - made[1][1]), MID))
    lanes = [("the data", made)]
    consumer = times.get("consumer alone")
    if consumer is not None:
        waits = max(0.0, times.get("data set and consumer", whole) - consumer)
        lanes.append(("the consumer", [("works", consumer, GREY), ("waits", waits, VERMILLION)]))
    end = max(sum(length for _, length, _ in lane) for _, lane in lanes)
    said, short = [], []
    for y, (name, lane) in enumerate(lanes):
        start = 0.0
        for what, length, colour in lane:
            if length > 0:
                ax.barh(y, length, left=start, color=colour, height=0.55, edgecolor="white")
                said.append(f"{name}: {what} {three(length)} ms")
            if length > 0.12 * end:
                ax.text(start + length / 2, y, f"{what}\n{three(length)} ms", ha="center",
                        va="center", size=NOTE,
                        bbox={"fc": "white", "ec": "none", "pad": 2})  # fmt: skip
            elif length > 0:
                short.append(f"{name}: {what} {three(length)} ms")
            start += length
    ax.set_xlim(0, end)
    ax.set_xlabel("; ".join(["ms of one batch", *short]), size=NOTE)
    name_rows(ax, [name for name, _ in lanes])
    head(ax, f"{diagnosis.subject}: one batch")
    foot(ax, diagnosis.provenance)
    say(ax, f"One batch in steady state. {'; '.join(said)}.")
    return ax


def law_bars(ax: Axes, diagnosis: Diagnosis) -> Axes:
    """Draws the least time that each row of the law needs for a batch, against the consumer.

    Args:
        ax: Where.
        diagnosis: With `bounds`.

    Raises:
        ValueError: If no row is known.
    """
    if not diagnosis.bounds:
        raise ValueError(f"there is nothing to draw: {diagnosis.sentence}")
    said = []
    for y, row in enumerate(diagnosis.bounds):
        least = row.ns / 1e6
        ax.barh(y, least, color=VERMILLION if row.binds else BLUE, height=0.6)
        rate = f"{three(1e9 / row.ns)} a second"
        write_beside(ax, y, f"{three(least)} ms", f"{rate}, binds" if row.binds else rate)
        said.append(f"{row.name}: {three(least)} ms, {rate}{' (binds)' if row.binds else ''}")
        if row.name == "consumer":
            ax.axvline(least, color="black", lw=1, ls="--")
    ax.set_xlim(left=0)
    ax.set_xlabel("ms per batch that each row needs at least; the longest bar binds", size=NOTE)
    name_rows(ax, [row.name for row in diagnosis.bounds])
    head(ax, f"{diagnosis.subject}: what binds")
    foot(ax, diagnosis.provenance)
    say(ax, f"The least time of a batch by each row of the law. {'; '.join(said)}.")
    return ax


def node_graph(ax: Axes, diagnosis: Diagnosis) -> Axes:
    """Draws the data set's nodes from the source to the consumer, coloured by their time.

    Args:
        ax: Where.
        diagnosis: With `nodes`.

    Raises:
        ValueError: If the nodes are not known.
    """
    if not diagnosis.nodes:
        raise ValueError("there is nothing to draw: the data set's steps are not known.")
    nodes(ax, diagnosis.nodes)
    head(ax, f"{diagnosis.subject}: its steps")
    return ax


def _signed(value: float) -> str:
    return f"−{three(-value)}" if value < 0 else three(value)
