"""Timelines to step through, element by element, several at once on one scale of time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import anywidget
import traitlets

from helpers.measure import percent

from . import plots
from .axes import three
from .frame import Frame
from .palette import LANES
from .picture import figure

if TYPE_CHECKING:  # helpers.study imports TensorFlow
    from helpers.study import Timeline


class _Lanes(anywidget.AnyWidget):
    """Draws the lanes and takes the keys."""

    _esm = Path(__file__).with_suffix(".js")
    shown = traitlets.Dict().tag(sync=True)


class Timelines(Frame):
    """Who is busy when: press ← and → to go from element to element in all timelines at once."""

    def __init__(self, *timelines: Timeline, title: str = "") -> None:
        """Shows recorded timelines one below the other.

        Args:
            timelines: One or more.
            title: What stands over them.

        Raises:
            ValueError: If there is none.
        """
        if not timelines:
            raise ValueError("there is no timeline to show: record one or more.")
        self._timelines, self._title = timelines, title
        shown = {
            "title": title,
            "colours": LANES,
            "longest": max(one.duration_ns for one in timelines) / 1e6,
            "timelines": [_told(one) for one in timelines],
            "machine": timelines[0].machine.line,
        }
        super().__init__([_Lanes(shown=shown)], "wb-timelines")

    def saved(self) -> str:
        """The figure, for a reader without a kernel."""
        return figure(plots.timeline, *self._timelines, title=self._title).html()

    def __repr__(self) -> str:
        """Says what it is, where ipywidgets would list its traits."""
        return f"Timelines: {'; '.join(one.label for one in self._timelines)}"


def _told(timeline: Timeline) -> dict[str, Any]:
    """A timeline as plain values, in milliseconds."""
    return {
        "label": timeline.label,
        "each": f"{three(timeline.duration_ns / timeline.elements / 1e6)} ms an element",
        "elements": timeline.elements,
        "lanes": [
            {
                "name": name,
                "busy": percent(timeline.busy_ns(name) / timeline.duration_ns),
                "spans": [[one.start_ns / 1e6, one.end_ns / 1e6] for one in timeline.lane(name)],
            }
            for name in LANES
            if timeline.lane(name)
        ],
    }
