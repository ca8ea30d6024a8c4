"""What a pipeline feeds: a step for each element, of a known kind and length.

As in `workloads`, `listing` shows the body of these functions as the code a reader can paste.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from helpers.quiet import tf

Step = Callable[[Any], object]

COMPUTE_ROWS_PER_US = 0.4
"""Rows of 256 numbers times a 256×256 matrix in a microsecond of `consumer="compute"`.

Counted on the 2-core machine of `workloads.PYTHON_LOOPS_PER_US`, and a constant for the same
reason: more cores make the step shorter.
"""


def device(seconds: float = 0.001) -> Step:
    """A step that sleeps: core and GIL stay free, as while an accelerator computes.

    Args:
        seconds: Length of a step.
    """

    def step(element):
        time.sleep(seconds)  # like waiting for an accelerator: core and GIL stay free

    return step


def python(loops: int = 75_000) -> Step:
    """A step in Python, which holds the GIL that the generator needs too.

    Args:
        loops: Turns of an empty loop; see `workloads.PYTHON_LOOPS_PER_US`.
    """

    def step(element):
        for _ in range(loops):  # work in Python: holds the GIL
            pass

    return step


def compute(rows: int = 400) -> Step:
    """A step in TensorFlow on the processor's cores, without the GIL.

    Args:
        rows: Rows of the matrix product; see `COMPUTE_ROWS_PER_US`.
    """
    inputs = tf.ones((rows, 256))
    weights = tf.eye(256)

    def step(element):
        tf.matmul(inputs, weights)  # work on the cores: frees the GIL

    return step


def keras() -> Step:
    """A real train step of a tiny Keras model on each batch.

    The model is made, and its train function traced, once for all trials of an arm; tracing falls
    into the first, which a comparison counts as warm-up.
    """
    model = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")

    def step(batch):
        model.train_on_batch(batch, tf.zeros((len(batch), 1)))

    return step


def graph() -> Callable[[Any], Any]:
    """The loop itself within TensorFlow: no Python between two elements, and so no step either.

    It returns how many elements it drained.
    """

    @tf.function
    def drain(iterator):
        elements = 0
        for _ in iterator:
            elements += 1
        return elements

    return drain
