"""One measurement at a time, in a thread, so that the notebook stays responsive."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import ClassVar

import ipywidgets as widgets

from helpers.measure import Cancelled
from helpers.measure.turn import turn

from . import page


class Work:
    """A thread that can be cancelled.

    A panel whose cell is run again is another widget of the same name: its new run cancels the
    old one, which nobody could reach any more.

    Attributes:
        cancelled: Set when it is to end.
        done: Whether the function has come back.
    """

    _latest: ClassVar[dict[str, Work]] = {}
    _lock = threading.Lock()

    def __init__(
        self,
        function: Callable[[threading.Event], None],
        then: Callable[[], None] = lambda: None,
        *,
        name: str,
    ) -> None:
        """Starts the thread.

        Args:
            function: Called in it with the flag that cancels; it must handle its own errors.
            then: Called in it when all is done.
            name: Of the panel.
        """
        self.cancelled = threading.Event()
        self.done = False
        Work.end(name)
        with Work._lock:
            Work._latest[name] = self
        self._thread = threading.Thread(
            target=self._run, args=(function, then), name="workbook-panel", daemon=True
        )
        self._thread.start()

    @classmethod
    def end(cls, name: str) -> None:
        """Cancels what a panel of this name has under way."""
        with cls._lock:
            before = cls._latest.get(name)
        if before is not None:
            before.cancelled.set()

    def _run(self, function: Callable[[threading.Event], None], then: Callable[[], None]) -> None:
        function(self.cancelled)
        self.done = True
        then()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits for the end, and tells whether it came in time."""
        self._thread.join(timeout)
        return not self._thread.is_alive()


def attempt(
    function: Callable[[], str],
    message: widgets.HTML,
    finish: Callable[[str, str], None],
    *,
    cancelled: threading.Event,
    wait: Callable[[str], None],
    if_cancelled: str,
) -> BaseException | None:
    """Runs what a panel was asked for when its turn comes, and says how it ended.

    Returns what it raised.

    It only sets traits, so a thread may call it.

    Args:
        function: Returns the last line of the status.
        message: Takes the sentence of an error, or that it was cancelled.
        finish: Called with a style of the bar and the last line of the status.
        cancelled: Ends the waiting, too.
        wait: Called with a sentence if it has to wait.
        if_cancelled: The sentence then.
    """
    try:
        with turn(wait, cancelled):
            said = function()
        finish("success", said)
    except Cancelled:
        message.value = page.note(if_cancelled)
        finish("", "Cancelled.")
    except BaseException as error:
        said = str(error) if isinstance(error, (ValueError, TypeError)) else repr(error)
        message.value = page.note(said, kind="bad")
        finish("danger", "Failed.")
        return error
    return None
