"""The consumer as a step for each batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from helpers.quiet import tf

Step = Callable[[Any], object]


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
