"""Exercises of notebook 02: many rows at a crossing, and how often a pipeline crosses."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from helpers.quiet import tf

from . import looking
from .exercise import Exercise, NotYetError, Seen


def _ten_at_a_time(made: Any, seen: Seen) -> None:
    rows = looking.numbered(60)
    chunks = looking.pulled(made, rows, most=len(rows))
    seen.count("crossings for 60 rows", len(chunks), 6)
    for number, chunk in enumerate(chunks):
        where = f"Element {number}"
        if isinstance(chunk, (list, tuple)) and len(chunk) == 10:
            raise NotYetError(
                f"{where} is a {type(chunk).__name__} of 10 arrays, each of which would cross as a "
                "component of its own: one array has to hold them."
            )
        looking.array(chunk, where)
        if chunk.shape == rows.shape[1:]:
            raise NotYetError(f"{where} is a single row still, so nothing is saved.")
        if chunk.shape[1:] != rows.shape[1:]:
            raise NotYetError(
                f"{where} has the shape {chunk.shape}: the rows need a new axis in front, which a "
                "slice of `rows` has, and np.stack makes; joining along an old one mixes them up."
            )
    if len(chunks) == 1 and len(chunks[0]) == 60:
        raise NotYetError("All rows come at once: the first would wait for the last.")
    found = np.concatenate(chunks) if chunks else rows[:0]
    looking.each_once(
        (found[:, 0, 0] // rows[0].size).astype(int).tolist(), len(rows),
        {
            "doubled": "The chunks overlap: each begins ten rows behind the one before.",
            "lost": "The chunks do not reach from the first row to the last.",
        },
    )  # fmt: skip
    for number, chunk in enumerate(chunks):
        if len(chunk) != 10:
            raise NotYetError(f"Element {number} holds {len(chunk)} rows, and 10 were asked for.")
    if not np.array_equal(found, rows):
        raise NotYetError("The rows hold other numbers than before.")


TEN_AT_A_TIME = Exercise(
    name="02-ten-at-a-time",
    title="Ten rows at a crossing",
    spec="Write a generator that yields 10 rows at a time, as one array, with the same rows in the "
    "same order. The check calls it with an array of 60 rows and counts what crosses.",
    start="""
def ten_at_a_time(rows):
    for row in rows:
        yield row  # change me
""",
    solution="""
def ten_at_a_time(rows):
    for start in range(0, len(rows), 10):
        yield rows[start : start + 10]
""",
    answer="ten_at_a_time",
    hint="A slice of `rows` is an array of several rows. Which starts do the slices have?",
    right="6 crossings carry the 60 rows, each once and in order.",
    look=_ten_at_a_time,
)

_ROWS, _CHUNKS = "rows, then batch(32)", "chunks of 40, then rebatch(32)"


def _crossings(made: Any, seen: Seen) -> None:
    mine = looking.filled(made, (_ROWS, _CHUNKS))
    for value in mine.values():
        if not isinstance(value, int) or isinstance(value, bool):
            raise NotYetError("A crossing is counted: two whole numbers are wanted.")
    for name, counted in {_ROWS: _count(1), _CHUNKS: _count(40)}.items():
        if mine[name] == counted:  # the right number is not shown before it is found
            seen.count(f"crossings of {name}", counted, counted)
            continue
        if name == _ROWS and mine[name] == 10:
            raise NotYetError(
                "10 are the batches. But `batch` stands behind the crossing: what crosses is what "
                "the generator yields, and it yields rows."
            )
        if name == _CHUNKS and mine[name] == 10:
            raise NotYetError(
                "10 are the batches that rebatch makes, behind the crossing; the chunks have 40 "
                "rows when they cross."
            )
        if name == _CHUNKS and mine[name] == 320:
            raise NotYetError("A chunk crosses as one element, however many rows are in it.")
        if mine[name] in (1, 2, 32, 40):
            raise NotYetError(
                f"{mine[name]} for “{name}” is a size, or counts pipelines; how many elements does "
                "the generator yield until 320 rows are through?"
            )
        raise NotYetError(f"{mine[name]} for “{name}” is not what the check counted.")


@cache
def _count(rows: int) -> int:
    """Counts how often a generator of 320 rows, so many at a time, is crossed from."""
    chunks = looking.Stream(np.zeros((320 // rows, rows), np.float32))
    spec = tf.TensorSpec((None,), tf.float32)
    for _ in tf.data.Dataset.from_generator(lambda: chunks, output_signature=spec):
        pass
    return chunks.asked


CROSSINGS = Exercise(
    name="02-crossings",
    title="Count the crossings",
    spec="A generator has 320 rows. How often does an epoch cross from Python into TensorFlow if "
    "it yields rows, and if it yields *chunks*, 40 rows in one element? Behind both stands what "
    "makes batches of 32, `batch` or, of any other size, `rebatch`. The check counts.",
    start=f"""
crossings = {{
    "{_ROWS}": ...,
    "{_CHUNKS}": ...,
}}
""",
    solution=f"""
crossings = {{
    "{_ROWS}": 320,
    "{_CHUNKS}": 320 // 40,
}}
""",
    answer="crossings",
    hint="Whatever stands behind `from_generator` happens after the crossing.",
    right="Only what the generator yields decides how often it is crossed from.",
    look=_crossings,
)
