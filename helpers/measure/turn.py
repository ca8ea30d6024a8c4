"""One measurement at a time: two at once would measure each other."""

from __future__ import annotations

import contextlib
import getpass
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from filelock import FileLock, Timeout

from .timing import Cancelled, Flag

WAITING = "Waiting for another measurement to end: a panel's, a cell's or another notebook's."

POLL_S = 0.1

_mine = threading.local()


class Stopped(KeyboardInterrupt):
    """An interrupt while something was measured, which a notebook shows as one sentence."""

    def __str__(self) -> str:
        return "Stopped; nothing of this was kept."

    def _render_traceback_(self) -> list[str]:  # IPython asks for it
        return [str(self)]


@contextlib.contextmanager
def turn(
    tell: Callable[[str], None] = lambda words: None, cancelled: Flag | None = None
) -> Iterator[None]:
    """Waits until nothing else of this user's measures on this machine, and holds the place.

    A thread that has its turn already goes on at once. The place is a lock on a file, which the
    system frees should its holder be killed.

    Args:
        tell: Called with a sentence if it has to wait.
        cancelled: Looked at ten times a second.

    Raises:
        Cancelled: If `cancelled` was set before the turn came.
        Stopped: At an interrupt, be it while waiting or within.
    """
    try:
        with _held(tell, cancelled):
            yield
    except KeyboardInterrupt as error:
        if type(error) is KeyboardInterrupt:
            raise Stopped from None
        raise


@contextlib.contextmanager
def _held(tell: Callable[[str], None], cancelled: Flag | None) -> Iterator[None]:
    if getattr(_mine, "held", False):
        yield
        return
    lock = FileLock(_place(), thread_local=False)
    told = False
    while True:
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            if not told:
                tell(WAITING)
                told = True
            if cancelled is not None and cancelled.is_set():
                raise Cancelled("cancelled before its turn came.") from None
            time.sleep(POLL_S)
    _mine.held = True
    try:
        yield
    finally:
        _mine.held = False
        lock.release()


def _place() -> Path:
    """A file of this user's: two users of a machine do not wait for each other."""
    return Path(tempfile.gettempdir()) / f"workbook-{getpass.getuser()}.lock"
