"""One measurement at a time, in a thread, so that the notebook stays responsive."""

from __future__ import annotations

import threading
from collections.abc import Callable

import ipywidgets as widgets

from helpers.measure import Cancelled

from . import page


class Work:
    """A thread that can be cancelled, and that begins when the one before has ended.

    Two measurements at a time would each measure the other. So the latest wins: to start one
    cancels whichever runs, also that of a panel whose cell was run again.

    Attributes:
        cancelled: Set when it is to end.
        done: Whether the function has come back.
    """

    _latest: Work | None = None
    _lock = threading.Lock()

    def __init__(
        self,
        function: Callable[[threading.Event], None],
        then: Callable[[], None] = lambda: None,
    ) -> None:
        """Starts the thread.

        Args:
            function: Called in it with the flag that cancels; it must handle its own errors.
            then: Called in it when all is done.
        """
        self.cancelled = threading.Event()
        self.done = False
        with Work._lock:
            before, Work._latest = Work._latest, self
        if before is not None:
            before.cancelled.set()
        self._thread = threading.Thread(
            target=self._run, args=(before, function, then), name="workbook-panel", daemon=True
        )
        self._thread.start()

    def _run(
        self,
        before: Work | None,
        function: Callable[[threading.Event], None],
        then: Callable[[], None],
    ) -> None:
        if before is not None:
            before._thread.join()
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
    if_cancelled: str,
) -> BaseException | None:
    """Runs what a panel was asked for, says how it ended, and returns what it raised.

    It only sets traits, so a thread may call it.

    Args:
        function: Returns the last line of the status.
        message: Takes the sentence of an error, or that it was cancelled.
        finish: Called with a style of the bar and the last line of the status.
        if_cancelled: The sentence then.
    """
    try:
        finish("success", function())
    except Cancelled:
        message.value = page.note(if_cancelled)
        finish("", "Cancelled.")
    except BaseException as error:
        said = str(error) if isinstance(error, (ValueError, TypeError)) else repr(error)
        message.value = page.note(said, kind="bad")
        finish("danger", "Failed.")
        return error
    return None
