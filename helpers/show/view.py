"""The lower half of the panel: the gathered runs as a table, as files to save, as a figure."""

from __future__ import annotations

import ipywidgets as widgets

from . import page, plots
from .gather import Runs
from .picture import figure


class RunsView:
    """Shows the runs; its heights are reserved, so that nothing above or in it moves.

    Attributes:
        parts: The widgets, from the top.
    """

    def __init__(self) -> None:
        """Makes it, without runs."""
        self._table = html_box("wb-table", height="150px", overflow="auto")
        self._export = html_box("wb-export", min_height="28px")
        self._figure = html_box("wb-figure", min_height="250px")
        self.parts = [self._table, self._export, self._figure]
        self._table.value = Runs().table()
        self._export.value = page.faint("The table gathers every run of the session.")
        self._figure.value = page.faint("The figure appears with the first run.")

    def show(self, gathered: Runs) -> None:
        """Shows one run or more; it only sets traits, so a thread may call it."""
        measured = gathered.runs[-1].measurement
        picture = figure(plots.ladder, gathered.ladder(), measured.provenance)
        self._figure.value = picture.html()
        self._table.value = gathered.table()
        self._export.value = (
            page.download(gathered.csv(), "runs.csv", "text/csv", "Save as CSV")
            + page.download(gathered.json(), "runs.json", "application/json", "Save as JSON")
            + page.faint("Ratios of different runs share only the baseline.")
        )


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
