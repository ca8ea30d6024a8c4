"""Epochs one after the other, each as long as a loop over it takes: to the end of its iterator."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from functools import partial

import numpy as np

from helpers.measure import Arm, pick
from helpers.quiet import tf

ROW_S = 0.002


def passes_arm(name: str = "", *, autotune: bool = True, one_iterator: bool = False) -> Arm:
    """An arm whose elements are epochs, of rows that sleep for 2 ms each: some 0.09 s.

    TensorFlow's autotuning looks at a pipeline when 10, 30, 70, 150, 310, 630 ms have passed since
    its iterator began (`Model::OptimizeLoop` in tensorflow/core/framework/model.cc): an epoch of
    this length is over soon after the look at 70 ms.

    Args:
        name: What figures call it, if no dictionary of arms says so.
        autotune: Whether tf.data tunes the pipeline, as it does unless it is told not to.
        one_iterator: Whether one iterator gives all epochs, in place of a new one for each.
    """
    rows, count = 30, pick(5, 3)
    build = partial(_passes, rows, count, autotune, one_iterator)
    return Arm(name, build, examples=_itself)


def _passes(rows: int, count: int, autotune: bool, one_iterator: bool) -> Iterator[int]:
    options = tf.data.Options()
    options.autotune.enabled = autotune
    dataset = tf.data.Dataset.from_generator(
        partial(_slow, rows), output_signature=tf.TensorSpec((), tf.int64)
    ).with_options(options)
    if one_iterator:
        all_rows = iter(dataset.repeat(count))
        for _ in range(count):
            yield sum(1 for _ in itertools.islice(all_rows, rows))
    else:
        for _ in range(count):
            yield sum(1 for _ in dataset)  # whose iterator is gone when the sum is there


def _slow(rows: int) -> Iterator[np.int64]:
    for number in range(rows):
        time.sleep(ROW_S)
        yield np.int64(number)


def _itself(rows: int) -> int:
    return rows
