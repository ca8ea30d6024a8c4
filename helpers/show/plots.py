"""Figures: each function draws saved results onto a given Axes and returns it.

What a figure says is left in words as the label of its Axes, where `figure` finds the text for
readers who do not see it. Sizes and colours are given outright and nothing global is set, so that
a thread may draw.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba

from helpers.measure import Measurement, Ratio, percent, times

from .axes import (
    NOTE,
    foot,
    head,
    log_ticks,
    name_lines,
    name_rows,
    plain,
    say,
    three,
    us,
    write_beside,
)
from .busy import stacked, timeline
from .palette import BAND, BLUE, GREY, VERMILLION, styles
from .rungs import Rung, rung

__all__ = [
    "Rung",
    "cold",
    "ladder",
    "ratios",
    "rung",
    "single_passes",
    "stacked",
    "timeline",
    "trials",
]

SEE_THROUGH = 0.35
"""How much of its colour the pale part of a bar keeps; its edge has all of it."""


def ratios(ax: Axes, measurement: Measurement) -> Axes:
    """Draws the ladder: each arm's speed as a multiple of the baseline's, with its interval.

    Args:
        ax: Where.
        measurement: Two arms or more, or the baseline alone to see the noise.
    """
    head(ax, measurement.title)
    rows = [rung(measurement, arm) for arm in measurement.arms]
    return ladder(ax, rows, measurement.provenance)


def ladder(ax: Axes, rows: Sequence[Rung], provenance: str) -> Axes:
    """Draws ratios to one baseline, a row each, and each against the noise of its own rounds.

    A mark is filled when its interval is clear of the noise floor, and hollow otherwise.

    Args:
        ax: Where.
        rows: From the top.
        provenance: What ran it, in one line.
    """
    style = styles([row.pipeline or row.name for row in rows])
    ends = [1.0]
    ends += [end for row in rows for one in (row.ratio, row.floor) if one for end in _ends(one)]
    ax.axvline(1, color=GREY, lw=1, zorder=1)
    said, key = [], "grey band: noise floor"
    for y, row in enumerate(rows):
        look, ratio = style[row.pipeline or row.name], row.ratio
        fill = look.colour
        value = "1× (baseline)"
        _band(ax, row.floor.low, row.floor.high, y)
        if ratio is not None:
            value = str(ratio)
            _span(ax, ratio, y, look.colour)
            if not ratio.clear_of(row.floor):
                fill, key = "white", "grey band: noise floor; hollow: not clear of it"
        centre = ratio.value if ratio else 1
        ax.plot(centre, y, look.marker, mec=look.colour, mfc=fill, mew=1.8, ms=7, zorder=3)
        write_beside(ax, y, value, row.remark)
        said.append(f"{row.name}: {value}, {row.remark}")
    ax.set_xscale("log")
    low, high = min(ends), max(ends)
    pad = (high / low) ** 0.05
    ax.set_xlim(min(low / pad, 1 / 1.12), max(high * pad, 1.12))
    log_ticks(ax.xaxis, *ax.get_xlim(), lambda tick: f"{tick:.4g}×")
    ax.set_xlabel(f"← slower   speed ÷ baseline's speed, log scale   faster →\n({key})", size=NOTE)
    name_rows(ax, [row.name for row in rows])
    foot(ax, provenance)
    floors = [row.floor for row in rows]
    say(
        ax,
        f"Speed relative to the baseline with 95 % intervals, on a log axis. {'; '.join(said)}. "
        f"Noise floor {times(min(floor.low for floor in floors))} to "
        f"{times(max(floor.high for floor in floors))}.",
    )
    return ax


def _ends(ratio: Ratio) -> tuple[float, float]:
    return ratio.low, ratio.high


def _span(ax: Axes, ratio: Ratio, y: float, colour: str) -> None:
    """Draws an interval; without caps, which would stick out of the mark of a narrow one."""
    ax.plot(_ends(ratio), [y, y], "-", color=colour, lw=3.2, solid_capstyle="butt")


def _band(ax: Axes, low: float, high: float, y: float) -> None:
    """Draws a grey area behind a row, with edges for who does not see the grey."""
    ax.barh(y, high - low, 1, low, color=BAND, lw=0, zorder=0)
    ax.vlines([low, high], y - 0.5, y + 0.5, color=GREY, lw=0.8, ls=":", zorder=1)


def trials(ax: Axes, measurement: Measurement) -> Axes:
    """Draws every trial by its round: drift, pairing, and the warm-up that is not counted.

    Args:
        ax: Where.
        measurement: Any.
    """
    style = styles(measurement.arms)
    offset = 1 - measurement.settings.warmup_rounds  # the first counted round is 1
    lines = {}
    for arm in (*measurement.arms, measurement.control):
        again = arm == measurement.control
        look = style[measurement.baseline if again else arm]
        found = [trial for trial in measurement.trials if trial.arm == arm]
        x = [trial.round + offset for trial in found]
        y = [trial.ns_per_example / 1e3 for trial in found]
        marker = None if again else look.marker
        dash = ":" if again else "-"
        (line,) = ax.plot(x, y, dash, marker=marker, ms=4, color=look.colour, lw=1.2)
        if not again:
            lines[arm] = line
    last = max(trial.round for trial in measurement.trials) + offset
    ax.axvspan(offset - 1, 0.5, color=BAND, lw=0, zorder=0)
    ax.vlines(0.5, 0, 1, color=GREY, lw=0.8, ls=":", transform=ax.get_xaxis_transform())
    for begin in {trial.round for trial in measurement.trials if trial.warmup and trial.process}:
        ax.axvspan(begin + offset - 0.5, begin + offset + 0.5, color=BAND, lw=0, zorder=0)
    ax.set_xlim(offset - 0.5, last + 0.3)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.set_yscale("log")
    low, high = ax.get_ylim()
    ax.set_ylim(low / 1.05, high * 1.05)
    log_ticks(ax.yaxis, *ax.get_ylim(), three)
    ax.tick_params(axis="y", labelsize=NOTE)
    grey = "grey: warm-up, not counted; " if any(one.warmup for one in measurement.trials) else ""
    ax.set_xlabel(f"round   ({grey}dotted: the baseline again)", size=NOTE)
    ax.set_ylabel("µs per example, log scale", size=NOTE)
    name_lines(ax, lines)
    plain(ax)
    head(ax, measurement.title)
    foot(ax, measurement.provenance)
    medians = [f"{arm}: {us(measurement.ns_per_example(arm))}" for arm in measurement.arms]
    say(
        ax,
        f"Time per example in each of {measurement.rounds} rounds, on a log axis. "
        f"Medians: {'; '.join(medians)}.",
    )
    return ax


def cold(ax: Axes, measurement: Measurement) -> Axes:
    """Draws one pass of each arm: its cold start against its steady state.

    Args:
        ax: Where.
        measurement: Any.
    """
    style = styles(measurement.arms)
    said = []
    for y, arm in enumerate(measurement.arms):
        found = measurement.trials_of(arm)
        start = measurement.cold_ns(arm) / 1e6
        steady = float(np.median([trial.steady_ns for trial in found])) / 1e6
        colour = style[arm].colour
        ax.barh(y, start, color=colour, height=0.5)
        pale = to_rgba(colour, SEE_THROUGH)
        ax.barh(y, steady, left=start, fc=pale, ec=colour, lw=1, height=0.5)
        value = f"{three(start)} ms cold start ({percent(start / (start + steady))})"
        remark = f"then {three(steady)} ms, {found[0].examples} examples in all"
        write_beside(ax, y, value, remark)
        said.append(f"{arm}: {value}, {remark}")
    ax.set_xlim(left=0)
    ax.set_xlabel("ms of one pass   (full colour: cold start; pale: steady state)", size=NOTE)
    name_rows(ax, measurement.arms)
    head(ax, measurement.title)
    foot(ax, measurement.provenance)
    say(ax, f"Cold start against steady state of one pass. {'; '.join(said)}.")
    return ax


def single_passes(ax: Axes, measurement: Measurement) -> Axes:
    """Draws what one pass of each would have said of the baseline and its control.

    Every point is a round: the same pipeline twice, so that each distance from 1× is an error.

    Args:
        ax: Where.
        measurement: Any.
    """
    ratios = measurement.single_pass_ratios()
    floor = measurement.floor()
    for y in range(2):
        _band(ax, 1 / 1.1, 1.1, y)
    ax.axvline(1, color=GREY, lw=1, zorder=1)
    beside = [0.09 * (index % 5 - 2) for index in range(len(ratios))]  # so that each is seen
    ax.plot(ratios, beside, "o", mfc="none", mec=VERMILLION, ms=6, mew=1.4)
    _span(ax, floor, 1, BLUE)
    ax.plot(floor.value, 1, "o", color=BLUE, ms=7)
    error = measurement.single_pass_error(0.1)
    write_beside(ax, 0, f"{percent(error)} are off by more than {percent(0.1)}")
    write_beside(ax, 1, str(floor))
    ax.set_xscale("log")
    low, high = min(*ratios, floor.low, 1 / 1.15), max(*ratios, floor.high, 1.15)
    ax.set_xlim(low / 1.05, high * 1.05)
    log_ticks(ax.xaxis, *ax.get_xlim(), lambda tick: f"{tick:.4g}×")
    ax.set_xlabel("the baseline against itself, log scale   (grey band: within 10 %)", size=NOTE)
    name_rows(ax, ["one pass of each, by round", "all rounds, with interval"])
    head(ax, measurement.title)
    foot(ax, measurement.provenance)
    say(
        ax,
        f"The baseline against itself. One pass of each, once a round: {len(ratios)} points from "
        f"{times(min(ratios))} to {times(max(ratios))}, {percent(error)} of them off by more than "
        f"{percent(0.1)}. "
        f"All rounds together: {floor}.",
    )
    return ax
