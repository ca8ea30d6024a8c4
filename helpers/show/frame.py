"""What every widget of the workbook shares: it keeps the keys to itself, and can be saved."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import anywidget
import ipywidgets as widgets
from IPython.display import HTML, display, update_display

_BESIDE = ".jp-OutputArea-child:has(.wb-saved)"
_LIVE = ".jp-OutputArea-child .wb-frame"
_ONE_OF_TWO = f"""<style>
{_BESIDE}:has(+ {_LIVE}) {{ display: none; }}
{_BESIDE} + .jp-OutputArea-child:not(:has(.wb-frame)) {{ display: none; }}
</style>"""
"""Of a frame's two outputs one is seen: the live one, or once its kernel is gone the saved one, in
place of JupyterLab's "model not found"."""


class _Guard(anywidget.AnyWidget):
    """Lives in a frame and sees to what CSS cannot.

    JupyterLab looks for the mark at the element that has the focus first, so each gets its own.
    Source: `matchKeyBinding` in @lumino/commands.
    """

    _esm = """
    export default {
      render({ el }) {
        el.style.display = "none";
        const settle = () => {
          const frame = el.closest(".wb-frame");
          if (!frame) return requestAnimationFrame(settle);
          frame.addEventListener("focusin", (event) =>
            event.target.setAttribute("data-lm-suppress-shortcuts", "true"));
          for (const place of frame.querySelectorAll(".wb-status, .wb-message, .wb-why"))
            place.setAttribute("aria-live", "polite");
          new MutationObserver(() => dead(frame)).observe(frame, { attributeFilter: ["class"] });
        };
        const dead = (frame) => {  // its kernel was restarted: nothing answers any more
          if (!frame.classList.contains("jupyter-widgets-disconnected")) return;
          for (const one of frame.querySelectorAll("button, select, input")) one.disabled = true;
          for (const place of frame.querySelectorAll(".wb-status, .wb-count, .wb-running"))
            place.textContent = "";
          for (const place of frame.querySelectorAll(".wb-message"))
            place.textContent = "The kernel was restarted: run this cell again to go on.";
        };
        requestAnimationFrame(settle);
      },
    };
    """


class Frame(widgets.VBox):
    """A widget that a saved notebook still shows, and in which keys belong to what has the focus.

    It makes two outputs, its own view and HTML for a reader without a kernel; a style sheet shows
    one of them. `saved` gives the HTML, and `save` replaces it when there is more to keep.
    """

    def __init__(self, children: Sequence[widgets.Widget], name: str) -> None:
        """Frames some widgets.

        Args:
            children: From the top.
            name: The CSS class of this kind of frame.
        """
        super().__init__([_Guard(), *children], layout={"width": "auto"})
        self.add_class("wb-frame")
        self.add_class(name)
        self._output = uuid.uuid4().hex
        self._shown = False

    def saved(self) -> str:
        """The HTML that stands for it in a saved notebook."""
        raise NotImplementedError

    def save(self) -> None:
        """Brings the HTML in the notebook up to date; a thread may call it."""
        if self._shown:
            update_display(self._html(), display_id=self._output)

    def _html(self) -> HTML:
        return HTML(f'<div class="wb-saved">{_ONE_OF_TWO}{self.saved()}</div>')

    def _ipython_display_(self, **kwargs: Any) -> None:
        display(self._html(), display_id=self._output)
        display(self._repr_mimebundle_(**kwargs), raw=True)
        self._shown = True
