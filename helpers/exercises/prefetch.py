"""Exercises of notebook 03: what a prefetch counts, and the one that nobody wrote."""

from __future__ import annotations

from typing import Any

import numpy as np

from helpers.quiet import tf
from helpers.study import PipelineOptions

from . import looking
from .exercise import Exercise, NotYetError, Seen


def _two_batches(made: Any, seen: Seen) -> None:
    mine = looking.options(
        made, seen, PipelineOptions(work="random", batch=50, prefetch=2, consumer="keras"),
        {
            ("work", "sleep+random"): "That is Example 1: Example 2 has no sleep.",
            ("yields", "tensor"): "That is Example 3: Example 2 yields arrays.",
            ("batch", None): "The batches of 50 are gone.",
            "batch": "A batch holds {value} rows, and 50 were asked for.",
            ("prefetch", None): "TensorFlow adds a prefetch of its own, and chooses its size; ask "
            "for two.",
            ("prefetch", "autotune"): "AUTOTUNE leaves the size to TensorFlow; exactly two were "
            "asked for.",
            ("prefetch", "off"): "prefetch='off' forbids the buffer in which two should wait.",
            ("prefetch", 100): "A prefetch counts elements, and an element is a batch by now: 100 "
            "of them hold 5000 rows.",
            ("prefetch", 50): "A prefetch counts elements, and an element is a batch by now: 50 "
            "of them hold 2500 rows.",
            "prefetch": "There is room for {value} batches, and two were asked for.",
            ("consumer", "idle"): "Nothing is behind it yet: the consumer should be a Keras step.",
            "consumer": "A consumer of kind {value!r} only stands for a step; a Keras one was "
            "asked for.",
        },
    )  # fmt: skip
    seen.count("rows that may wait", mine.batch * mine.prefetch, 100)


TWO_BATCHES = Exercise(
    name="03-two-batches",
    title="Room for two",
    spec="Prefetch buffers elements. After `batch(50)` an element is 50 rows. Describe Example 2 "
    "in batches of 50 behind a Keras step, with room for exactly two batches in the buffer.",
    start='mine = replace(EXAMPLES["better"], batch=50)  # change me',
    solution='mine = replace(EXAMPLES["better"], batch=50, prefetch=2, consumer="keras")',
    answer="mine",
    hint="prefetch takes a number as well as a word; the consumers are listed in the panel.",
    right="Two batches wait while Keras trains on a third.",
    look=_two_batches,
)


def _without(made: Any, seen: Seen) -> None:
    from helpers.diagnose import xray  # it takes a moment, and no other exercise needs it

    rows = looking.numbered(40, (2,))
    plain = tf.data.Dataset.from_generator(
        lambda: iter(rows), output_signature=tf.TensorSpec((2,), tf.float32)
    )
    mine = looking.dataset(looking.called(made, plain))
    got = np.array([row.numpy() for row in mine])
    if not np.array_equal(got, rows):
        raise NotYetError("The data set should yield the same rows, and only run differently.")
    if mine.options().autotune.enabled is False:
        raise NotYetError(
            "That switches off TensorFlow's tuning of every size and number, which is another "
            "matter than a prefetch."
        )
    if mine.options().experimental_optimization.apply_default_optimizations is False:
        raise NotYetError(
            "That switches off every rewrite that is on by default; one of them is meant."
        )
    written = _written(mine)
    found = xray(mine).names.count("Prefetch")
    if seen.count("Prefetch nodes in the running pipeline", found, 0):
        return
    if written:
        raise NotYetError("There is a prefetch in it because you wrote one, of whatever size.")
    raise NotYetError(
        "You wrote no prefetch, and there is one: TensorFlow's rewrite put it there, and has to be "
        "told not to."
    )


def _written(dataset: tf.data.Dataset) -> bool:
    """Tells whether a prefetch is among the steps that somebody wrote."""
    steps = [dataset]
    while steps:
        step = steps.pop()
        if "Prefetch" in type(step).__name__:
            return True
        steps += step._inputs()
    return False


WITHOUT = Exercise(
    name="03-without-prefetch",
    title="None at all",
    spec="Write what `prefetch='off'` stands for: a function that returns the same data set, in "
    "which no prefetch runs, TensorFlow's own neither. The check runs it and X-rays it.",
    start="""
def without_prefetch(dataset):
    return dataset  # change me
""",
    solution="""
def without_prefetch(dataset):
    alone = tf.data.Options()
    alone.experimental_optimization.inject_prefetch = False
    return dataset.with_options(alone)
""",
    answer="without_prefetch",
    hint='The code with `prefetch="off"` is printed above. A data set takes its options by '
    "`with_options`, and returns a new data set.",
    right="The running pipeline has the same rows, and no Prefetch node.",
    look=_without,
)
