"""The components of a row, in tf.data's sense: tuples and dicts nest, lists are arrays."""

from __future__ import annotations

from typing import Any


def leaves(row: Any) -> list[Any]:
    """Returns the components of a row, dictionaries in the order of their keys."""
    return [leaf for _, leaf in named_leaves(row)]


def named_leaves(row: Any, name: str = "") -> list[tuple[str, Any]]:
    """Returns the components with how they are reached, such as "['image']" or "[1]"."""
    if isinstance(row, dict):
        parts = [(f"{name}[{key!r}]", row[key]) for key in sorted(row)]
    elif isinstance(row, tuple):
        parts = [(f"{name}[{place}]", value) for place, value in enumerate(row)]
    else:
        return [(name, row)]
    return [leaf for part, value in parts for leaf in named_leaves(value, part)]


def mapped(function: Any, row: Any) -> Any:
    """Applies a function to each component and keeps the nesting."""
    if isinstance(row, dict):
        return {key: mapped(function, value) for key, value in row.items()}
    if isinstance(row, tuple):
        return tuple(mapped(function, value) for value in row)
    return function(row)
