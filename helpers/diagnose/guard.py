"""Runs code of the user's with an end: a deadline, their exception as theirs, no hang."""

from __future__ import annotations

import re
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from helpers.bridge.errors import CELL, is_library

R = TypeVar("R")

OWN = str(Path(__file__).resolve().parents[1])
"""The folder of this package: its frames are left out of the user's traceback."""


@dataclass(frozen=True)
class Failure:
    """An exception in the user's code, as theirs.

    Attributes:
        kind: The exception's class.
        message: Its text.
        index: Index of the element that was asked for; -1 if that is not known.
        where: "file:line" of the innermost frame of the user's own file; "" if unknown.
        traceback: As Python prints it, from the user's first frame on.
    """

    kind: str
    message: str
    index: int
    where: str
    traceback: str


class Failed(Exception):
    """The user's code raised."""

    def __init__(self, failure: Failure) -> None:
        """Keeps what happened."""
        super().__init__(f"{failure.kind}: {failure.message}")
        self.failure = failure


class Stuck(Exception):
    """The user's code did not come back in time; the text says where it is."""


class Deadline:
    """A moment on the monotonic clock, and a flag that brings it forward.

    Args:
        seconds: From now.
    """

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._end = time.monotonic() + seconds
        self._cancelled = threading.Event()

    @property
    def left_s(self) -> float:
        """Seconds that are left, never below 0."""
        return 0.0 if self._cancelled.is_set() else max(0.0, self._end - time.monotonic())

    def cancel(self) -> None:
        """Ends it now."""
        self._cancelled.set()

    def is_set(self) -> bool:
        """Tells whether it was cancelled, as `measure.compare` asks."""
        return self._cancelled.is_set()


def failure_of(error: BaseException, index: int, file: str = "") -> Failure:
    """Describes an exception of the user's code.

    Args:
        error: What was raised.
        index: Index of the element that was asked for.
        file: The user's file, whose innermost frame is named; the innermost of all if "".
    """
    frames = [
        frame
        for frame in traceback.extract_tb(error.__traceback__)
        if not str(Path(frame.filename).resolve()).startswith(OWN)
    ]
    named = [frame for frame in frames if file and frame.filename == file] or frames
    where = f"{file_name(named[-1].filename)}:{named[-1].lineno}" if named else ""
    lines = ["Traceback (most recent call last):\n", *traceback.format_list(frames)]
    text = "".join([*lines, *traceback.format_exception_only(error)])
    return Failure(type(error).__name__, str(error), index, where, text)


def index_of(rows: Callable[[], Iterator[Any]], kind: str, deadline: Deadline) -> int:
    """Returns the index of the element at which rows raise; -1 if they do not in time.

    Args:
        rows: Returns a fresh iterator.
        kind: Class of the exception that is looked for.
        deadline: When to stop, looked at between rows.
    """
    count = 0
    try:
        for _ in rows():
            count += 1
            if not deadline.left_s:
                return -1
    except Exception as error:
        return count if type(error).__name__ == kind else -1
    return -1


# TensorFlow keeps the text of what Python raises, "{{node …}} KIND: MESSAGE", then its traceback.
_RAISED = re.compile(r"(?:\{\{.*?\}\} )?([A-Za-z_][\w.]*): (.*)")
_FRAME = re.compile(r'^ *File "(.+)", line (\d+), in .*\n(?: {4}.*\n)*', re.MULTILINE)


def failure_through_tensorflow(error: BaseException) -> Failure | None:
    """Describes an exception of the user's code that TensorFlow raised as one of its own.

    Args:
        error: TensorFlow's.

    Returns:
        None if no line of the user's is in it: TensorFlow itself refused something.
    """
    raised = _RAISED.match(str(error))
    frames = [
        frame
        for frame in _FRAME.finditer(str(error))
        if not is_library(frame[1]) and not str(Path(frame[1]).resolve()).startswith(OWN)
    ]
    if raised is None or not frames:
        return None
    where = f"{file_name(frames[-1][1])}:{frames[-1][2]}"
    lines = ["Traceback (most recent call last):\n", *(frame[0] for frame in frames)]
    return Failure(
        raised[1], raised[2], -1, where, "".join([*lines, f"{raised[1]}: {raised[2]}\n"])
    )


def file_name(path: str) -> str:
    """Returns a file's name without its folder; a notebook's cell is called "cell"."""
    return "cell" if CELL.search(path) else Path(path).name


def limited(function: Callable[[], R], seconds: float, doing: str) -> R:
    """Calls a function in a thread of its own and waits for it no longer than `seconds`.

    A thread cannot be ended from outside: where the function is stuck, its thread stays behind,
    as a daemon that does not keep the process alive.

    Args:
        function: Called without arguments.
        seconds: How long to wait.
        doing: What it does, for the message.

    Raises:
        Stuck: If it did not come back; with the innermost line outside this package.
        BaseException: Whatever the function raised.
    """
    box: list[Any] = []

    def work() -> None:
        try:
            box.append((True, function()))
        except BaseException as error:  # SystemExit of the user's code too
            box.append((False, error))

    thread = threading.Thread(target=work, daemon=True, name="doctor")
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        raise Stuck(f"{doing} did not come back within {seconds:.0f} s{_place(thread)}")
    ok, value = box[0]
    if ok:
        return value
    raise value


def _place(thread: threading.Thread) -> str:
    frame = sys._current_frames().get(thread.ident or 0)
    frames = traceback.extract_stack(frame) if frame else []
    library = (OWN, sys.prefix, sys.base_prefix)
    own = [one for one in frames if not str(Path(one.filename).resolve()).startswith(library)]
    if not own:
        return ""
    last = own[-1]
    return f": it is at {file_name(last.filename)}:{last.lineno}, `{(last.line or '').strip()}`"
