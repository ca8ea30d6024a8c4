"""The same measurement in a fresh child process: no UI thread, and cancel by ending it."""

from __future__ import annotations

import contextlib
import os
import threading
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

import cloudpickle
import psutil
from loky.backend import get_context

from .measurement import Measurement
from .settings import Settings
from .timing import Arm, Cancelled, Flag, Progress, compare

POLL_S = 0.1
"""How often the parent looks at the cancel flag: a tenth of the second that cancelling may take."""


class ChildTraceback(Exception):
    """Shows the child's traceback as the cause of the error that the parent raises."""


def compare_in_child(
    arms: Sequence[Arm],
    *,
    title: str = "",
    baseline: str | None = None,
    settings: Settings | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    cancelled: Flag | None = None,
) -> Measurement:
    """Does what `compare` does in a process of its own, fresh and with nothing else running.

    The child ends with this call, whatever ends it, and with its parent, should that be killed.

    Args:
        arms: As for `compare`; they travel by cloudpickle, so that functions of a notebook may.
        title: As for `compare`.
        baseline: As for `compare`.
        settings: As for `compare`.
        on_progress: Called in this process, in the calling thread, after each of the rounds.
        cancelled: Looked at ten times a second; once set, the child is killed.

    Raises:
        TypeError: If an arm cannot be sent to another process.
        Cancelled: If `cancelled` was set.
        RuntimeError: If the child ended without a result.
        Exception: Whatever the comparison raised in the child, with its traceback as the cause.
    """
    call: dict[str, Any] = {"arms": tuple(arms), "title": title, "baseline": baseline}
    call["settings"] = settings or Settings.default()
    try:
        packed = cloudpickle.dumps(call)
    except Exception as error:  # pickle raises many types
        raise TypeError(
            f"an arm cannot be sent to another process ({error}): make data sets, files and "
            "locks inside the function that builds the arm."
        ) from error
    context = get_context("loky")
    here, there = context.Pipe()
    child = context.Process(target=_serve, args=(there, packed), name="workbook-measure")
    try:
        child.start()
        there.close()  # so that the child's death shows as the end of the pipe
        return _follow(here, child, on_progress, cancelled)
    finally:
        here.close()
        _end(child)


def _follow(
    here: Connection,
    child: Any,
    on_progress: Callable[[Progress], None] | None,
    cancelled: Flag | None,
) -> Measurement:
    """Passes the child's reports on until it has a result."""
    while True:
        if cancelled is not None and cancelled.is_set():
            raise Cancelled("cancelled before the comparison was done.")
        try:
            if not here.poll(POLL_S):
                continue
            kind, value = cloudpickle.loads(here.recv_bytes())
        except (EOFError, ConnectionResetError):
            child.join()
            raise RuntimeError(
                f"the measuring process ended without a result (exit code {child.exitcode}): it "
                "may have run out of memory, so try fewer or smaller elements."
            ) from None
        if kind == "progress" and on_progress is not None:
            on_progress(value)
        elif kind == "result":
            return value
        elif kind == "error":
            error, text = value
            raise error from ChildTraceback(text)


def _end(child: Any) -> None:
    """Kills the child with whatever it started, and waits until it is gone."""
    if child.pid is None:
        return
    try:
        family = psutil.Process(child.pid)
        members = [family, *family.children(recursive=True)]
    except psutil.NoSuchProcess:
        members = []
    for member in members:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    child.join()


def _serve(there: Connection, packed: bytes) -> None:
    """Runs in the child: measures, and reports through the pipe."""
    threading.Thread(target=_end_with_parent, args=(there,), daemon=True).start()
    try:
        call = cloudpickle.loads(packed)
        result = compare(on_progress=lambda progress: _send(there, "progress", progress), **call)
    except BaseException as error:
        _send(there, "error", (_portable(error), traceback.format_exc()))
    else:
        _send(there, "result", result)


def _end_with_parent(there: Connection) -> None:
    """Waits for a message that never comes: the pipe ends when the parent does."""
    try:
        there.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)


def _send(there: Connection, kind: str, value: object) -> None:
    there.send_bytes(cloudpickle.dumps((kind, value)))


def _portable(error: BaseException) -> BaseException:
    """The error itself if it survives the journey, else one that says the same."""
    try:
        return cloudpickle.loads(cloudpickle.dumps(error))
    except Exception:  # an exception class may do anything in its constructor
        return RuntimeError(f"{type(error).__name__}: {error}")
