"""A figure of notebook width that displays sharply, with its words for those who do not see it."""

from __future__ import annotations

import base64
import html
import io
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

from . import plots
from .axes import head, part_ticks

WIDTH = 7.7
"""Inches; at 96 pixels to the inch a figure is as wide as the output of a notebook at 1200."""

DARKENED = "invert(0.933) hue-rotate(180deg)"
"""As CSS: what turns a figure made for white paper into one for JupyterLab's dark page, #111. Hues
stay, so that a pipeline keeps its colour."""

_IN_A_NOTEBOOK = (
    "<style>:is(body[data-jp-theme-light='false'], body.vscode-dark) img.wb-drawn "
    f"{{ filter: {DARKENED}; }}</style>"
)
_IN_A_FILE = (
    f"<style>@media (prefers-color-scheme: dark) {{ svg {{ filter: {DARKENED}; }} }}</style>"
)

_SVG_SETTINGS = threading.Lock()


class Picture:
    """A drawn figure, as a notebook shows it.

    Attributes:
        figure: The matplotlib Figure; it belongs to no global state, so nothing needs closing.
        alt: What it says, in words.
        beneath: HTML that a notebook shows under it.
    """

    def __init__(self, figure: Figure, alt: str, beneath: str = "") -> None:
        """Keeps all three."""
        self.figure = figure
        self.alt = alt
        self.beneath = beneath

    def png(self) -> bytes:
        """Renders it at two pixels for each of the screen's, without date or version."""
        drawn, packed = io.BytesIO(), io.BytesIO()
        self.figure.savefig(drawn, format="png", dpi=192)
        # 256 colours are more than the eye sees here, and a third of the bytes.
        Image.open(drawn).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
            packed, format="png", optimize=True
        )
        return packed.getvalue()

    def svg(self) -> bytes:
        """Renders it as SVG: the same figure gives the same bytes on every machine."""
        file = io.BytesIO()
        with _SVG_SETTINGS, matplotlib.rc_context({"svg.hashsalt": "workbook"}):
            self.figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
        head, start, rest = file.getvalue().partition(b" <metadata>")
        return head + f" {_IN_A_FILE}\n".encode() + start + rest

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Writes it as the .svg or .png that the path ends in, and returns the path.

        Raises:
            ValueError: If the path ends otherwise.
        """
        path = Path(path)
        render = {".svg": self.svg, ".png": self.png}.get(path.suffix)
        if render is None:
            raise ValueError(f"{path.name} must end in .svg or .png.")
        path.write_bytes(render())
        return path

    def html(self) -> str:
        """The figure as an `<img>` that holds its own data."""
        data = base64.b64encode(self.png()).decode()
        return (
            f'{_IN_A_NOTEBOOK}<img class="wb-drawn" src="data:image/png;base64,{data}" '
            f'alt="{html.escape(self.alt)}" '
            f'width="{self.figure.get_figwidth() * 96:.0f}" style="max-width:100%;height:auto">'
            f"{self.beneath}"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        # HTML, because JupyterLab gives the alt text of an image/png output to nobody.
        return {"text/plain": self.alt, "text/html": self.html()}


def figure(
    draw: Callable[..., Axes],
    *saved: Any,
    width: float = WIDTH,
    height: float | None = None,
    title: str = "",
    **options: Any,
) -> Picture:
    """Draws saved results at the width of a notebook: `figure(plots.ratios, measurement)`.

    Args:
        draw: A function of `plots`, or any that draws onto the Axes it is given first.
        *saved: What it draws.
        width: In inches.
        height: In inches; made to fit the rows unless given.
        title: What stands over it in place of what the drawing would say.
        **options: Passed on to `draw`.
    """
    height = height or _height(draw, saved) + 0.3 * bool(title)
    drawn = Figure((width, height), layout="constrained")
    drawn.get_layout_engine().set(w_pad=0.08, h_pad=0.08)
    ax = draw(drawn.subplots(), *saved, **options)
    head(ax, title)
    part_ticks(ax)
    return Picture(drawn, ax.get_label())


def _height(draw: Callable[..., Axes], saved: tuple[Any, ...]) -> float:
    if draw in (plots.ratios, plots.cold):
        return 1.5 + 0.52 * len(saved[0].arms)
    if draw is plots.ladder:
        return 1.5 + 0.52 * len(saved[0])
    if draw is plots.single_passes:
        return 2.3
    if draw is plots.stacked:
        return 1.35 + 0.52 * len(saved[0])
    if draw is plots.trials:
        return max(3.4, 0.8 + 0.51 * len(saved[0].arms))  # names have up to three lines
    if draw is plots.timeline:
        return 0.7 + 1.35 * len(saved)
    return 3.4
