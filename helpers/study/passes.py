"""Epochs one after the other, each as long as a loop over it takes: to the end of its iterator."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from functools import partial

import numpy as np

from helpers.measure import Arm, pick
from helpers.quiet import tf

ROWS, ROW_S = 30, 0.002
"""An epoch takes some 0.09 s.

TensorFlow's autotuning looks at a pipeline when 10, 30, 70, 150, 310, 630 ms have passed since its
iterator began (`Model::OptimizeLoop` in tensorflow/core/framework/model.cc): an epoch of this
length is over soon after the look at 70 ms.
"""


def end_ms(*, autotune: bool = True) -> list[float]:
    """How many milliseconds pass from the last row of an epoch to the end of the loop over it.

    Args:
        autotune: As for `passes_arm`.

    Returns:
        That of one epoch after the other.
    """
    dataset, ends = _dataset(autotune), []
    for _ in range(pick(20, 8)):
        last = 0.0
        for _ in dataset:
            last = time.perf_counter()
        ends.append(1e3 * (time.perf_counter() - last))
    return ends


def passes_arm(name: str, *, autotune: bool = True, one_iterator: bool = False) -> Arm:
    """An arm whose elements are epochs, each to the end of its loop.

    Args:
        name: What figures call it.
        autotune: Whether tf.data tunes the pipeline, as it does unless it is told not to.
        one_iterator: Whether one iterator gives all epochs, in place of a new one for each.
    """
    return Arm(name, partial(_passes, pick(5, 3), autotune, one_iterator), examples=_itself)


def _passes(count: int, autotune: bool, one_iterator: bool) -> Iterator[int]:
    dataset = _dataset(autotune)
    if one_iterator:
        all_rows = iter(dataset.repeat(count))
        for _ in range(count):
            yield sum(1 for _ in itertools.islice(all_rows, ROWS))
    else:
        for _ in range(count):
            yield sum(1 for _ in dataset)  # whose iterator is gone when the sum is there


def _dataset(autotune: bool) -> tf.data.Dataset:
    options = tf.data.Options()
    options.autotune.enabled = autotune
    return tf.data.Dataset.from_generator(
        _slow, output_signature=tf.TensorSpec((), tf.int64)
    ).with_options(options)


def _slow() -> Iterator[np.int64]:
    for number in range(ROWS):
        time.sleep(ROW_S)
        yield np.int64(number)


def _itself(rows: int) -> int:
    return rows
