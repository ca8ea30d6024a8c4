"""The consumer as a step for each batch."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from helpers.quiet import tf

Step = Callable[[Any], object]


def refusal(step: Step, name: str, batch: Any) -> str:
    """Gives the consumer a batch, and says in a sentence why it could not take it; "" if it could.

    Args:
        step: From `step_of`.
        name: Likewise.
        batch: One batch.
    """
    try:
        step(batch)
    except Exception as error:
        lines = [line.strip() for line in _COLOUR.sub("", str(error)).splitlines()]
        lines = [line for line in lines if line and not line.startswith("Exception encountered")]
        said = lines[0] if lines else ""
        shapes = [str(getattr(part, "shape", "")) for part in tf.nest.flatten(batch)]
        return (
            f"The consumer, {name}, is called with one batch (here of shape "
            f"{' and '.join(shapes)}) and raised {type(error).__name__}: {said}"
        )
    return ""


_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
"""What Keras paints its messages with."""


def step_of(consumer: Any) -> tuple[Step | None, str, bool]:
    """Returns the step, its name, and whether it is a Keras model's.

    Args:
        consumer: A callable that takes a batch, a compiled Keras model, or None.

    Raises:
        TypeError: If it is neither.
        ValueError: If the model is not compiled.
    """
    if consumer is None:
        return None, "idle", False
    if isinstance(consumer, tf.keras.Model):
        if not getattr(consumer, "compiled", False):
            raise ValueError("the model is not compiled: call model.compile(…) first.")

        def train(batch: Any) -> object:
            return consumer.train_on_batch(*(batch if isinstance(batch, tuple) else (batch,)))

        return train, f"Keras model {consumer.name}", True
    if not callable(consumer):
        raise TypeError(
            "the consumer is a callable that takes a batch, or a compiled Keras model; found "
            f"{type(consumer).__name__}."
        )
    return consumer, getattr(consumer, "__name__", "a callable"), False
