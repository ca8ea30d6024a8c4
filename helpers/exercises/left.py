"""Exercises of notebook 09: pack a record into one array, and take a batch apart again."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.quiet import tf

from . import looking
from .exercise import Exercise, NotYetError, Seen

_NAMES = ("time", "temperature", "pressure")


def _packed(made: Any, seen: Seen) -> None:
    table = looking.numbered(4, (3,))
    readings = [dict(zip(_NAMES, row.tolist(), strict=True)) for row in table]
    readings[2] = dict(reversed(readings[2].items()))  # as another version of the sensor writes it
    rows = looking.pulled(made, readings, most=len(readings))
    components = 0
    for number, row in enumerate(rows):
        where = f"Row {number}"
        if isinstance(row, dict):
            raise NotYetError(f"{where} is a dictionary still, of {len(row)} components.")
        looking.array(row, where)
        components += 1
        if row.shape == (3, 1):
            raise NotYetError(f"{where} is a column of shape (3, 1): three numbers have one axis.")
        looking.array(row, where, shape=(3,))
    seen.count("components that cross for 4 rows", components, 4)
    if len(rows) != 4:
        raise NotYetError(f"There are {len(rows)} rows, and 4 readings.")
    if np.array_equal(rows[2], table[2][::-1]) and np.array_equal(rows[0], table[0]):
        raise NotYetError(
            "Reading 2 has its keys in another order, and its pressure landed where the time "
            "belongs: ask for the values by name."
        )
    if not np.array_equal(rows, table):
        raise NotYetError("The numbers should be time, temperature and pressure, in this order.")


PACKED = Exercise(
    name="09-packed",
    title="Pack a record",
    spec="Pack these readings: one float32 array for each, of `time`, `temperature` and "
    "`pressure`, in this order, whatever the order in the dictionary.",
    start="""
def packed_readings(readings):
    for reading in readings:
        yield reading  # change me
""",
    solution="""
def packed_readings(readings):
    for reading in readings:
        values = [reading[name] for name in ("time", "temperature", "pressure")]
        yield np.array(values, np.float32)
""",
    answer="packed_readings",
    hint="np.array takes a list of numbers, and the dtype behind it. `reading.values()` come in "
    "the order in which somebody wrote them.",
    right="One component crosses for each reading, and its numbers are where they belong.",
    look=_packed,
)


def _apart(made: Any, seen: Seen) -> None:
    from helpers.diagnose import python_operations

    table = looking.numbered(8, (3,))
    rows = tf.data.Dataset.from_tensor_slices(table).batch(4)
    looking.called(made, tf.constant(table[:4]))
    columns = rows.map(lambda batch: made(batch))
    if not seen.count("ways back into Python", len(python_operations(columns)), 0):
        raise NotYetError(
            "numpy_function and py_function call Python for each batch: stay with TensorFlow's own "
            "operations."
        )
    spec = columns.element_spec
    if not isinstance(spec, dict) or set(spec) != set(_NAMES):
        raise NotYetError(f"A dictionary of {looking.listed(_NAMES)} is wanted; it is {spec}.")
    got = list(columns)
    for name, place in zip(_NAMES, range(3), strict=True):
        column = np.concatenate([np.atleast_1d(batch[name].numpy()) for batch in got])
        if column.ndim == 1 and np.array_equal(got[0][name].numpy(), table[place]):
            raise NotYetError(
                f"“{name}” is row {place} of the batch, all three numbers of it: the features are "
                "its columns."
            )
        if column.ndim == 2:
            raise NotYetError(
                f"“{name}” has the shape {got[0][name].shape}: a single number for each row has no "
                "second axis."
            )
        if not np.array_equal(column, table[:, place]):
            raise NotYetError(f"“{name}” should be column {place} of the batch.")


APART = Exercise(
    name="09-apart",
    title="Take a batch apart",
    spec="And the way back, a batch at a time: from a tensor of shape (batch, 3), as the packed "
    "readings arrive, the dictionary of columns `time`, `temperature` and `pressure`. It goes into "
    "a `map` behind `batch`.",
    start="""
def apart(batch):
    return {"time": batch}  # change me
""",
    solution="""
def apart(batch):
    time, temperature, pressure = tf.unstack(batch, axis=1)
    return {"time": time, "temperature": temperature, "pressure": pressure}
""",
    answer="apart",
    hint="`batch[:, 0]` is the first column; tf.unstack with an axis gives all of them.",
    right="Each feature is a column, and no batch goes back into Python for it.",
    look=_apart,
)
