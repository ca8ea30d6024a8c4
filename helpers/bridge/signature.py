"""From tf.data's signatures to layouts, and what cannot be chunked."""

from __future__ import annotations

import functools
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import numpy as np

from helpers.bridge.chunks import Plan
from helpers.bridge.structure import Component, Layout, Leaves, is_nested
from helpers.quiet import tf

KINDS = "biufcO"


class NotChunkableError(ValueError):
    """Rows of this signature cannot cross many at a time."""


def check_sizes(**sizes: int | None) -> None:
    """Checks numbers of rows: each a whole number of at least 1, or None.

    Raises:
      ValueError: One is not.
    """
    for name, size in sizes.items():
        if size is None and name != "batch_size":
            continue
        if not _is_whole(size, least=1):
            raise ValueError(f"{name} must be a whole number of at least 1, not {size!r}")


def check_cardinality(cardinality: int | None, num_workers: int) -> None:
    """Checks the number of rows that a generator is said to give.

    Raises:
      ValueError: It is no such number, or several workers share the rows out.
    """
    if cardinality is None:
        return
    if not _is_whole(cardinality, least=0):
        raise ValueError(
            f"cardinality must be a whole number of rows of at least 0, not {cardinality!r}"
        )
    if num_workers > 1:
        raise ValueError(
            "cardinality needs one stream of rows: how many batches several workers give depends "
            "on how their shards divide the rows. Use "
            ".apply(tf.data.experimental.assert_cardinality(number of batches))"
        )


def check_rows(
    varying: str | None, padding_values: Any, num_workers: int, seed: int | None, seeded: bool
) -> None:
    """Checks how rows are to be read.

    Args:
      varying: See `from_generator`.
      padding_values: See `from_generator`.
      num_workers: See `from_generator`.
      seed: See `from_generator`.
      seeded: Whether anything uses the seed.

    Raises:
      ValueError: One of them is wrong.
    """
    if varying not in (None, "pad", "ragged"):
        raise ValueError(f"varying must be 'pad', 'ragged' or None, not {varying!r}")
    if padding_values is not None and varying != "pad":
        raise ValueError("padding_values need varying='pad'; ask for it, or leave them out")
    if not _is_whole(num_workers, least=0):
        raise ValueError(f"num_workers must be a whole number of at least 0, not {num_workers!r}")
    if seed is None:
        return
    if not _is_whole(seed, least=0):
        raise ValueError(f"seed must be a whole number of at least 0, not {seed!r}")
    if not seeded:
        raise ValueError("seed has no effect here; leave it out, or use num_workers or shuffle")


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool) and value >= least


def layout_of(signature: Any, guessed: bool = False) -> Layout:
    """Lays out an output signature.

    Args:
      signature: Nested structure of `tf.TypeSpec`s, as for tf.data's `from_generator`.
      guessed: Whether it is that of a first item, and nobody has asked for it.

    Raises:
      TypeError: A component is not a `tf.TypeSpec`, or of a type that Python has no values of.
      NotChunkableError: Rows of this signature have to cross one by one.
    """
    try:
        layout = Layout.of(signature, functools.partial(_component, guessed=guessed))
    except RecursionError:
        raise NotChunkableError("the signature is nested too deeply") from None
    _check_containers(signature)
    if not layout.components:
        raise NotChunkableError("the signature has no components")
    return layout


def _check_containers(structure: Any) -> None:
    if not is_nested(structure):
        return
    named = isinstance(structure, tuple) and hasattr(structure, "_fields")
    if type(structure) not in (tuple, dict, OrderedDict) and not named:
        raise NotChunkableError(f"the signature holds a {type(structure).__name__}")
    for part in structure.values() if isinstance(structure, Mapping) else structure:
        _check_containers(part)


def _component(name: str, spec: Any, guessed: bool) -> Component:
    if not isinstance(spec, tf.TypeSpec):
        raise TypeError(
            f"output_signature, {name}: expected a tf.TypeSpec such as tf.TensorSpec, found "
            f"{type(spec).__name__}"
        )
    if type(spec) is not tf.TensorSpec:
        raise NotChunkableError(f"{name} is a {type(spec).__name__}")
    if spec.dtype in (tf.resource, tf.variant):
        raise TypeError(f"{name} is of type {spec.dtype.name}, which no value of Python can have")
    if spec.shape.rank is None:
        raise NotChunkableError(f"{name} has a shape of unknown rank")
    dtype = np.dtype(spec.dtype.as_numpy_dtype)
    if spec.dtype != tf.bfloat16 and (dtype.kind not in KINDS or spec.dtype.is_quantized):
        raise NotChunkableError(f"{name} is of type {spec.dtype.name}")
    return Component(name, dtype, tuple(spec.shape.as_list()), guessed)


def plan_of(
    layout: Layout,
    *,
    batch_size: int,
    drop_remainder: bool,
    varying: str | None,
    padding_values: Any,
    chunk_size: int | None,
    count: int | None = None,
) -> Plan:
    """Plans how rows of a layout become chunks, from the arguments of `from_generator`.

    Raises:
      ValueError: `varying` is given and no dimension is unknown, or `padding_values` do not fit.
    """
    if varying is not None and all(c.is_fixed for c in layout.components):
        raise ValueError(
            f"varying={varying!r} needs an output_signature with None in the dimensions that vary; "
            "this one has none"
        )
    return Plan(
        layout,
        batch_size,
        drop_remainder,
        varying,
        padding_of(padding_values, layout) if varying == "pad" else (),
        chunk_size and -(-chunk_size // batch_size),
        count,
    )


def rows_spec(component: Component, rows: int | None = None) -> tf.TensorSpec:
    """What many rows of a component look like, or so many."""
    return tf.TensorSpec((rows, *component.shape), tf.as_dtype(component.dtype))


def padding_of(values: Any, layout: Layout) -> Leaves:
    """Gives the value to pad each component with.

    Args:
      values: A scalar for all components, a structure like that of a row, in which None stands for
        the default, or None: 0, or "" for strings.
      layout: Structure of a row.

    Raises:
      ValueError: The structure or a value does not fit.
    """
    components = layout.components
    if is_nested(values):
        try:
            leaves = layout.reader()(values)
        except TypeError as error:
            raise ValueError(f"padding_values must have the structure of a row: {error}") from None
    else:
        leaves = [values] * len(components)
    return [_padding(value, c) for value, c in zip(leaves, components, strict=True)]


def _padding(value: Any, component: Component) -> Any:
    if value is None:
        return b"" if component.is_text else component.dtype.type(0)
    try:
        return Component(component.name, component.dtype, ()).convert(value)[()]
    except TypeError as error:
        raise ValueError(f"padding_values, {error}") from None
