"""Calls in a fresh child process: nothing else runs there, and to cancel is to end it."""

from __future__ import annotations

import contextlib
import linecache
import os
import queue
import threading
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any

import cloudpickle
import psutil
from loky.backend import get_context

from helpers.quiet import quieten_later, sources_in_no_file

from .measurement import Measurement
from .settings import Settings
from .timing import Arm, Cancelled, Flag, Progress, compare

POLL_S = 0.1
"""How often the parent looks at the cancel flag: a tenth of the second that cancelling may take."""


class ChildTraceback(Exception):
    """Shows the child's traceback as the cause of the error that the parent raises."""


class Child:
    """A fresh process that makes one call after the other.

    It ends with the `with` block, whatever ends that, and with its parent, should that be killed.
    """

    def __init__(self) -> None:
        """Starts the process; it imports what its calls need, when they come."""
        context = get_context("loky")
        self._here, there = context.Pipe()
        self._process = context.Process(target=_serve, args=(there,), name="workbook-measure")
        try:
            self._process.start()
        except BaseException:
            self.end()
            raise
        finally:
            there.close()  # so that the child's death shows as the end of the pipe

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def alive(self) -> bool:
        """Whether it can be called."""
        return self._process.is_alive() and not self._here.closed

    def call(
        self,
        function: Callable[..., Any],
        *args: Any,
        on_progress: Callable[..., None] | None = None,
        cancelled: Flag | None = None,
        **kwargs: Any,
    ) -> Any:
        """Calls a function there and returns what it returns. Any failure ends the process.

        Args:
            function: Takes `on_progress` besides these arguments. It travels by cloudpickle, as
                they do, so that functions of a notebook may.
            *args: Its arguments.
            on_progress: Called in this process, in the calling thread, with what it reports.
            cancelled: Looked at ten times a second; once set, the child is killed.
            **kwargs: More of its arguments.

        Raises:
            TypeError: If an argument cannot be sent to another process.
            Cancelled: If `cancelled` was set.
            RuntimeError: If the child ended without a result.
            Exception: Whatever the function raised, with the child's traceback as the cause.
        """
        try:
            packed = cloudpickle.dumps((sources_in_no_file(), function, args, kwargs))
        except Exception as error:  # pickle raises many types
            raise TypeError(
                f"an arm cannot be sent to another process ({error}): make data sets, files and "
                "locks inside the function that builds the arm."
            ) from error
        try:
            with contextlib.suppress(BrokenPipeError):  # it died before: `_follow` says so
                self._here.send_bytes(packed)
            return self._follow(on_progress, cancelled)
        except BaseException:
            self.end()
            raise

    def _follow(self, on_progress: Callable[..., None] | None, cancelled: Flag | None) -> Any:
        """Passes the child's reports on until it has a result."""
        while True:
            if cancelled is not None and cancelled.is_set():
                raise Cancelled("cancelled before the comparison was done.")
            try:
                if not self._here.poll(POLL_S):
                    continue
                kind, value = cloudpickle.loads(self._here.recv_bytes())
            except (EOFError, ConnectionResetError):
                self._process.join()
                raise RuntimeError(
                    "the measuring process ended without a result (exit code "
                    f"{self._process.exitcode}): it may have run out of memory, so try fewer or "
                    "smaller elements."
                ) from None
            if kind == "progress" and on_progress is not None:
                on_progress(*value)
            elif kind == "result":
                return value
            elif kind == "error":
                error, text = value
                raise error from ChildTraceback(text)

    def end(self) -> None:
        """Kills the process with whatever it started, and waits until it is gone."""
        self._here.close()
        if self._process.pid is None:
            return
        try:
            family = psutil.Process(self._process.pid)
            members = [family, *family.children(recursive=True)]
        except psutil.NoSuchProcess:
            members = []
        for member in members:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        self._process.join()


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
        on_progress: As for `Child.call`; called after each of the rounds.
        cancelled: As for `Child.call`.

    Raises:
        Exception: As `Child.call`.
    """
    with Child() as child:
        return child.call(
            compare, tuple(arms), title=title, baseline=baseline,
            settings=settings or Settings.default(), on_progress=on_progress, cancelled=cancelled,
        )  # fmt: skip


def _serve(there: Connection) -> None:
    """Runs in the child: makes the calls that come through the pipe, and reports through it."""
    quieten_later()  # what comes may import TensorFlow by itself
    calls: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_receive, args=(there, calls), daemon=True).start()
    try:
        while True:
            answer(there, calls.get())
    except KeyboardInterrupt:  # Ctrl-C comes to the whole family; the parent speaks for it
        os._exit(1)


def answer(there: Connection, packed: bytes) -> None:
    """Runs in the child: makes a call and sends what comes of it.

    Args:
        there: To whoever called.
        packed: What they sent.
    """

    def tell(*progress: Any) -> None:
        _send(there, "progress", progress)

    try:
        sources, function, args, kwargs = cloudpickle.loads(packed)
        linecache.cache.update(sources)
        result = function(*args, on_progress=tell, **kwargs)
    except BaseException as error:
        _send(there, "error", (_portable(error), traceback.format_exc()))
    else:
        _send(there, "result", result)


def _receive(there: Connection, calls: queue.SimpleQueue[bytes]) -> None:
    """Waits for calls, and for the end of the pipe, which comes when the parent's does."""
    try:
        while True:
            calls.put(there.recv_bytes())
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
