"""Exercises of notebook 10: rows that stay what they were, and many requests at a time."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from . import looking
from .exercise import Exercise, NotYetError, Seen

_PATIENCE_S = 2.0
"""How long a request waits for company before it is taken for one that has none."""


def _counted(made: Any, seen: Seen) -> None:
    rows = looking.pulled(made, 5, most=5)
    for number, row in enumerate(rows):
        looking.array(row, f"Row {number}", shape=(4,))
    seen.count("rows", len(rows), 5)
    own = sum(
        not any(np.shares_memory(row, other) for other in rows[:number])
        for number, row in enumerate(rows)
    )
    alone = seen.count("arrays with memory of their own", own, 5)
    if not alone and len({id(row) for row in rows}) == 1:
        raise NotYetError("All rows are one and the same array still.")
    if not alone:
        raise NotYetError(
            "Each row is an array object of its own, but they look at the same memory: a slice "
            "and np.asarray do not copy."
        )
    if [row.tolist() for row in rows] != [[float(number)] * 4 for number in range(5)]:
        raise NotYetError(
            "Each row has its own memory, and holds other numbers than before: row 0 zeros, row 1 "
            "ones, and so on, as many rows as `count` says."
        )


COUNTED = Exercise(
    name="10-counted",
    title="Rows that stay",
    spec="This generator fills one array again and again, and whoever keeps its rows keeps the "
    "last one many times. Mend it, so that each row stays what it was.",
    start="""
def counted(count):
    row = np.zeros(4, np.float32)
    for number in range(count):
        row[:] = number
        yield row  # change me
""",
    solution="""
def counted(count):
    for number in range(count):
        yield np.full(4, number, np.float32)
""",
    answer="counted",
    hint="Yield an array of its own for each row: a copy, or a new one.",
    right="Five rows, five arrays, and none changes when the next one comes.",
    look=_counted,
)


class _Fetch:
    """Requests that answer when enough of them wait, and the first one after the second."""

    def __init__(self, company: int) -> None:
        self._company = company
        self._change = threading.Condition()
        self._inside = 0
        self._met = self._gave_up = self._second = False
        self.most = 0
        self.calls = 0

    def __call__(self, number: int) -> np.ndarray:
        with self._change:
            self.calls += 1
            self._inside += 1
            self.most = max(self.most, self._inside)
            self._met = self._met or self._inside >= self._company
            self._change.notify_all()
            self._wait(lambda: self._met)
            if number == 0:
                self._wait(lambda: self._second)
            self._second = self._second or number == 1
            self._inside -= 1
            self._change.notify_all()
        return np.full(2, number, np.float32)

    def _wait(self, condition: Any) -> None:
        if not self._gave_up and not self._change.wait_for(
            lambda: self._gave_up or condition(), _PATIENCE_S
        ):
            self._gave_up = True  # who comes alone once comes alone always
            self._change.notify_all()


def _ahead(made: Any, seen: Seen) -> None:
    fetch = _Fetch(4)
    rows = looking.pulled(made, fetch, 12, most=12)
    for number, row in enumerate(rows):
        if hasattr(row, "result"):
            raise NotYetError(
                f"Row {number} is a promise of a row, a Future: yield what it will have as its "
                "result."
            )
        looking.array(row, f"Row {number}", shape=(2,))
    asked_once = seen.count("requests", fetch.calls, 12)
    together = seen.count("requests at the same time", min(fetch.most, 4), 4)
    gone = {"doubled": "Each is asked for once.", "lost": "Those at the end are asked for too."}
    looking.each_once([int(row[0]) for row in rows], 12, gone)
    if not asked_once:
        raise NotYetError(f"The server was asked {fetch.calls} times for 12 rows.")
    if not together and fetch.most == 1:
        raise NotYetError(
            "There was never more than one request: whoever waits for the answer before asking the "
            "next question asks one at a time, with threads or without."
        )
    if not together:
        raise NotYetError(f"{fetch.most} requests at the same time are not yet 4.")


AHEAD = Exercise(
    name="10-ahead",
    title="Waiting together",
    spec="The doctor says of this generator that it waits: each `fetch(number)` asks a server. "
    "Keep 4 requests or more under way, and yield the answers in order. The check counts how many "
    "were under way together.",
    start="""
def ahead(fetch, count):
    for number in range(count):
        yield fetch(number)  # change me
""",
    solution="""
def ahead(fetch, count):
    with ThreadPoolExecutor(8) as pool:
        yield from pool.map(fetch, range(count))
""",
    answer="ahead",
    hint="Waiting frees the GIL, so threads will do: `ThreadPoolExecutor` has a `map` that keeps "
    "the order.",
    right="At least four requests waited together, and the answers came in order.",
    look=_ahead,
)
