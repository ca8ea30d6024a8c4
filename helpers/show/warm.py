"""A process kept warm for the next press of Measure: importing TensorFlow takes seconds."""

from __future__ import annotations

import atexit
import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from helpers.measure import Arm, Cancelled, Measurement, compare
from helpers.measure.isolation import Child
from helpers.measure.turn import turn
from helpers.study.running import ready

KEPT_S = 600.0
"""How long it waits for a press: it holds about 0.4 GB."""

_POLL_S = 0.1

_lock = threading.Lock()
_spare: Child | None = None
_making: threading.Thread | None = None
_until: threading.Timer | None = None


def prepare() -> None:
    """Starts a process that imports TensorFlow, unless there is one, or something measures."""
    global _making
    with _lock:
        if (_spare is not None and _spare.alive) or (_making is not None and _making.is_alive()):
            return
        _making = threading.Thread(target=_make, name="workbook-warm", daemon=True)
        _making.start()


def settle(cancelled: threading.Event) -> None:
    """Waits until a process that is being prepared is ready, or the flag is set."""
    while _making is not None and _making.is_alive() and not cancelled.is_set():
        time.sleep(_POLL_S)


def compare_warm(
    arms: Sequence[Arm],
    *,
    tell: Callable[[str], None],
    cancelled: threading.Event,
    **how: Any,
) -> Measurement:
    """Does what `compare_in_child` does, in the process that was prepared if there is one.

    The process ends with the comparison: each has a fresh one.

    Args:
        arms: As for `compare`.
        tell: Called with what it is doing.
        cancelled: Ends it.
        **how: As for `compare_in_child`.
    """
    child = _take()
    if child is None:
        tell("Importing TensorFlow into a process of its own")
        child = Child()
    with child:
        child.call(ready, cancelled=cancelled)
        tell("Making the data")
        return child.call(compare, list(arms), cancelled=cancelled, **how)


def drop() -> None:
    """Ends the process that was prepared."""
    child = _take()
    if child is not None:
        child.end()


def _take() -> Child | None:
    global _spare
    with _lock:
        child, _spare = _spare, None
        if _until is not None:
            _until.cancel()
    return child if child is not None and child.alive else None


def _make() -> None:
    global _spare, _until
    at_once = threading.Event()
    at_once.set()
    with contextlib.suppress(Cancelled, RuntimeError), turn(cancelled=at_once):
        child = Child()
        child.call(ready)
        with _lock:
            _spare = child
            _until = threading.Timer(KEPT_S, drop)
            _until.daemon = True
            _until.start()


atexit.register(drop)  # Python would wait for it at its end
