"""What a data set gives, in plain Python and NumPy, and where two such records differ."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from helpers.quiet import tf

LONGEST = 160  # characters of a value in a difference


def plain(value: Any) -> Any:
    """Turns what TensorFlow gives into tuples, dictionaries and arrays that can be compared."""
    if isinstance(value, tf.Tensor):
        return ("tensor", value.numpy()) if value.dtype != tf.variant else ("variant",)
    if isinstance(value, tf.RaggedTensor):
        return ("ragged", value.row_splits.dtype.name, value.dtype.name, value.to_list())
    if isinstance(value, tf.SparseTensor):
        return ("sparse", *(plain(part) for part in (value.indices, value.values)))
    if isinstance(value, tf.data.Dataset):
        return ("data set", [plain(element) for element in value])
    if isinstance(value, tf.distribute.DistributedValues):
        return ("replicas", [plain(part) for part in value.values])
    if isinstance(value, Mapping):
        return {"": type(value).__name__, **{key: plain(part) for key, part in value.items()}}
    if isinstance(value, (tuple, list)):
        return (type(value).__name__, [plain(part) for part in value])
    if type(value).__name__ == "RaggedTensorValue":
        return (
            "ragged",
            value.row_splits.dtype.name,
            value.flat_values.dtype.name,
            value.to_list(),
        )
    if isinstance(value, np.ndarray) and any(isinstance(part, np.ndarray) for part in value.flat):
        return ("array of arrays", [plain(part) for part in value.flat])  # rows of ragged tensors
    if isinstance(value, (np.ndarray, np.generic)):
        return ("array", np.asarray(value))
    return value


def observe(dataset: tf.data.Dataset, epochs: int = 2) -> dict[str, Any]:
    """Records a data set: its specification, cardinality, and the elements of each epoch."""
    return {
        "element_spec": dataset.element_spec,
        "cardinality": int(dataset.cardinality()),
        **{f"epoch {n + 1}": [plain(element) for element in dataset] for n in range(epochs)},
    }


def in_any_order(elements: Iterable[Any]) -> list[Any]:
    """Sorts elements by what they hold, for uses that promise no order."""
    return sorted(elements, key=repr)


def difference(found: Any, expected: Any, place: str = "") -> str | None:
    """Says where two records differ first.

    Args:
      found: What came.
      expected: What was meant.
      place: Words for where in the record these two are.

    Returns:
      A short text, or None if they are equal.
    """
    head = f"{place}: " if place else ""
    if isinstance(expected, np.ndarray) and isinstance(found, np.ndarray):
        return _array_difference(found, expected, head)
    if isinstance(expected, float) and isinstance(found, float):
        close = np.isclose(found, expected, rtol=1e-4, atol=1e-6, equal_nan=True)
        return None if close else f"{head}{found:.6g} where {expected:.6g} was meant"
    if type(found) is not type(expected):
        return f"{head}{_short(found)} where {_short(expected)} was meant"
    if isinstance(expected, dict):
        if list(found) != list(expected):
            return f"{head}keys {list(found)} where {list(expected)} were meant"
        pairs = [(found[key], expected[key], _under(place, key)) for key in expected]
        return next(filter(None, (difference(*pair) for pair in pairs)), None)
    if isinstance(expected, (tuple, list)):
        if len(found) != len(expected):
            sizes = f"{len(found)} where {len(expected)} were meant"
            if isinstance(expected, list):
                return f"{head}{sizes}: {_sizes(found)} for {_sizes(expected)}"
            return f"{head}{sizes}"
        for number, pair in enumerate(zip(found, expected, strict=True)):
            inside = _under(place, number) if isinstance(expected, list) else place
            if text := difference(*pair, inside):
                return text
        return None
    return (
        None if found == expected else f"{head}{_short(found)} where {_short(expected)} was meant"
    )


def _array_difference(found: np.ndarray, expected: np.ndarray, head: str) -> str | None:
    if found.dtype != expected.dtype:
        return f"{head}type {found.dtype} where {expected.dtype} was meant"
    if found.shape != expected.shape:
        return f"{head}shape {found.shape} where {expected.shape} was meant"
    numbers = expected.dtype.kind in "fc"
    if np.array_equal(found, expected, equal_nan=numbers):
        return None
    return f"{head}{_short(found.tolist())} where {_short(expected.tolist())} was meant"


def _under(place: str, key: Any) -> str:
    return f"{place}, {key}" if place else str(key)


def _sizes(elements: list) -> str:
    """The length of the first array of each element."""
    return "[" + ", ".join(_size(element) for element in elements[:12]) + "]"


def _size(element: Any) -> str:
    if isinstance(element, np.ndarray):
        return str(len(element)) if element.ndim else "()"
    if isinstance(element, dict):
        element = list(element.values())
    if isinstance(element, (tuple, list)):
        parts = [part for part in element if not isinstance(part, str)]
        return _size(parts[0]) if parts else "()"
    return "·"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
