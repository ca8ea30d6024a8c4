"""Figures of where the time goes: bars in segments, and lanes of who is busy when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from matplotlib.axes import Axes

from helpers.measure import percent

from .axes import NOTE, TEXT, foot, name_rows, plain, say, three, wrapped, write_beside
from .palette import LANES, styles

if TYPE_CHECKING:  # helpers.study imports TensorFlow
    from helpers.study import Timeline


def stacked(
    ax: Axes,
    parts: Mapping[str, Mapping[str, float]],
    *,
    unit: str = "µs per example",
    provenance: str = "",
) -> Axes:
    """Draws where the time goes: one bar each, in labelled segments.

    Args:
        ax: Where.
        parts: For each bar its segments and how long each takes. A segment's name has one colour
            in all bars.
        unit: Of the values.
        provenance: What ran it, in one line.
    """
    names = list(dict.fromkeys(name for segments in parts.values() for name in segments))
    style = styles(names)
    longest = max(sum(segments.values()) for segments in parts.values())
    said = []
    for y, (bar, segments) in enumerate(parts.items()):
        left = 0.0
        for name, value in segments.items():
            ax.barh(y, value, left=left, color=style[name].colour, height=0.4, ec="white", lw=0.8)
            if value / longest > 0.06:  # over a narrower segment there is no room for its number
                ax.annotate(
                    three(value), (left + value / 2, y - 0.2), xytext=(0, 2), size=TEXT,
                    textcoords="offset points", ha="center", va="bottom",
                )  # fmt: skip
            left += value
        write_beside(ax, y, f"{three(left)} in all")
        listed = ", ".join(f"{name} {three(value)}" for name, value in segments.items())
        said.append(f"{bar}: {listed}")
    handles = [ax.barh(0, 0, color=style[name].colour) for name in names]
    columns = max(1, min(len(names), 90 // (max(map(len, names)) + 6)))
    ax.legend(
        handles, names, loc="lower left", bbox_to_anchor=(0, 1), ncols=columns, frameon=False,
        fontsize=TEXT, handlelength=1, handleheight=1, borderpad=0,
    )  # fmt: skip
    ax.set_xlim(0, longest)
    ax.set_xlabel(unit, size=NOTE)
    name_rows(ax, list(parts))
    foot(ax, provenance)
    say(ax, f"Where the time goes, in {unit}. {'; '.join(said)}.")
    return ax


def timeline(ax: Axes, *timelines: Timeline) -> Axes:
    """Draws who is busy when: a lane each for the generator, the waiting loop and the consumer.

    Args:
        ax: Where.
        *timelines: One or more, drawn one below the other on the same scale of time.
    """
    longest = max(one.duration_ns for one in timelines) / 1e6
    y = 0
    ticks: list[tuple[int, str]] = []
    said = []
    for one in timelines:
        each = f"{three(one.duration_ns / one.elements / 1e6)} ms an element"
        ax.text(
            0, y + 0.45, f"{wrapped(one.label, 70)}\n{each}", size=TEXT, va="bottom", weight="bold"
        )
        lanes = []
        for name, colour in LANES.items():
            spans = [
                (stretch.start_ns / 1e6, (stretch.end_ns - stretch.start_ns) / 1e6)
                for stretch in one.lane(name)
            ]
            if not spans:
                continue
            y += 1
            ax.broken_barh(spans, (y - 0.4, 0.8), color=colour, ec="white", lw=0.3)
            lanes.append(f"{name} {percent(one.busy_ns(name) / one.duration_ns)}")
            ticks.append((y, lanes[-1]))
        said.append(f"{one.label}: {each}; busy: {', '.join(lanes)}")
        y += 2
    ax.set_ylim(y - 1.4, -1)
    ax.set_yticks([place for place, _ in ticks], [text for _, text in ticks], size=TEXT)
    ax.tick_params(axis="y", length=0)
    ax.set_xlim(0, longest)
    ax.set_xlabel("ms", size=NOTE)
    plain(ax)
    foot(ax, timelines[0].machine.line)
    say(ax, f"Who is busy when. {'. '.join(said)}.")
    return ax
