"""What a measurement gave, covered until the reader has predicted it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets
from IPython.core.formatters import DisplayFormatter

from .frame import Frame
from .picture import Picture

_HERE = Path(__file__).parent


class _Cover(anywidget.AnyWidget):
    """Uncovers what lies beneath it, once the question is settled.

    That is in the browser: a message to a kernel that runs cells waits until they are done.
    """

    _esm = _HERE / "covered.js"
    _css = _HERE / "prediction.css"
    question = traitlets.Instance(widgets.Widget).tag(sync=True, **widgets.widget_serialization)


class Covered(Frame):
    """A result that stays out of sight until its question is settled.

    What a saved notebook shows of it is for readers without a kernel, who came for the figures:
    pictures stay in sight there, what says the result in words is behind a click. As soon as one
    question of a notebook is live, the stored results in it go out of sight too, so that nobody
    who is about to measure reads the answer off somebody else's run.
    """

    def __init__(self, question: widgets.Widget, shown: Sequence[Any]) -> None:
        """Covers it.

        Args:
            question: The widget of the question; its `shown` says whether it is settled.
            shown: What the cell found: pictures, tables, sentences, widgets.
        """
        self._question, self._all = question, tuple(shown)
        self._beneath = widgets.VBox([_live(one) for one in shown], layout={"display": "none"})
        self._beneath.add_class("wb-beneath")
        super().__init__([_Cover(question=question), self._beneath], "wb-result")

    def saved(self) -> str:
        """The pictures, and the rest behind a click unless the reader has seen it."""
        parts = []
        for one in self._all:
            part = one.saved() if isinstance(one, Frame) else _html(one)
            if not (self._question.shown or isinstance(one, (Frame, Picture))):
                part = f"<details><summary>What was found</summary>{part}</details>"
            parts.append(part)
        kind = "wb-opened" if self._question.shown else "wb-unopened"
        return f'<div class="{kind}">{"".join(parts)}</div>'

    def __repr__(self) -> str:
        """Says what it is, where ipywidgets would list its traits."""
        return "A result, covered until it is predicted."


def _live(one: Any) -> widgets.Widget:
    if isinstance(one, widgets.Widget):
        return one
    return widgets.HTML(_html(one)).add_class("jp-RenderedHTMLCommon")


def _html(one: Any) -> str:
    if isinstance(one, str):
        return f"<p>{html.escape(one)}</p>"
    bundle, _ = DisplayFormatter().format(one)
    return bundle.get("text/html") or f"<pre>{html.escape(bundle['text/plain'])}</pre>"
