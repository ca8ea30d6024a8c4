"""Exercises of notebook 12: a weight for each row, and an epoch of something endless."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.quiet import tf

from . import looking
from .exercise import Exercise, NotYetError, Seen


def _weighted(made: Any, seen: Seen) -> None:
    inputs, labels = looking.numbered(8, (2,)), np.array([0, 2, 1, 2, 2, 0, 2, 1], np.int32)
    weights = np.array([2, 3, 0.5], np.float32)
    rows = tf.data.Dataset.from_tensor_slices((inputs, labels)).batch(4)
    mine = looking.dataset(looking.called(made, rows, tf.constant(weights)))
    batches = list(mine)
    for batch in batches:
        if not isinstance(batch, tuple):
            raise NotYetError("A batch should be a tuple of three: inputs, labels and weights.")
        if len(batch) == 2 and not np.isin(batch[0], inputs).all():
            raise NotYetError("The inputs are changed: a weight belongs to the loss of a row.")
        if len(batch) != 3:
            raise NotYetError(f"A batch is a tuple of {len(batch)}, and `fit` looks for a third.")
        if batch[1].dtype != tf.int32:
            raise NotYetError("The order is inputs, labels, weights; labels are no longer second.")
        if batch[2].dtype != tf.float32:
            raise NotYetError(f"The weights are {batch[2].dtype.name}: the labels, perhaps.")
        if batch[2].shape == (3,):
            raise NotYetError("These are the weights of the classes; a batch has four rows.")
        if batch[2].shape == (4, 1):
            raise NotYetError("The weights are a column, (4, 1): a number for each row is (4,).")
        if batch[2].shape != (4,):
            raise NotYetError(f"The weights have the shape {batch[2].shape}, and (4,) is wanted.")
    if len(batches) != 2:
        raise NotYetError(f"There were 2 batches, and {len(batches)} are left.")
    given = np.concatenate([batch[2].numpy() for batch in batches])
    seen.count("rows with the weight of their class", int((given == weights[labels]).sum()), 8)
    if not np.array_equal(given, weights[labels]):
        raise NotYetError("A row should have the weight at the place of its own label.")


WEIGHTED = Exercise(
    name="12-weighted",
    title="Rare classes count more",
    spec="`fit` takes a third part of a batch as the weights of its rows. `weights` has one number "
    "for each class; give each row that of its own, within the data set.",
    start="""
def weighted(dataset, weights):
    return dataset  # change me
""",
    solution="""
def weighted(dataset, weights):
    return dataset.map(lambda inputs, labels: (inputs, labels, tf.gather(weights, labels)))
""",
    answer="weighted",
    hint="A `map` behind `batch` sees all labels of a batch at once; tf.gather picks by number.",
    right="Each row has the weight of its class, and inputs and labels are what they were.",
    look=_weighted,
)


def _endless(made: Any, seen: Seen) -> None:
    count, batch = 10, 4
    rows = tf.data.Dataset.range(count)
    answer = looking.called(made, rows, count, batch)
    if not isinstance(answer, tuple) or len(answer) != 2:
        raise NotYetError("Two things are wanted: the data set, and the steps of an epoch.")
    dataset, steps = looking.dataset(answer[0]), answer[1]
    if steps is None:
        raise NotYetError("`fit` has to be told how many steps an endless epoch has.")
    if not isinstance(steps, (int, np.integer)) or not 0 < steps <= 100:
        raise NotYetError(f"The steps of an epoch are a whole number, and this is {steps!r}.")
    batches = [part.numpy().ravel().tolist() for part in dataset.take(2 * int(steps))]
    if len(batches) < 2 * steps:
        raise NotYetError(
            f"The data set ends after {len(batches)} batches, and two epochs need {2 * steps}."
        )
    if steps == count:
        raise NotYetError(f"{count} is the number of rows; a step takes {batch} of them.")
    if max(map(len, batches)) != batch:
        raise NotYetError(f"A batch holds {max(map(len, batches))} rows in place of {batch}.")
    for name, epoch in (("first", batches[:steps]), ("second", batches[steps:])):
        numbers = [number for part in epoch for number in part]
        seen.count(f"rows of the {name} epoch", len(numbers), count)
        looking.each_once(
            numbers, count,
            {
                "lost": f"The {name} epoch leaves it out: its last batch is not full.",
                "doubled": f"In the {name} epoch a batch reaches across the border of two.",
            },
        )  # fmt: skip


ENDLESS = Exercise(
    name="12-endless",
    title="An epoch without an end",
    spec="`dataset` gives `rows` single rows. Return what `fit` needs to go on for as many epochs "
    "as it likes: batches without end, and `steps_per_epoch`. Each epoch should have every row "
    "once, though the last batch may not be full.",
    start="""
def endless(dataset, rows, batch_size):
    return dataset.batch(batch_size), None  # change me
""",
    solution="""
def endless(dataset, rows, batch_size):
    return dataset.batch(batch_size).repeat(), -(-rows // batch_size)
""",
    answer="endless",
    hint="It matters whether rows or batches are repeated. `//` rounds down.",
    right="Both epochs have every row once, and there could be a third.",
    look=_endless,
)
