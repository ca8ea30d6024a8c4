"""A room of machines: each a dot, ratio by ratio, and the page that `workbook room` writes.

Nothing here needs TensorFlow.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from html import escape
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from helpers.measure import times
from helpers.measure.results import write_text
from helpers.reproduce.room import Room
from helpers.reproduce.spreads import Spread

from .axes import NOTE, SMALL, foot, log_ticks, name_rows, say, wrapped, write_beside
from .palette import BLUE, GREEN, GREY, INK, ORANGE, PURPLE, VERMILLION
from .picture import Picture, figure

ROWS = 12
"""Ratios in one figure, which fit a screen."""

_LOOKS = ((VERMILLION, "D"), (ORANGE, "s"), (PURPLE, "^"), (GREEN, "v"))
"""Of the outliers that a figure names, the farthest first."""

_HALF = 0.3
"""How far dots stray from the middle of their row, so that each is seen."""

_REFRESH_S = 3


def dots(ax: Axes, room: Room, spreads: Sequence[Spread] | None = None) -> Axes:
    """Draws every machine as a dot in each ratio, on a log axis, with the room's median.

    The outliers that are farthest have marks and names of their own; they lie above the rest.

    Args:
        ax: Where.
        room: The machines.
        spreads: The ratios, from the top; those in which the machines differ most unless given.
    """
    spreads = room.by_spread()[:ROWS] if spreads is None else spreads
    looks = dict(zip((one.place for one in room.outliers), _LOOKS, strict=False))
    known = {one.place for one in room.outliers}
    said = []
    ax.axvline(1, color=GREY, lw=1, zorder=1)
    for y, spread in enumerate(spreads):
        plain = [place for place, one in enumerate(spread.ratios) if one and place not in looks]
        for colour, places in (
            (BLUE, [place for place in plain if place not in known]),
            (VERMILLION, [place for place in plain if place in known]),
        ):
            ax.plot(
                [spread.ratios[place].value for place in places],
                [y + _beside(place) for place in places],
                "o", color=colour, mec="none", ms=4.5, alpha=_alpha(len(plain)), zorder=2,
            )  # fmt: skip
        for place, (colour, marker) in looks.items():
            if spread.ratios[place]:
                ax.plot(
                    spread.ratios[place].value, y, marker, color=colour, mec="white", mew=0.6,
                    ms=7.5, zorder=4,
                )  # fmt: skip
        ax.plot([spread.median] * 2, [y - 0.38, y + 0.38], "-", color=INK, lw=1.6, zorder=3)
        value = f"{times(spread.median)} ({times(spread.low)} to {times(spread.high)})"
        write_beside(ax, y, value, wrapped(_named(spread.where.removeprefix("claim ")), 34))
        said.append(f"{spread.arm} against {spread.baseline} ({spread.place}): {value}")
    ax.set_xscale("log")
    low = min([1 / 1.15, *(spread.low for spread in spreads)])
    high = max([1.15, *(spread.high for spread in spreads)])
    pad = (high / low) ** 0.03
    ax.set_xlim(low / pad, high * pad)
    log_ticks(ax.xaxis, *ax.get_xlim(), lambda tick: f"{tick:.4g}×")
    ax.set_xlabel(
        "← slower   speed ÷ baseline's speed, log scale   faster →\n"
        "(a dot: a machine; bar: the room's median)", size=NOTE,
    )  # fmt: skip
    name_rows(ax, [_named(f"{spread.arm} ÷ {spread.baseline}") for spread in spreads])
    _name_outliers(ax, room, looks)
    mode = "QUICK runs, numbers show nothing" if room.quick else "full runs"
    foot(ax, f"{len(room.shared)} machines, {mode}")
    named = "; ".join(room.names[place] for place in looks)
    say(
        ax,
        f"The ratios of {len(room.shared)} machines, each a dot, on a log axis: median, and lowest "
        f"to highest. {'; '.join(said)}. "
        + (f"Outliers that are marked: {named}." if named else "No machine is marked as outlier."),
    )
    return ax


def _beside(place: int) -> float:
    """A machine's height in its row: the same in each, and spread evenly whatever their number."""
    return _HALF * (2 * (place * 0.618034 % 1) - 1)


def _alpha(count: int) -> float:
    return min(0.9, max(0.3, 6 / math.sqrt(count + 1) / 1.5))


def _named(name: str) -> str:
    """Other people's names: a $ begins no formula in them, and a _ keeps nothing from a legend."""
    return name.replace("$", r"\$").replace("_", " _", name.startswith("_"))


def _name_outliers(ax: Axes, room: Room, looks: dict[int, tuple[str, str]]) -> None:
    if not looks:
        return
    marks = [
        Line2D([], [], color=colour, marker=marker, ls="", ms=7)
        for colour, marker in looks.values()
    ]
    names = [_named(room.names[place]) for place in looks]
    if more := len(room.outliers) - len(looks):
        marks.append(Line2D([], [], color=VERMILLION, marker="o", ls="", ms=4.5))
        names.append(f"{more} more far from the rest")
    ax.legend(
        marks, names, fontsize=SMALL + 0.5, loc="lower left", bbox_to_anchor=(0, 1),
        frameon=False, handlelength=1, borderaxespad=0.4, title="Far from the rest",
        title_fontsize=SMALL + 0.5, alignment="left",
    )  # fmt: skip


def picture(room: Room, spreads: Sequence[Spread] | None = None, title: str = "") -> Picture:
    """The figure of some ratios; of those in which the machines differ most unless given.

    Args:
        room: One machine or more, with a ratio or more.
        spreads: Which, from the top.
        title: What stands over it.
    """
    spreads = room.by_spread()[:ROWS] if spreads is None else spreads
    marks = min(len(room.outliers), len(_LOOKS) + 1)
    height = 1.4 + 0.5 * len(spreads) + 0.18 * (marks + 1) * bool(marks)
    return figure(dots, room, spreads, height=height, width=9.5, title=title)


def drawn(room: Room) -> str:
    """The figure of `picture` as HTML; letters that its font does not have are drawn as boxes."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph")
        return picture(room).html()


def write(room: Room, path: Path, *, watched: bool = False) -> Path:
    """Writes the room's page, whole or not at all: one file that needs no other and no script.

    Args:
        room: What it shows.
        path: The file.
        watched: Whether it is written again as files arrive: a browser then loads it again.

    Raises:
        ValueError: If it cannot be written.
    """
    return write_text(path, build(room, watched=watched))


def build(room: Room, *, watched: bool = False) -> str:
    """Makes the page; see `write`."""
    style = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    again = f'<meta http-equiv="refresh" content="{_REFRESH_S}">\n' * watched
    figures = f"<h2>Where the machines differ most</h2>{drawn(room)}" if room.spreads else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">\n{again}'
        f"<title>The room's numbers</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        "<header><h1>The room's numbers</h1>"
        f'<p class="lede">{escape(room.sentences[0])}</p></header>\n{figures}\n'
        f"<h2>In numbers</h2>\n{room._repr_html_()}\n</main>\n"
        "<footer><p>Written by <code>workbook room</code>.</p></footer>\n</body>\n</html>"
    )
