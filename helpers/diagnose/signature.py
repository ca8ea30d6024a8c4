"""The signature that rows really have, and what is wrong with the one that is given."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.bridge.structure import leaves_of, map_structure
from helpers.quiet import tf


@dataclass(frozen=True)
class SignatureReport:
    """What is said of the signature.

    Attributes:
        proposed: As text to paste.
        given: The given one as text; "" without.
        rows: Rows that it rests on.
        problems: What is wrong with the given one, a sentence each.
        looseness: What it leaves needlessly open, a sentence each.
    """

    proposed: str
    given: str
    rows: int
    problems: tuple[str, ...]
    looseness: tuple[str, ...]


def propose(rows: Sequence[Any]) -> Any:
    """Returns the specs of rows: dimensions that differ are None, and so is a rank that differs.

    Args:
        rows: One or more rows of one structure.

    Raises:
        ValueError: If the rows differ in structure or cannot be made tensors.
    """
    names = [name for name, _ in leaves_of(rows[0])]
    shapes: dict[str, list[tuple[int, ...]]] = {name: [] for name in names}
    types: dict[str, set[Any]] = {name: set() for name in names}
    for index, row in enumerate(rows):
        parts = leaves_of(row)
        if [name for name, _ in parts] != names:
            raise ValueError(f"row {index} has other components than row 0: make them all alike.")
        for name, leaf in parts:
            shape, dtype = _shape_and_type(leaf, name, index)
            shapes[name].append(shape)
            types[name].add(dtype)
    specs = {name: _spec(shapes[name], types[name], name) for name in names}
    order = iter(names)
    return map_structure(lambda leaf: specs[next(order)], rows[0])


def _shape_and_type(leaf: Any, name: str, index: int) -> tuple[tuple[int, ...], Any]:
    if leaf is None:
        raise ValueError(
            f"component{name} of row {index} is None: leave such rows out, or give them a value"
        )
    try:
        # a Python float becomes float32 in TensorFlow and float64 in NumPy: TensorFlow is asked
        known = isinstance(leaf, (np.ndarray, np.generic)) and not leaf.dtype.hasobject
        tensor = leaf if known else tf.convert_to_tensor(leaf)
        dtype = tf.as_dtype(tensor.dtype if tensor.dtype != "O" else "string")
        return tuple(tensor.shape), tf.string if tf.as_dtype(dtype) == tf.string else dtype
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"component{name} of row {index} is a {type(leaf).__name__} that cannot be made a "
            f"tensor: {error}"
        ) from None


def _spec(shapes: list[tuple[int, ...]], types: set[Any], name: str) -> tf.TensorSpec:
    if len(types) > 1:
        numbers = [one.as_numpy_dtype for one in types if one != tf.string]
        if len(numbers) < len(types):
            raise ValueError(f"component{name} is text in some rows and a number in others.")
        types = {tf.as_dtype(np.result_type(*numbers))}
    dtype = next(iter(types))
    if len({len(shape) for shape in shapes}) > 1:
        return tf.TensorSpec(None, dtype)
    sizes = [set(column) for column in zip(*shapes, strict=True)]
    return tf.TensorSpec([next(iter(s)) if len(s) == 1 else None for s in sizes], dtype)


def differ_in_length(rows: Sequence[Any]) -> bool:
    """Tells whether batches of rows have to be padded, and can be.

    Args:
        rows: As for `propose`.

    Raises:
        ValueError: As `propose`.
    """
    shapes = [spec.shape for _, spec in leaves_of(propose(rows))]
    if any(shape.rank is None for shape in shapes):
        return False
    return not all(shape.is_fully_defined() for shape in shapes)


def check(given: Any, rows: Sequence[Any]) -> tuple[list[str], list[str]]:
    """Returns what is wrong with a signature and what it leaves open, a sentence each.

    Args:
        given: As for `from_generator`.
        rows: Rows to hold it to.
    """
    specs = leaves_of(given)
    for name, spec in specs:
        if not isinstance(spec, tf.TypeSpec):
            return [
                f"component{name} of output_signature is {spec!r}, which is no tf.TypeSpec: types "
                "alone belong into output_types"
            ], []
    problems, loose = [], []
    names = [name for name, _ in leaves_of(rows[0])]
    if names != [name for name, _ in specs]:
        wanted, found = (", ".join(part or "one value" for part in group) for group in
                         ([name for name, _ in specs], names))  # fmt: skip
        return [f"it describes {wanted}, and a row has {found}"], []
    for place, (name, spec) in enumerate(specs):
        if not isinstance(spec, tf.TensorSpec):
            continue
        shapes = []
        for index, row in enumerate(rows):
            leaf = leaves_of(row)[place][1]
            shape = np.shape(leaf)
            shapes.append(shape)
            if not spec.shape.is_compatible_with(shape):
                problems.append(
                    f"component{name} of row {index} has shape {shape}, where {spec.shape} is given"
                )
                break
            if not _convertible(leaf, spec.dtype):
                problems.append(
                    f"component{name} of row {index} is a {type(leaf).__name__} that does not "
                    f"become {spec.dtype.name}"
                )
                break
        if len(rows) >= 8 and not problems:
            loose += _loose(name, spec, shapes)
    return problems, loose


def _loose(name: str, spec: tf.TensorSpec, shapes: list[tuple[int, ...]]) -> list[str]:
    if len({len(shape) for shape in shapes}) > 1:
        return []
    if spec.shape.rank is None:
        return [f"component{name} has an unknown rank, and {len(shapes[0])} in all rows seen"]
    columns = zip(spec.shape, zip(*shapes, strict=True), strict=True)
    return [
        f"dimension {place} of component{name} is None, and {sizes[0]} in all rows seen"
        for place, (size, sizes) in enumerate(columns)
        if size is None and len(set(sizes)) == 1
    ]


def _convertible(leaf: Any, dtype: tf.DType) -> bool:
    try:
        if dtype == tf.string:
            return np.asarray(leaf).dtype.kind in "USO"
        np.asarray(leaf, dtype=dtype.as_numpy_dtype)
    except (TypeError, ValueError, OverflowError):
        return False
    return True


def text_of(signature: Any) -> str:
    """Writes a signature as code to paste."""
    if isinstance(signature, dict):
        parts = ", ".join(f"{key!r}: {text_of(value)}" for key, value in signature.items())
        return "{" + parts + "}"
    if hasattr(signature, "_fields"):
        parts = ", ".join(f"{key}={text_of(value)}" for key, value in signature._asdict().items())
        return f"{type(signature).__name__}({parts})"
    if isinstance(signature, tuple):
        inside = ", ".join(map(text_of, signature))
        return f"({inside},)" if len(signature) == 1 else f"({inside})"
    if isinstance(signature, tf.TensorSpec):
        shape = "None" if signature.shape.rank is None else str(tuple(signature.shape))
        return f"tf.TensorSpec({shape}, tf.{signature.dtype.name})"
    return repr(signature)


def report(given: Any, rows: Sequence[Any]) -> tuple[SignatureReport, Any]:
    """Returns what is said of a signature, and the one to go on with.

    Args:
        given: None if it is missing.
        rows: Rows, one or more.

    Raises:
        ValueError: If no signature fits the rows.
    """
    try:
        proposed = propose(rows)
    except ValueError:
        if given is None:
            raise
        proposed = given
    problems, loose = ([], []) if given is None else check(given, rows)
    use = proposed if given is None or problems else given
    said = SignatureReport(
        text_of(proposed), "" if given is None else text_of(given), len(rows), tuple(problems),
        tuple(loose),
    )  # fmt: skip
    return said, use
