"""The benchmark's own arms: two ways that TensorFlow offers, one that users write, the bridge."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from helpers import bridge
from helpers.bench.workloads import Stored, Workload, columns, stack
from helpers.quiet import tf

SLICES = "from_tensor_slices"
ONE_THREAD = "slices, one thread"
GENERATOR = "from_generator"
STACK = "np.stack in generator"
ROWS = "bridge, rows"
BRIDGE_SLICES = "bridge, slices"
BRIDGE_WORKER = "bridge, 1 worker"
BRIDGE_WORKERS = "bridge, 2 workers"
BARE = "bare Python loop"
ROWS_ALONE = "rows"


@dataclass(frozen=True)
class Way:
    """One way to load a workload's rows.

    Attributes:
        name: What tables call it.
        make: Makes, of a workload and its rows, what is iterated once an epoch. It is called
            once, so that workers persist over the epochs of those that keep them.
        size: How many rows its epochs have, "many", "some" or "few"; see `Workload`. Arms of one
            size are measured in the same rounds, and beside the first arm.
        delivers: What arrives in Python: "TensorFlow", "torch", "NumPy", "rows" one by one, or
            "numbers" of rows that stay where they were read.
        plain: Turns what arrives into arrays, to compare the content.
        peer: Whether it is another loader, which may fail without ending the run.
    """

    name: str
    make: Callable[[Workload, Stored], Iterable[Any]]
    size: str = "many"
    delivers: str = "TensorFlow"
    plain: Callable[[Any], Any] = lambda element: element
    peer: bool = False


class NotOffered(Exception):
    """A way does not exist for a workload; the message says why."""


def own_ways(workload: Workload) -> list[Way]:
    """The benchmark's own arms for a workload; the first one is what all are compared with."""
    if workload.kind == "work":
        return [
            Way(BARE, _bare, delivers=ROWS_ALONE),
            Way(GENERATOR, _generator),
            Way(ROWS, _rows),
            Way(BRIDGE_WORKER, partial(_rows, num_workers=1)),
            Way(BRIDGE_WORKERS, _workers),
        ]
    plain = parts_of_ragged if workload.kind == "ragged" else _itself
    ways = [
        Way(SLICES, _tensor_slices, plain=plain),
        Way(GENERATOR, _generator, size="few", plain=plain),
        Way(STACK, _stack, plain=plain),
        Way(ROWS, _rows, plain=plain),
        Way(BRIDGE_SLICES, _slices, plain=plain),
    ]
    if _costs_a_copy(workload):
        ways.insert(1, Way(ONE_THREAD, _slices_in_one_thread))
        ways += [Way(BRIDGE_WORKER, partial(_rows, num_workers=1)), Way(BRIDGE_WORKERS, _workers)]
    return ways


def _costs_a_copy(workload: Workload) -> bool:
    """Whether the time of a row goes into its copy, which more than one thread can share."""
    return workload.kind == "array" and workload.make(1).ndim > 1


def _itself(element: Any) -> Any:
    return element


def parts_of_ragged(element: tf.RaggedTensor) -> dict[str, tf.Tensor]:
    """A ragged batch as its values and lengths, which have arrays."""
    return {"values": element.values, "lengths": element.row_lengths()}


def signature(workload: Workload, rows: Any) -> Any:
    """The signature of one row."""
    if workload.kind == "dict":
        return {name: tf.TensorSpec((), tf.float32) for name in rows[0]}
    if workload.kind == "text":
        return tf.TensorSpec((), tf.string)
    if workload.kind in ("ragged", "padded"):
        return tf.TensorSpec((None,), tf.float32)
    return tf.TensorSpec(rows.shape[1:], tf.float32)


# ------------------------------------------------------------------------ TensorFlow's own ways


def _tensor_slices(workload: Workload, source: Stored) -> tf.data.Dataset:
    """The first arm: rows as tensors, cut and batched by TensorFlow.

    Where an epoch goes through the rows several times it repeats whole batches, which costs
    nothing a row.
    """
    if workload.kind not in ("ragged", "padded"):
        rows = tf.data.Dataset.from_tensor_slices(columns(workload.kind, source.rows))
        return _repeated(rows.batch(workload.batch_size), source)
    rows = tf.data.Dataset.from_tensor_slices(_ragged_tensor(source.rows))
    batches = rows.batch(workload.batch_size)
    if workload.kind == "padded":  # padded_batch takes no rows that come as RaggedTensors
        batches = batches.map(lambda batch: batch.to_tensor())
    return _repeated(batches, source)


def _slices_in_one_thread(workload: Workload, source: Stored) -> tf.data.Dataset:
    """The same without the option by which TensorFlow copies the rows of a batch with all cores."""
    options = tf.data.Options()
    options.experimental_optimization.parallel_batch = False
    return _tensor_slices(workload, source).with_options(options)


def _generator(workload: Workload, source: Stored) -> tf.data.Dataset:
    rows = tf.data.Dataset.from_generator(
        source.generate, output_signature=signature(workload, source.rows)
    )
    return _batch(workload, rows).prefetch(tf.data.AUTOTUNE)


def _batch(workload: Workload, rows: tf.data.Dataset) -> tf.data.Dataset:
    if workload.kind == "padded":
        return rows.padded_batch(workload.batch_size)
    if workload.kind == "ragged":
        return rows.ragged_batch(workload.batch_size)
    return rows.batch(workload.batch_size)


def _repeated(batches: tf.data.Dataset, source: Stored) -> tf.data.Dataset:
    if source.passes > 1:
        batches = batches.repeat(source.passes)
    return batches.prefetch(tf.data.AUTOTUNE)


def _ragged_tensor(rows: list[np.ndarray]) -> tf.RaggedTensor:
    return tf.RaggedTensor.from_row_lengths(np.concatenate(rows), [len(row) for row in rows])


# ------------------------------------------------------------------------- what users write


def _stack(workload: Workload, source: Stored) -> tf.data.Dataset:
    """Batches made in the generator: one crossing a batch, and a copy of it."""
    if workload.kind == "ragged":
        spec = (tf.TensorSpec((None,), tf.float32), tf.TensorSpec((None,), tf.int64))
        parts = tf.data.Dataset.from_generator(
            lambda: map(_values_and_lengths, in_batches(workload, source)), output_signature=spec
        )
        return parts.map(tf.RaggedTensor.from_row_lengths).prefetch(tf.data.AUTOTUNE)
    spec = tf.nest.map_structure(
        lambda row: tf.TensorSpec((None, *row.shape), row.dtype), signature(workload, source.rows)
    )
    return tf.data.Dataset.from_generator(
        lambda: (stack(workload.kind, rows) for rows in in_batches(workload, source)),
        output_signature=spec,
    ).prefetch(tf.data.AUTOTUNE)


def in_batches(workload: Workload, source: Stored) -> Iterator[list[Any]]:
    """The rows of an epoch in lists of a batch each."""
    rows = source.generate()
    return iter(lambda: list(itertools.islice(rows, workload.batch_size)), [])


def _values_and_lengths(rows: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate(rows), np.array([len(row) for row in rows], np.int64)


def _bare(workload: Workload, source: Stored) -> Iterable[Any]:
    return _Again(source)


class _Again:
    """The generator itself, started anew for each epoch: no TensorFlow, no batches."""

    def __init__(self, source: Stored) -> None:
        self._source = source

    def __iter__(self) -> Iterator[Any]:
        return self._source.generate()


# ------------------------------------------------------------------------------- the bridge


def _rows(workload: Workload, source: Stored, num_workers: int = 0) -> tf.data.Dataset:
    """The same generator as `from_generator` gets, unchanged."""
    return bridge.from_generator(
        source.generate,
        output_signature=signature(workload, source.rows),
        batch_size=workload.batch_size,
        varying=_varying(workload),
        num_workers=num_workers,
    ).prefetch(tf.data.AUTOTUNE)


def _slices(workload: Workload, source: Stored) -> tf.data.Dataset:
    """The rows as an array, which `aligned` has copied once, before and outside of every trial.

    The first arm has them as a tensor, which is a copy as well.
    """
    if workload.kind in ("ragged", "padded"):
        raise NotOffered("rows of varying length have no array to be cut from")
    arrays = columns(workload.kind, source.rows)
    if workload.kind == "array":
        arrays = bridge.aligned(arrays)
    return _repeated(bridge.from_source(arrays, batch_size=workload.batch_size), source)


def _workers(workload: Workload, source: Stored) -> tf.data.Dataset:
    """Two processes; rows that cost no work go in chunks of about 16 MB, as the docstring says."""
    batch_bytes = workload.batch_size * source.rows[0].nbytes
    batches = 1 if workload.kind == "work" else max(1, (16 << 20) // batch_bytes)
    return bridge.from_source(
        source,
        batch_size=workload.batch_size,
        num_workers=2,
        chunk_size=batches * workload.batch_size,
    ).prefetch(tf.data.AUTOTUNE)


def _varying(workload: Workload) -> str | None:
    return {"ragged": "ragged", "padded": "pad"}.get(workload.kind)
