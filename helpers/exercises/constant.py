"""Exercises of notebook 04: no detour, and the right array at once."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np

from . import looking
from .exercise import Exercise, NotYetError, Seen


def _mended(made: Any, seen: Seen) -> None:
    values = looking.numbered(20, (4,))
    rows = looking.pulled(made, values, most=len(values))
    for number, row in enumerate(rows):
        where = f"Row {number}"
        if isinstance(row, np.ndarray) and row.shape == values.shape:
            raise NotYetError("All rows come at once, and one at a time was asked for.")
        if isinstance(row, np.ndarray) and row.dtype == np.float64:
            raise NotYetError(
                f"{where} is float64: a conversion that TensorFlow would have to undo."
            )
        looking.array(row, where, shape=(4,))
    found = [int(row[0] // 4) for row in rows]
    seen.count("rows", len(rows), 20)
    gone = {"doubled": "Each belongs there once.", "lost": "All of them belong there."}
    looking.each_once(found, 20, gone)
    if not np.array_equal(rows, values):
        raise NotYetError("The rows hold other numbers than `values`.")
    copies = sum(not np.shares_memory(row, values) for row in rows)
    if not seen.count("copies of rows in Python", copies, 0):
        raise NotYetError(
            "The numbers and the dtype are right, and each row was copied first: astype copies "
            "even where there is nothing to convert."
        )


MENDED = Exercise(
    name="04-mended",
    title="Without the detour",
    spec="Mend this generator: it should yield the rows of `values`, which are float32, as they "
    "are; no tensor, no conversion, no copy.",
    start="""
def mended(values):
    for row in values:
        yield tf.constant(row.astype(np.float64))  # change me
""",
    solution="""
def mended(values):
    for row in values:
        yield row
""",
    answer="mended",
    hint="`values` has the right dtype already. What is left to do?",
    right="20 arrays cross as they are, and none was copied before.",
    look=_mended,
)


class _Rng:
    """A random generator that notes what it was asked for."""

    def __init__(self) -> None:
        self._rng = np.random.default_rng(0)
        self.made: list[np.ndarray] = []

    def random(self, size: Any = None, dtype: Any = np.float64, out: Any = None) -> Any:
        numbers = self._rng.random(size, dtype, out)
        self.made.append(np.asarray(numbers))
        return numbers


def _at_once(made: Any, seen: Seen) -> None:
    rng = _Rng()
    rows = looking.opened(made, rng, 6)
    first = next(rows, None)
    if first is None:
        raise NotYetError("There are no rows.")
    if rng.made and rng.made[0].size > 100 * 100:
        raise NotYetError(
            "All rows are made before the first is yielded: a generator is there to make one at a "
            "time."
        )
    rest = list(islice(rows, 6))
    for number, row in enumerate([first, *rest]):
        looking.array(row, f"Row {number}", shape=(100, 100))
    if not rng.made:
        raise NotYetError("`rng` was never asked: take the numbers from it.")
    if not seen.count("rows", len([first, *rest]), 6):
        raise NotYetError(f"There are {1 + len(rest)} rows, and `count` asks for 6.")
    wide = sum(one.dtype == np.float64 for one in rng.made)
    if not seen.count("arrays of 64-bit numbers on the way", wide, 0):
        raise NotYetError(
            "What comes out is float32, but 64-bit numbers were made first, and converted."
        )
    if np.array_equal(first, rest[0]):
        raise NotYetError("The rows are all the same: each should be made anew.")


AT_ONCE = Exercise(
    name="04-at-once",
    title="The right array at once",
    spec="This generator makes 64-bit numbers and converts them. Make it yield the same kind of "
    "rows without an array of 64-bit numbers on the way. The check counts these arrays.",
    start="""
def at_once(rng, count):
    for _ in range(count):
        yield rng.random((100, 100)).astype(np.float32)  # change me
""",
    solution="""
def at_once(rng, count):
    for _ in range(count):
        yield rng.random((100, 100), dtype=np.float32)
""",
    answer="at_once",
    hint="`rng.random` can be told which kind of numbers to make.",
    right="Six rows of float32, and no 64-bit number was made for them.",
    look=_at_once,
)
