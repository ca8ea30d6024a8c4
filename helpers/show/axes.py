"""What the figures share: rows with names and values beside them, log axes, head and foot."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from .palette import BAND, GREY

TEXT, NOTE, SMALL = 9.5, 9, 8
"""Sizes in points: names and values; axis labels; what ran it."""

HELD = "\u00a0"
"""A space at which no line is broken."""

NAME_WIDTH = 27
"""Characters of a name that fit on a line beside its row."""


def name_rows(ax: Axes, names: Sequence[str]) -> None:
    """Gives each row, from the top, its name, on up to three lines."""
    ax.set_yticks(range(len(names)), [wrapped(name) for name in names], size=TEXT)
    ax.set_ylim(len(names) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    plain(ax)


def write_beside(ax: Axes, y: float, value: str, remark: str = "") -> None:
    """Writes a row's value at the right of the Axes, and a remark in grey under it."""
    place = {"xy": (1, y), "xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    ax.annotate(
        value, xytext=(8, 1 if remark else 0), va="bottom" if remark else "center",
        size=TEXT, **place,
    )  # fmt: skip
    if remark:
        ax.annotate(remark, xytext=(8, -1), va="top", size=SMALL, color=GREY, **place)


def name_lines(ax: Axes, lines: dict[str, Line2D]) -> None:
    """Names lines at the right of the Axes, in the order in which they end there."""
    names = sorted(lines, key=lambda name: lines[name].get_ydata()[-1], reverse=True)
    ax.legend(
        [lines[name] for name in names], [wrapped(name, 24) for name in names], fontsize=TEXT,
        loc="center left", bbox_to_anchor=(1, 0.5), frameon=False, handlelength=1.2,
    )  # fmt: skip


def log_ticks(axis: Axis, low: float, high: float, write: Callable[[float], str]) -> None:
    """Gives a log axis three to nine ticks at round values."""
    ticks: list[float] = []
    if high / low > 2.5:
        decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for grid in ([1], [1, 3], [1, 2, 5], [1, 1.5, 2, 3, 5, 7]):
            ticks = [step * 10.0**decade for decade in decades for step in grid]
            ticks = [tick for tick in ticks if low <= tick <= high]
            if len(ticks) >= 3:
                break
        ticks = ticks[:: math.ceil(len(ticks) / 9)]
    else:  # so narrow that it is nearly linear
        unit = 10.0 ** math.floor(math.log10(high - low))
        for step in (0.05 * unit, 0.1 * unit, 0.2 * unit, 0.5 * unit, unit):
            count = math.floor(high / step) - math.ceil(low / step) + 1
            if count <= 7:
                break
        first = math.ceil(low / step)
        ticks = [round((first + index) * step, 9) for index in range(count)]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FixedFormatter([write(tick) for tick in ticks]))
    axis.set_minor_locator(NullLocator())


def part_ticks(ax: Axes) -> None:
    """Leaves out labels of a log x axis that would touch, those about 1 last.

    Call it when all else is drawn: before, the width of the Axes is not known.
    """
    if ax.get_xscale() != "log":
        return
    ax.figure.draw_without_rendering()
    ticks = list(zip(ax.get_xticks(), ax.get_xticklabels(), strict=True))
    middle = min(range(len(ticks)), key=lambda index: abs(math.log(ticks[index][0])), default=0)
    kept = ticks[middle : middle + 1]
    for others in (ticks[middle + 1 :], ticks[:middle][::-1]):
        beside = kept[0][1] if kept else None
        for value, label in others:
            if _apart(label, beside):
                kept.append((value, label))
                beside = label
    kept.sort(key=lambda tick: tick[0])
    ax.xaxis.set_major_locator(FixedLocator([value for value, _ in kept]))
    ax.xaxis.set_major_formatter(FixedFormatter([label.get_text() for _, label in kept]))


def _apart(one: Text, other: Text) -> bool:
    """Whether two labels have as much as a letter between them."""
    boxes = [text.get_window_extent() for text in (one, other)]
    left, right = sorted(boxes, key=lambda box: box.x0)
    return right.x0 - left.x1 >= 0.7 * one.get_size() * one.figure.dpi / 72


def head(ax: Axes, title: str) -> None:
    """Puts a title over the Axes and what stands there, at its left end."""
    legend = ax.get_legend()
    pad = 10.0
    if legend is not None and legend.get_window_extent().y0 >= ax.bbox.y1 - 1:
        pad += legend.get_window_extent().height * 72 / ax.figure.dpi
    if title:
        ax.set_title(_filled(title, 58), loc="left", size=TEXT + 1.5, weight="bold", pad=pad)


def foot(ax: Axes, line: str) -> None:
    """Writes in small what ran it, below the x axis and its label; a line ends after a comma."""
    width = int(ax.figure.get_figwidth() * 10.5)
    lines = ax.get_xlabel().count("\n")
    held = line.replace(" ", HELD).replace("," + HELD, ", ")
    text = _filled(held, width).replace(HELD, " ")
    ax.annotate(
        text, (1, 0), xycoords="axes fraction", xytext=(0, -36 - 12 * lines),
        textcoords="offset points", ha="right", va="top", size=SMALL, color=GREY,
    )  # fmt: skip


def plain(ax: Axes) -> None:
    """Leaves of the frame what carries a scale."""
    ax.spines[["top", "right", "left"]].set_visible(False)
    ax.tick_params(axis="x", labelsize=NOTE, color=GREY)
    ax.grid(axis="x", color=BAND, lw=0.8)
    ax.set_axisbelow(True)


def say(ax: Axes, text: str) -> None:
    """Leaves what the figure says in words, for the readers who do not see it."""
    ax.set_label(text)


def wrapped(name: str, width: int = NAME_WIDTH) -> str:
    """Breaks a name into up to three lines."""
    return _filled(name, width, max_lines=3, placeholder=" …")


def _filled(text: str, width: int, **options: Any) -> str:
    """Breaks a text between its words only."""
    return textwrap.fill(text, width, break_long_words=False, break_on_hyphens=False, **options)


def us(nanoseconds: float) -> str:
    """Writes a time per example in microseconds with three figures."""
    return f"{three(nanoseconds / 1e3)} µs"


def three(value: float) -> str:
    """Writes a number with three figures, and none after a point beyond that."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"
