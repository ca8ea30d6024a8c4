"""The running pipeline as a graph: its steps, what passes between them, and where the time goes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.patches import FancyBboxPatch

from helpers.measure import percent

from .axes import NOTE, SMALL, TEXT, say, three, us
from .palette import GREY, INK, VERMILLION
from .picture import WIDTH, Picture, figure

if TYPE_CHECKING:  # helpers.diagnose imports TensorFlow
    from helpers.diagnose import Node, XRay

_WIDE, _HIGH, _BETWEEN, _PITCH = 2.1, 0.46, 0.7, 0.86
"""A box's width and height, the space beside it, and from one to the next below; about inches."""

_DARKEST = 0.5
"""Share of colour in the box that takes all of the time; words on it must stay readable."""

_REWRITTEN = {
    "added": "added by TensorFlow",
    "fused": "fused by TensorFlow",
    "made parallel": "made parallel by TensorFlow",
}


@dataclass
class _Step:
    """A node in its place in the tree; `alike` counts its twins, of which one is drawn."""

    node: Node
    inputs: list[_Step] = field(default_factory=list)
    alike: int = 1

    @property
    def names(self) -> tuple[object, ...]:
        return (self.node.name, *(one.names for one in self.inputs))

    @property
    def spent_ns(self) -> float:
        return self.node.processing_ns + sum(one.spent_ns for one in self.inputs)


def graph(seen: XRay, title: str = "") -> Picture:
    """Shows an X-ray as a graph, with its table folded beneath.

    Args:
        seen: The X-ray.
        title: What stands over it.
    """
    rows = 1 + max(node.depth for node in seen.nodes)
    drawn = figure(nodes, seen.nodes, height=0.75 + _PITCH * rows, title=title)
    folded = f"<details><summary>The same as a table</summary>{seen._repr_html_()}</details>"
    return Picture(drawn.figure, drawn.alt, folded)


def nodes(ax: Axes, steps: Sequence[Node]) -> Axes:
    """Draws a pipeline's nodes from the source down to the consumer.

    Args:
        ax: Where.
        steps: From the consumer back, as `helpers.diagnose.xray` gives them.
    """
    root = _tree(steps)
    whole = max(1.0, root.spent_ns)
    rows = 1 + max(node.depth for node in steps)
    busiest = max(steps, key=lambda node: node.processing_ns)
    columns = _draw(ax, root, 0, rows, whole)
    foot = rows * _PITCH
    _arrow(ax, 0, foot - _PITCH + _HIGH, foot, root.node)
    ax.text(_WIDE / 2, foot + 0.03, "the consumer", ha="center", va="top", size=NOTE)
    ax.text(
        _WIDE + 1.1, foot + 0.03, "colour: share of the steps' own time, as TensorFlow counts it",
        va="top", size=SMALL, color=GREY,
    )  # fmt: skip
    ax.set_xlim(-0.05, max(columns * (_WIDE + _BETWEEN), WIDTH - 0.3))
    ax.set_ylim(foot + 0.25, -0.05)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.axis("off")
    said = [
        f"{node.name} {_time(node.each_ns)} each"
        + (" (the busiest)" if node is busiest else "")
        + (f", {_REWRITTEN[node.rewrite]}" if node.rewrite else "")
        + (f", gives {node.gives}" if node.gives else "")
        for node in steps
    ]
    say(ax, f"The data set's steps, from the consumer back: {'; '.join(said)}.")
    return ax


def _tree(steps: Sequence[Node]) -> _Step:
    """The nodes as a tree, of several equal inputs only one."""
    path: list[_Step] = []
    for node in steps:
        step = _Step(node)
        del path[node.depth :]
        if path:
            path[-1].inputs.append(step)
        path.append(step)
    _merge(path[0])
    return path[0]


def _merge(step: _Step) -> None:
    kept: dict[tuple[object, ...], _Step] = {}
    for one in step.inputs:
        if one.names in kept:
            kept[one.names].alike += 1
        else:
            kept[one.names] = one
    step.inputs = sorted(kept.values(), key=lambda one: -one.spent_ns)
    for one in step.inputs:
        _merge(one)


def _draw(ax: Axes, step: _Step, column: int, rows: int, whole: float) -> int:
    """Draws a step and what is above it; returns the columns that are taken then."""
    node = step.node
    x, y = column * (_WIDE + _BETWEEN), (rows - 1 - node.depth) * _PITCH
    share = node.processing_ns / whole
    edge = {"lw": 2.0 if node.rewrite == "fused" else 1.0, "ls": "--" if node.rewrite else "-"}
    ax.add_patch(
        FancyBboxPatch(
            (x, y), _WIDE, _HIGH, boxstyle="round,pad=0,rounding_size=0.06",
            fc=_shade(share), ec=GREY, **edge,
        )
    )  # fmt: skip
    name = f"{node.name} × {step.alike}" if step.alike > 1 else node.name
    ax.text(x + 0.1, y + 0.06, name, va="top", size=TEXT, weight="bold", color=INK)
    spent = f"{_time(node.each_ns)} each, {percent(share)}" if node.elements else "ran before"
    ax.text(x + 0.1, y + _HIGH - 0.06, spent, va="bottom", size=SMALL, color=INK)
    if node.rewrite:
        ax.text(
            x + _WIDE + 0.1, y + _HIGH / 2, _REWRITTEN[node.rewrite], va="center", size=SMALL,
            style="italic", color=INK,
        )  # fmt: skip
    taken = column + 1
    for place, one in enumerate(step.inputs):
        above = column if place == 0 else taken
        taken = max(taken, _draw(ax, one, above, rows, whole))
        top = y - _PITCH + _HIGH
        if place == 0:
            _arrow(ax, column, top, y, one.node)
        else:
            _line(
                ax,
                (above * (_WIDE + _BETWEEN) + _WIDE / 2, top),
                (x + _WIDE, y + _HIGH / 2),
                connectionstyle="angle,angleA=90,angleB=0,rad=0",
            )
    return taken


def _arrow(ax: Axes, column: int, top: float, bottom: float, node: Node) -> None:
    """Draws what a node passes on."""
    x = column * (_WIDE + _BETWEEN) + _WIDE / 2
    _line(ax, (x, top), (x, bottom))
    size = f"{_bytes(node.element_bytes)} each" if node.element_bytes else ""
    passed = ", ".join(part for part in (node.gives, size) if part)
    ax.text(x + 0.1, (top + bottom) / 2, passed, va="center", size=SMALL, color=INK)


def _line(ax: Axes, start: tuple[float, float], end: tuple[float, float], **course: str) -> None:
    look = {"arrowstyle": "->", "color": GREY, "shrinkA": 0, "shrinkB": 0, **course}
    ax.annotate("", end, start, zorder=0, arrowprops=look)


def _time(ns: float) -> str:
    return f"{three(ns / 1e6)} ms" if ns >= 1e6 else us(ns)


def _shade(share: float) -> tuple[float, ...]:
    return tuple(1 - _DARKEST * share * (1 - part) for part in to_rgb(VERMILLION))


def _bytes(size: float) -> str:
    for unit, factor in (("MB", 1e6), ("KB", 1e3)):
        if size >= factor:
            return f"{three(size / factor)} {unit}"
    return f"{size:.0f} B"
