"""A first look at the rows: two passes in bare Python, each as far as time and memory allow."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from helpers.bridge.structure import leaves_of, map_structure
from helpers.diagnose.guard import Deadline, Failed, failure_of

ROWS, KEPT, KEPT_BYTES, AGAIN = 2000, 256, 16 << 20, 200
"""Rows looked at; rows kept, and their bytes at most; rows of the second pass."""


@dataclass
class Look:
    """What two passes showed.

    Attributes:
        kept: The first rows, as copies.
        wall_ns: For each row what `next()` took.
        cpu_ns: For each row the processor time of the thread meanwhile.
        lines: Line of the user's generator that each row was yielded from; 0 if unknown.
        digests: Of the content of the first rows.
        again: The same in the second pass.
        ended: Whether the first pass came to the end.
        ended_again: Whether the second did.
        early_end: Traceback lines, innermost last, of the StopIteration that ended the first pass.
        reused: Index of the first row whose memory is the previous row's; -1 if none.
        changed: Index of the first row that changed after it was yielded; -1 if none.
        aliased: Whether that row's memory starts at a multiple of 64, which TensorFlow aliases.
        second_error: The exception of the second pass, if it raised.
        process_cpu_ns: Processor time of the whole process during the first pass.
        switches: How often the thread gave up its core by itself in the first pass; -1 if unknown.
        delay_ns: How long the thread was ready and had no core in the first pass; 0 if unknown.
        grown_bytes: How much the process grew from the middle of the first pass to its end.
        half_rows: Rows between those two moments.
    """

    kept: list[Any] = field(default_factory=list)
    wall_ns: list[int] = field(default_factory=list)
    cpu_ns: list[int] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    digests: list[bytes] = field(default_factory=list)
    again: list[bytes] = field(default_factory=list)
    ended: bool = False
    ended_again: bool = False
    early_end: list[tuple[int, str]] = field(default_factory=list)
    reused: int = -1
    changed: int = -1
    aliased: bool = False
    second_error: str = ""
    process_cpu_ns: int = 0
    switches: int = 0
    delay_ns: int = 0
    grown_bytes: int = 0
    half_rows: int = 0

    @property
    def count(self) -> int:
        """Rows seen in the first pass."""
        return len(self.wall_ns)

    @property
    def row_ns(self) -> float:
        """Median time of a row after the first."""
        rows = self.wall_ns[1:] or self.wall_ns
        return float(np.median(rows)) if rows else 0.0

    @property
    def differs(self) -> int:
        """Index of the first row that differs between the passes; -1 if none."""
        pairs = zip(self.digests, self.again, strict=False)
        return next((index for index, (one, two) in enumerate(pairs) if one != two), -1)

    @property
    def row_bytes(self) -> float:
        """Mean size of a kept row in bytes."""
        sizes = [size_of(row) for row in self.kept]
        return float(np.mean(sizes)) if sizes else 0.0


def look(
    rows: Callable[[], Iterator[Any]], seen: Look, deadline: Deadline, *, file: str, once: bool
) -> None:
    """Looks at rows until 2000 of them, 40 % of the time, or the end; then once more at 200.

    Args:
        rows: Returns a fresh iterator.
        seen: Takes what is seen, row by row.
        deadline: When to stop, looked at between rows.
        file: The user's file, for their traceback.
        once: Whether a second pass is out of the question.

    Raises:
        Failed: If the first pass raised, with the index of the row.
    """
    share = 0.4 * deadline.left_s
    started, (switches, delay) = time.process_time_ns(), scheduling()
    try:
        _first_pass(rows, seen, deadline, share, file)
    finally:
        seen.process_cpu_ns = time.process_time_ns() - started
        now, later = scheduling()
        seen.switches = now - switches if now >= 0 else -1
        seen.delay_ns = later - delay
    soon = seen.count == 0 or max(seen.wall_ns[0], seen.row_ns) / 1e9 < 0.5 * deadline.left_s
    if not once and soon:
        _second_pass(rows, seen, deadline)


def _first_pass(rows: Any, seen: Look, deadline: Deadline, share_s: float, file: str) -> None:
    process = psutil.Process()
    end = time.monotonic() + min(share_s, deadline.left_s)
    kept_bytes, previous, previous_digest, middle = 0, None, b"", 0
    try:
        iterator = rows()
    except BaseException as error:
        raise Failed(failure_of(error, 0, file)) from error
    with contextlib.closing(iterator) if hasattr(iterator, "close") else contextlib.nullcontext():
        for index in range(ROWS):
            cpu, wall = time.thread_time_ns(), time.perf_counter_ns()
            try:
                row = next(iterator)
            except StopIteration as error:
                seen.ended = True
                seen.early_end = _frames(error)
                break
            except BaseException as error:
                raise Failed(failure_of(error, index, file)) from error
            seen.wall_ns.append(time.perf_counter_ns() - wall)
            seen.cpu_ns.append(time.thread_time_ns() - cpu)
            frame = getattr(iterator, "gi_frame", None)
            seen.lines.append(frame.f_lineno if frame is not None else 0)
            if index < AGAIN:
                if previous is not None:
                    _compare_memory(seen, index, previous, previous_digest, row)
                previous_digest = digest(row)
                seen.digests.append(previous_digest)
                previous = row
            if index < KEPT and kept_bytes < KEPT_BYTES:
                seen.kept.append(copied(row))
                kept_bytes += size_of(row)
            if time.monotonic() > end or deadline.left_s == 0:
                break
            if index == 200:
                middle = process.memory_info().rss
        else:
            seen.ended = _has_ended(iterator, file)
        if middle:
            seen.grown_bytes = process.memory_info().rss - middle
            seen.half_rows = seen.count - 201


def _has_ended(iterator: Iterator[Any], file: str) -> bool:
    """Tells whether the last row that was looked at is the last that there is."""
    try:
        next(iterator)
    except StopIteration:
        return True
    except BaseException as error:
        raise Failed(failure_of(error, ROWS, file)) from error
    return False


def scheduling() -> tuple[int, int]:
    """Returns how often this thread gave up its core, and how long it was ready without one.

    Voluntary switches tell a thread that waits from one that others keep from running. They are
    -1 where the system does not count them, and the nanoseconds 0.
    """
    try:
        import resource

        switches = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
    except (ImportError, AttributeError):  # Windows, macOS
        return -1, 0
    try:
        path = f"/proc/self/task/{threading.get_native_id()}/schedstat"
        return switches, int(Path(path).read_text().split()[1])
    except (OSError, IndexError):
        return switches, 0


def _second_pass(rows: Any, seen: Look, deadline: Deadline) -> None:
    end = time.monotonic() + 0.6 * deadline.left_s
    try:
        iterator = rows()
        for row in itertools.islice(iterator, len(seen.digests)):
            seen.again.append(digest(row))
            if time.monotonic() > end or deadline.left_s == 0:
                return
        if len(seen.again) < len(seen.digests):
            seen.ended_again = True
    except BaseException as error:
        seen.second_error = f"{type(error).__name__}: {error}"


def _compare_memory(seen: Look, index: int, before: Any, before_digest: bytes, row: Any) -> None:
    """Looks whether a row took the memory of the one before, and whether that one changed."""
    if seen.reused < 0:
        for (_, one), (_, two) in zip(leaves_of(before), leaves_of(row), strict=False):
            arrays = isinstance(one, np.ndarray) and isinstance(two, np.ndarray)
            if arrays and one.size and two.size and np.may_share_memory(one, two):
                seen.reused = index
                seen.aliased = two.ctypes.data % 64 == 0
                break
    if seen.reused >= 0 and seen.changed < 0 and digest(before) != before_digest:
        seen.changed = index - 1


def _frames(error: StopIteration) -> list[tuple[int, str]]:
    """Line and function of each frame that a StopIteration passed, our own left out."""
    frames, trace = [], error.__traceback__.tb_next if error.__traceback__ else None
    while trace is not None:
        frames.append((trace.tb_lineno, trace.tb_frame.f_code.co_name))
        trace = trace.tb_next
    return frames


def digest(row: Any) -> bytes:
    """Digests what a row holds, with its types."""
    state = hashlib.blake2b(digest_size=12)
    for _, leaf in leaves_of(row):
        array = np.asarray(leaf) if not isinstance(leaf, (str, bytes)) else np.array(leaf)
        state.update(f"{array.dtype}{array.shape}".encode())
        if array.dtype.hasobject:
            state.update(repr(leaf).encode())
        else:
            state.update(np.ascontiguousarray(array).tobytes())
    return state.digest()


def copied(row: Any) -> Any:
    """Copies a row's arrays, so that a buffer that is filled again does not change them."""
    return map_structure(lambda leaf: np.array(leaf) if isinstance(leaf, np.ndarray) else leaf, row)


def size_of(row: Any) -> int:
    """Bytes of a row's components."""
    total = 0
    for _, leaf in leaves_of(row):
        if isinstance(leaf, (str, bytes)):
            total += len(leaf)
        else:
            total += getattr(leaf, "nbytes", None) or np.asarray(leaf).nbytes
    return total
