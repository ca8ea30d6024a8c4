"""A panel whose work is done in a thread of this process: for what exists in the notebook only."""

from __future__ import annotations

import threading
from collections.abc import Callable

import ipywidgets as widgets

from . import page
from .frame import Frame
from .view import button, html_box
from .working import Work, attempt


class Task(Frame):
    """A bar, a status, a message and a Cancel button; the panel answers while it works.

    Attributes:
        cancel_button: Ends what runs.
    """

    def __init__(self, title: str, kind: str, *, message_height: str) -> None:
        """Makes the panel of `_rows`; nothing runs yet.

        Args:
            title: What it is about, by which it is known.
            kind: Its CSS class.
            message_height: The least of the message, so that nothing moves.
        """
        Work.end(title)  # of the panel that this cell showed before
        self._title = title
        self._work: Work | None = None
        self._error: BaseException | None = None
        self.cancel_button = button("Cancel", "", "End it without a result", "wb-cancel")
        self.cancel_button.on_click(lambda button: self.cancel())
        self._bar = widgets.FloatProgress(value=0, max=1, layout={"width": "auto"})
        self._bar.add_class("wb-progress")
        self._status = html_box("wb-status", height="42px")
        self._message = html_box("wb-message", min_height=message_height)
        super().__init__(self._rows(), "wb-panel")
        self.add_class(kind)

    def _rows(self) -> list[widgets.Widget]:
        """What the panel shows, from the top."""
        raise NotImplementedError

    def _enable(self) -> None:
        """Enables what fits."""
        raise NotImplementedError

    @property
    def _busy(self) -> bool:
        return self._work is not None and not self._work.done

    def cancel(self) -> None:
        """Ends what runs; the button does this."""
        if self._work is not None:
            self._work.cancelled.set()

    def _start(self, function: Callable[[threading.Event], str], message: str) -> None:
        """Starts something, unless something runs.

        Args:
            function: Called in a thread with the flag that cancels, when its turn has come; returns
                the last line of the status. It only sets traits.
            message: What stands in the panel meanwhile.
        """
        if self._busy:
            return
        self._error = None
        self._bar.value, self._bar.bar_style = 0, "info"
        self._status.value = page.faint("Starting …")
        self._message.value = page.note(message)

        def guarded(cancelled: threading.Event) -> None:
            self._error = attempt(
                lambda: function(cancelled), self._message, self._finish,
                cancelled=cancelled, wait=lambda words: self._tell(words, 0.0),
                if_cancelled="Cancelled; nothing was concluded.",
            )  # fmt: skip

        self._work = Work(guarded, self._enable, name=self._title)
        self._enable()

    def _wait(self) -> None:
        """Waits for the end of what runs.

        Raises:
            RuntimeError: If it was cancelled.
            Exception: Whatever it failed with.
        """
        self._work.wait()
        if self._error is not None:
            raise self._error
        if self._work.cancelled.is_set():
            raise RuntimeError("it was cancelled before it had a result.")

    def _tell(self, words: str, share: float) -> None:
        self._bar.value = min(1.0, share)
        self._status.value = page.faint(f"{words[:1].upper()}{words[1:]} …")

    def _finish(self, bar_style: str, status: str) -> None:
        self._bar.bar_style = bar_style
        self._bar.value = 1 if bar_style == "success" else self._bar.value
        self._status.value = page.faint(status)
