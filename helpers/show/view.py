"""The panel's runs as a list that is figure and table in one, the run under way in it."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from pathlib import Path

import anywidget
import ipywidgets as widgets
import traitlets

from helpers.measure import Ratio, percent

from . import page
from .axes import us
from .gather import Run, Runs
from .intervals import Row, Scale, interval
from .palette import BLACK

_HERE = Path(__file__).parent
_WIDTH = 200
"""Of an interval, in CSS pixels; two columns of a panel have room for it."""


class RunsList(anywidget.AnyWidget):
    """The runs, the latest first; a reader ticks two, or has the toggles of one back."""

    _esm = (_HERE / "runs.js").read_text(encoding="utf-8")
    _css = (_HERE / "panel.css").read_text(encoding="utf-8")
    rows = traitlets.List(traitlets.Dict()).tag(sync=True)
    ticked = traitlets.List(traitlets.Int()).tag(sync=True)
    head = traitlets.Unicode().tag(sync=True)
    empty = traitlets.Unicode("No run yet: set the toggles, then press Measure.").tag(sync=True)


class RunsView:
    """Shows the runs; its height is reserved, so that nothing moves.

    Attributes:
        list: The runs.
        export: Links to save them.
    """

    def __init__(self, title: str, recall: Callable[[int], None], near: Callable[[], None]) -> None:
        """Makes it, without runs.

        Args:
            title: Of the panel; files are named after it.
            recall: Called with the number of a run whose toggles are wanted back.
            near: Called when a reader comes to the panel.
        """
        self._file = re.sub(r"\W+", "-", title.lower()).strip("-")[:40].rstrip("-") or "panel"
        self._gathered = Runs()
        self._scale: Scale | None = None
        self.list = RunsList().add_class("wb-figure")
        self.export = html_box("wb-export")

        def told(widget: widgets.Widget, content: dict, buffers: list) -> None:
            if "recall" in content:
                recall(content["recall"])
            elif "near" in content:
                near()

        self.list.on_msg(told)

    def show(self, gathered: Runs) -> None:
        """Shows the runs; it only sets traits, so a thread may call it."""
        self._gathered = gathered
        self._scale = None
        self._draw([_row(run) for run in reversed(gathered.runs)])
        if not gathered.runs:
            return
        latest = gathered.runs[-1]
        stamp = re.sub(r"\D", "", latest.when)
        name = f"{self._file}-{len(gathered.runs)}-runs-{stamp}"  # no two exports are called alike
        self.export.value = page.download(
            gathered.csv(), f"{name}.csv", "text/csv", "Save as CSV"
        ) + page.download(gathered.json(), f"{name}.json", "application/json", "Save as JSON")

    def running(self, number: int, name: str, ratio: Ratio | None, floor: Ratio | None) -> None:
        """Shows the run under way above the others, with its interval so far.

        Args:
            number: It will have.
            name: What it measures.
            ratio: So far; None before there is one.
            floor: The noise floor so far.
        """
        said = f"{interval(ratio)}<small>so far</small>" if ratio else "<small>measuring …</small>"
        row = Row(ratio, floor, BLACK) if ratio and floor else None
        first = _Shown(number, f"<b>{number}</b> {html.escape(name)}", "Under way", row, said, True)
        self._draw([first, *(_row(run) for run in reversed(self._gathered.runs))])

    def _draw(self, shown: list[_Shown]) -> None:
        rows = [one.row for one in shown if one.row is not None]
        if rows:
            scale = Scale(rows, _WIDTH)
            # While a run is under way the scale only widens: the other intervals stay in place.
            self._scale = scale.widened(self._scale) if shown[0].running else scale
            axis = self._scale.axis()
        else:
            axis = ""
        self.list.head = f'<span>speed ÷ baseline’s</span><div class="wb-drawn">{axis}</div>'
        self.list.rows = [one.packed(self._scale) for one in shown]


class _Shown:
    """A row of the list."""

    def __init__(
        self, number: int, name: str, hint: str, row: Row | None, said: str, running: bool = False
    ) -> None:
        self.number, self.name, self.hint = number, name, hint
        self.row, self.said, self.running = row, said, running

    def packed(self, scale: Scale | None) -> dict[str, object]:
        drawn = scale.draw(self.row) if scale is not None and self.row is not None else ""
        return {
            "number": self.number, "name": self.name, "hint": self.hint, "drawn": drawn,
            "said": self.said, "running": self.running,
        }  # fmt: skip


def _row(run: Run) -> _Shown:
    measured = run.measurement
    against = "" if run.against is None else f" ÷ run {run.against}"
    each = f"{us(measured.ns_per_example(run.arm))} per example"
    stall = measured.stall(run.arm)
    if stall < 0.95:  # an idle consumer only waits: nothing to tell
        each += f", waiting {percent(stall)}"
    name = f"<b>{run.number}</b> {html.escape(run.name)}{against}<small>{each}</small>"
    changes = "; ".join(run.changes) or "nothing differs from the baseline"
    hint = f"Set the toggles as in run {run.number}, of {run.when}: {changes}; {run.setting}"
    row = Row(run.ratio, measured.floor(), BLACK)
    said = f"{interval(run.ratio)}<small>{run.words}</small>"
    return _Shown(run.number, name, hint, row, said)


def html_box(name: str, **layout: str) -> widgets.HTML:
    """A place for HTML, with a CSS class of its own."""
    return widgets.HTML(layout=layout).add_class(name)


def button(
    label: str, style: str, tooltip: str, name: str, *, flex: str = "1 1 0"
) -> widgets.Button:
    """A button with a CSS class of its own."""
    made = widgets.Button(
        description=label, button_style=style, tooltip=tooltip, layout={"flex": flex}
    )
    return made.add_class(name)
