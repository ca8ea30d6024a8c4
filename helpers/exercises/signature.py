"""Exercises of notebook 05: say what is known of a row, and rows of varying length."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.quiet import tf

from . import looking
from .exercise import Exercise, NotYetError, Seen


def _pairs(made: Any, seen: Seen) -> None:
    from helpers.diagnose import python_operations

    if isinstance(made, tf.data.Dataset):
        made = made.element_spec
    if not isinstance(made, tuple) or len(made) != 2:
        raise NotYetError("A pair is wanted: one TensorSpec for the image, one for the label.")
    for spec in made:
        if not isinstance(spec, tf.TensorSpec):
            raise NotYetError(f"Each of the two is a tf.TensorSpec, and one is {spec!r}.")
    image, label = made
    if image.shape.rank is None:
        raise NotYetError(
            "The image's shape is open altogether, even its rank, and so each row goes the slow "
            "way, through EagerPyFunc."
        )
    if image.shape.rank != 2:
        raise NotYetError(f"An image has two dimensions, and the signature {image.shape.rank}.")
    if image.shape[0] is not None:
        raise NotYetError(
            f"The heights are 28, 30 and 32: a signature of {image.shape[0]} refuses the others."
        )
    if image.shape[1] is None:
        raise NotYetError("It would run, and says less than is known: every image is 28 wide.")
    if image.shape[1] != 28:
        raise NotYetError(f"The images are 28 wide, and the signature says {image.shape[1]}.")
    if image.dtype != tf.uint8:
        raise NotYetError(
            f"The images are uint8; {image.dtype.name} would convert each of them on its way."
        )
    if label.shape.rank != 0:
        raise NotYetError(f"A label is a single number, of shape (), and not {label.shape}.")
    if label.dtype != tf.int32:
        raise NotYetError(f"The label should be int32, and the signature says {label.dtype.name}.")
    slow = python_operations(tf.data.Dataset.from_generator(lambda: [], output_signature=made))
    if not seen.count("ways through EagerPyFunc", slow.count("EagerPyFunc"), 0):
        raise NotYetError("The rows would go the slow way, through EagerPyFunc.")


PAIRS = Exercise(
    name="05-pairs",
    title="Say what is known",
    spec="The generator yields pairs of an image and a label; images differ in height. Write the "
    "signature that says all that is known of both, with the label as int32, and keeps the pairs "
    "on the fast way.",
    given="""
def pairs():
    for height in (28, 30, 32):
        yield np.zeros((height, 28), np.uint8), height % 10
""",
    start="signature = (tf.TensorSpec(None, tf.uint8), tf.TensorSpec((), tf.int32))  # change me",
    solution="signature = (tf.TensorSpec((None, 28), tf.uint8), tf.TensorSpec((), tf.int32))",
    answer="signature",
    hint="What of the shape differs from image to image, and what does not? An unknown dimension "
    "is None.",
    right="The rank and the width are known, the height is open, and the pairs go through PyFunc.",
    look=_pairs,
)

_LENGTHS = (3, 1, 4, 1, 5, 9, 2, 6)


def _padded(made: Any, seen: Seen) -> None:
    from helpers.diagnose import python_operations

    lines = looking.Stream([np.full(length, length, np.float32) for length in _LENGTHS])
    mine = looking.dataset(looking.called(made, lambda: lines))
    if any("EagerPyFunc" in name for name in python_operations(mine)):
        raise NotYetError(
            "The shape is open altogether, and the rows go the slow way: the rank is known, and "
            "one dimension is not."
        )
    if isinstance(mine.element_spec, tf.RaggedTensorSpec):
        raise NotYetError("These batches are ragged; padded ones were asked for.")
    spec = mine.element_spec
    if not isinstance(spec, tf.TensorSpec) or spec.shape.rank != 2:
        raise NotYetError(f"A batch should be a float32 table of rows; it is {spec}.")
    batches = [batch.numpy() for batch in mine]
    seen.count("crossings for 8 rows", lines.asked, 8)
    sizes = [len(batch) for batch in batches]
    if sizes != [4, 4]:
        raise NotYetError(f"The batches hold {looking.listed(sizes)} rows; 4 and 4 were asked for.")
    widths = [batch.shape[1] for batch in batches]
    if not seen.count("numbers that cross and are padded", sum(b.size for b in batches), 4 * 13):
        raise NotYetError(
            f"The batches are {looking.listed(widths)} wide: each only needs to be as wide as its "
            "own longest row, 4 and 9, so pad a batch at a time."
        )
    rows = [row for batch in batches for row in batch]
    for length, row in zip(_LENGTHS, rows, strict=True):
        if not (np.all(row[:length] == length) and np.all(row[length:] == 0)):
            raise NotYetError("The rows should be what they were, with zeros behind them.")


PADDED = Exercise(
    name="05-padded",
    title="Rows of varying length",
    spec="`lines` is a generator function whose rows are float32 and differ in length. Make "
    "batches of 4 of them, each padded with zeros to its own longest row, by TensorFlow and on the "
    "fast way.",
    start="""
def padded(lines):
    spec = tf.TensorSpec(None, tf.float32)
    dataset = tf.data.Dataset.from_generator(lines, output_signature=spec)
    return dataset.batch(1)  # change me
""",
    solution="""
def padded(lines):
    spec = tf.TensorSpec((None,), tf.float32)
    dataset = tf.data.Dataset.from_generator(lines, output_signature=spec)
    return dataset.padded_batch(4)
""",
    answer="padded",
    hint="Two things are to change: what the signature says of the shape, and the kind of batch.",
    right="Each batch is as wide as its longest row, and the rows went through PyFunc.",
    look=_padded,
)
