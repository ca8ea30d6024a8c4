"""Exercises of notebook 11: rows turned into columns, and bad rows left out with a count."""

from __future__ import annotations

import sqlite3
from typing import Any

import numpy as np

from . import looking
from .exercise import Exercise, NotYetError, Seen

_ROWS = 250
_AT_ONCE = 100


def _columns(made: Any, seen: Seen) -> None:
    connection = sqlite3.connect(":memory:")
    try:
        connection.execute("CREATE TABLE readings (time INTEGER, value REAL)")
        rows = [(number, number / 4) for number in range(_ROWS)]
        connection.executemany("INSERT INTO readings VALUES (?, ?)", rows)
        cursor = connection.execute("SELECT time, value FROM readings")
        blocks = looking.pulled(made, cursor, most=_ROWS)
    finally:
        connection.close()
    seen.count("crossings", len(blocks), -(-_ROWS // _AT_ONCE))
    if not blocks:
        raise NotYetError("No rows came.")
    for number, block in enumerate(blocks):
        if not isinstance(block, dict):
            raise NotYetError(
                f"Element {number} is {type(block).__name__}; a dictionary of columns is wanted."
            )
        if set(block) != {"time", "value"}:
            raise NotYetError(
                f"Element {number} has the keys {', '.join(map(repr, block))}, and 'time' and "
                "'value' are wanted."
            )
        for name, kind in (("time", np.int64), ("value", np.float64)):
            looking.array(block[name], f"{name!r} of element {number}", dtype=kind)
            if block[name].ndim != 1:
                raise NotYetError(
                    f"{name!r} of element {number} is of rank {block[name].ndim}: a column has one "
                    "number of each row."
                )
    for name, place in (("time", 0), ("value", 1)):
        found = np.concatenate([block[name] for block in blocks]).tolist()
        if len(found) < _ROWS:
            raise NotYetError(f"{len(found)} of the {_ROWS} rows came.")
        if found != [row[place] for row in rows]:
            raise NotYetError(f"The numbers of {name!r} are not those of the table, in its order.")
    if len(blocks) > -(-_ROWS // _AT_ONCE):
        raise NotYetError(
            f"The rows came as {len(blocks)} elements; one for each call of fetchmany is enough."
        )


COLUMNS = Exercise(
    name="11-columns",
    title="Columns from a cursor",
    spec="The cursor's rows have two values, a time (an integer) and a value (a float). A row at a "
    "time they cost a crossing each. Yield one dictionary for each call of `fetchmany`, with an "
    'array for `"time"` and one for `"value"`. The check has 250 rows, and counts.',
    start="""
def columns(cursor):
    while some := cursor.fetchmany(100):
        for time, value in some:
            yield {"time": time, "value": value}  # change me
""",
    solution="""
def columns(cursor):
    while some := cursor.fetchmany(100):
        times, values = zip(*some)
        yield {"time": np.array(times), "value": np.array(values)}
""",
    answer="columns",
    hint="`zip` turns rows into columns, if it is given each of them as an argument of its own.",
    right="Three crossings bring what took 250.",
    look=_columns,
)


class _Corrupt(ValueError):
    pass


def _counted(made: Any, seen: Seen) -> None:
    bad = {3, 7, 8}

    def load(number: int) -> np.float32:
        if number in bad:
            raise _Corrupt(f"file {number} is damaged")
        return np.float32(number)

    left_out: list = []
    try:
        found = looking.pulled(made, load, range(10), left_out, most=10)
    except _Corrupt:
        raise NotYetError("A damaged file still ends the epoch.") from None
    for number, row in enumerate(found):
        if not isinstance(row, np.float32):
            raise NotYetError(
                f"Row {number} is {type(row).__name__}: what is left out should leave nothing in "
                "its place."
            )
    rows = [int(row) for row in found]
    seen.count("rows", len(rows), 10 - len(bad))
    seen.count("left out, by the count", len(left_out), len(bad))
    if len(rows) < 10 - len(bad):
        raise NotYetError(
            f"Only the rows {looking.listed(rows)} came; the bad ones are 3, 7 and 8."
        )
    if rows != [number for number in range(10) if number not in bad]:
        raise NotYetError(f"The rows {looking.listed(rows)} came: some that nobody asked for.")
    if not left_out:
        raise NotYetError(
            "The bad ones are left out in silence: nobody can tell that three are missing."
        )
    if left_out != sorted(bad):
        raise NotYetError("`left_out` should have the numbers 3, 7 and 8, in that order.")

    def failing(number: int) -> np.float32:
        raise KeyError("no such column")

    try:
        looking.pulled(made, failing, range(2), [], most=10)
    except KeyError:
        return
    raise NotYetError(
        "An error in the code itself, a KeyError, is taken for a bad file: say which errors are."
    )


COUNTED = Exercise(
    name="11-counted",
    title="Left out, and counted",
    spec="`load(number)` raises a ValueError where a file is damaged, and that ends the epoch. "
    "Leave such rows out, and append their numbers to the list `left_out`. Other errors have "
    "nothing to do with the file: they should still be raised.",
    start="""
def readings(load, numbers, left_out):
    for number in numbers:
        yield load(number)  # change me
""",
    solution="""
def readings(load, numbers, left_out):
    for number in numbers:
        try:
            row = load(number)
        except ValueError:
            left_out.append(number)
        else:
            yield row
""",
    answer="readings",
    hint="`try` around the loading, and a branch each for what went wrong and what went well.",
    right="Seven rows came, three are named, and an error of another kind is not hidden.",
    look=_counted,
)
