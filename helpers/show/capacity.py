"""How many workers: the rates that a capacity allows, what was measured on them, and sliders."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import ipywidgets as widgets
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from . import page
from .axes import NOTE, TEXT, head, plain, say, three
from .frame import Frame
from .palette import BLUE, GREY, MID, VERMILLION
from .picture import Picture, figure
from .view import html_box

if TYPE_CHECKING:  # helpers.scale imports TensorFlow
    from helpers.scale import Capacity


def rates(
    ax: Axes,
    capacity: Capacity,
    measured: Mapping[int, float] | None = None,
    *,
    most: int = 12,
    simulate: bool = True,
) -> Axes:
    """Draws the rate of each number of workers, where it is limited, and what was measured.

    Args:
        ax: Where.
        capacity: What an element costs each who takes part.
        measured: Elements a second by the number of workers.
        most: The largest number of workers.
        simulate: Whether the rates of simulated runs are drawn, too.
    """
    measured = dict(measured or {})
    numbers = range(1, max(most, *measured, 1) + 1)
    limits = [capacity.at(number) for number in numbers]
    ax.plot(numbers, [limit.rate for limit in limits], color=BLUE, lw=1.8, label="by the law")
    if simulate:
        ax.plot(
            numbers, [capacity.simulated(number) for number in numbers],
            color=MID, lw=1.2, ls="--", label="simulated, times that vary",
        )  # fmt: skip
    if measured:
        ax.plot(
            list(measured), list(measured.values()), "o", color=VERMILLION, ms=7, label="measured"
        )
    best = capacity.advised
    if best <= numbers[-1]:
        ax.axvline(best, color=GREY, lw=0.9, ls=":")
        ax.annotate(
            f"{best} advised", (best, 0), xycoords=("data", "axes fraction"), xytext=(4, 5),
            textcoords="offset points", size=NOTE, color=GREY,
        )  # fmt: skip
    changes = [one for one, before in zip(limits[1:], limits, strict=False) if one.by != before.by]
    for limit in [limits[0], *changes]:
        ax.annotate(
            limit.by, (limit.workers, limit.rate), xytext=(4, -12), textcoords="offset points",
            size=NOTE, color=GREY,
        )  # fmt: skip
    plain(ax)
    ax.grid(axis="y", color="#E4E4E4", lw=0.8)
    ax.set_ylim(bottom=0)
    ax.set_xlim(0.5, numbers[-1] + 0.5)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.tick_params(axis="y", labelsize=NOTE, length=0)
    ax.set_xlabel("workers", size=NOTE)
    ax.set_ylabel("elements a second", size=NOTE)
    ax.legend(fontsize=TEXT, loc="center left", bbox_to_anchor=(1, 0.5), frameon=False)
    head(ax, "What one more worker brings")
    said = "; ".join(f"{limit.workers}: {three(limit.rate)} by {limit.by}" for limit in limits)
    points = "; ".join(f"{number}: {three(rate)}" for number, rate in measured.items())
    say(
        ax,
        f"Elements a second by the number of workers, with the limit: {said}."
        + (f" Measured: {points}." if points else "")
        + f" Advised: {best}.",
    )
    return ax


_MILLISECONDS = {
    "worker_s": "A worker takes, ms",
    "client_s": "The client takes, ms",
    "consumer_s": "A step takes, ms",
}


class CapacitySliders(Frame):
    """Sliders for what an element costs, and the figure of what so many workers give.

    Attributes:
        capacity: As the sliders stand.
        sliders: By the name of what they set.
    """

    def __init__(
        self, capacity: Capacity, measured: Mapping[int, float] | None = None, *, most: int = 12
    ) -> None:
        """Shows a capacity.

        Args:
            capacity: Where the sliders begin.
            measured: As for `rates`.
            most: As for `rates`.
        """
        self._first, self.capacity = capacity, capacity
        self._measured, self._most = dict(measured or {}), most
        style, layout = {"description_width": "150px"}, {"width": "auto"}
        self.sliders: dict[str, widgets.Widget] = {
            name: widgets.FloatLogSlider(
                value=max(1e3 * getattr(capacity, name), 1e-2), min=-2, max=3, step=0.05,
                description=said, readout_format=".3g", style=style, layout=layout,
            )
            for name, said in _MILLISECONDS.items()
        }  # fmt: skip
        self.sliders["busy"] = widgets.FloatSlider(
            value=round(capacity.busy_s / capacity.worker_s, 2), min=0, max=1, step=0.05,
            description="of that on a core", readout_format=".0%", style=style, layout=layout,
        )  # fmt: skip
        self.sliders["cores"] = widgets.Dropdown(
            options=[("a machine for each worker", None)] + [(f"{n}", n) for n in (1, 2, 4, 8, 16)],
            value=capacity.cores if capacity.cores in (1, 2, 4, 8, 16) else None,
            description="Cores of one machine", style=style, layout=layout,
        )  # fmt: skip
        self._began = {name: self.sliders[name].value for name in _MILLISECONDS}
        for slider in self.sliders.values():
            slider.observe(lambda change: self._draw(), "value")
        self._said = html_box("wb-message")
        self._figure = html_box("wb-figure", flex="1 1 380px", min_width="0", min_height="260px")
        left = widgets.VBox(list(self.sliders.values()), layout={"flex": "0 0 330px"})
        super().__init__(
            [
                widgets.HTML(page.STYLE),
                widgets.HBox([left, self._figure], layout={"flex_flow": "row wrap"}),
                self._said,
            ],
            "wb-capacity",
        )
        self._draw()

    @property
    def picture(self) -> Picture:
        """The figure as it stands."""
        return figure(rates, self.capacity, self._measured, most=self._most, width=5.4, height=2.9)

    def _draw(self) -> None:
        seconds = {
            name: self.sliders[name].value / 1e3
            if self._moved(name)
            else getattr(self._first, name)
            for name, slider in self.sliders.items()
            if name in _MILLISECONDS
        }
        self.capacity = replace(
            self._first,
            **seconds,
            busy_s=self.sliders["busy"].value * seconds["worker_s"],
            consumer_busy_s=min(self._first.consumer_busy_s, seconds["consumer_s"]),
            cores=self.sliders["cores"].value,
        )
        self._figure.value = self.picture.html()
        self._said.value = page.note(html.escape(str(self.capacity)))
        self.save()

    def _moved(self, name: str) -> bool:
        """Whether a slider says something else than it did at first, when it could not say 0."""
        return abs(self.sliders[name].value - self._began[name]) > 1e-9

    def saved(self) -> str:
        """The figure and what it says."""
        return self.picture.html() + f"<p>{html.escape(str(self.capacity))}</p>"
