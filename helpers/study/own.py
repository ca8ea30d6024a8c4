"""A reader's own generator as an arm of a comparison."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from helpers.measure import Arm
from helpers.quiet import tf


def generator_arm(
    generator: Callable[[], Iterable[Any]], output_signature: Any, *, take: int | None = None
) -> Arm:
    """Makes an arm of `tf.data.Dataset.from_generator`, to be named where it is compared.

    Args:
        generator: Called without arguments, once a trial; yields rows.
        output_signature: Of one row.
        take: Rows at most; all that it yields unless given.
    """

    def build() -> tf.data.Dataset:
        dataset = tf.data.Dataset.from_generator(generator, output_signature=output_signature)
        return dataset if take is None else dataset.take(take)

    return Arm(getattr(generator, "__name__", "generator"), build)
