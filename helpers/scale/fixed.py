"""Rows that all have one shape, which is what a file or a block of them can hold."""

from __future__ import annotations

from typing import Any

from helpers.bridge.signature import NotChunkableError, layout_of
from helpers.bridge.structure import Layout


def fixed_layout(signature: Any, place: str) -> Layout:
    """Lays out rows that take as many bytes each.

    Args:
        signature: Nested structure of `tf.TypeSpec`s of a row.
        place: What is to hold them, for the message.

    Raises:
        TypeError: A component is not a `tf.TypeSpec`, or of a type that Python has no values of.
        ValueError: Such rows have no place in it, or not one shape.
    """
    try:
        layout = layout_of(signature)
    except NotChunkableError as reason:
        raise ValueError(f"{reason}, which has no place in {place}.") from None
    for component in layout.components:
        if not component.is_fixed:
            raise ValueError(
                f"{component.name} has a dimension of unknown size; give all rows one shape first, "
                "padded for example."
            )
    return layout
