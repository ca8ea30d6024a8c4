"""Rows of Python made on a Ray cluster, and handed to TensorFlow in blocks.

Ray is an extra (`make cluster`); nothing else here needs it. What Ray promises holds here: each
block comes once, also when a worker dies, since Ray makes it anew (a generator has to give the same
rows then); the order of the blocks is kept only where it is asked for; a generator that raises
ends the epoch.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from helpers.bridge.batcher import cut
from helpers.bridge.buffers import Pool
from helpers.bridge.chunks import Chunks, Plan, Workspace
from helpers.bridge.errors import GeneratorError
from helpers.bridge.owning import Kept, keep, weakly
from helpers.bridge.signature import plan_of, rows_spec
from helpers.bridge.structure import Layout
from helpers.quiet import tf

from .fixed import fixed_layout

AHEAD = 2
"""Blocks that Ray fetches before they are asked for."""

_SAID = "\N{WHITE SQUARE}"
"""Stands around a worker's sentence, in what Ray says of its failure."""


class RayError(RuntimeError):
    """Ray is not there, or a worker of it could not make its rows."""


@contextmanager
def ray_here(cpus: int | None = None) -> Iterator[None]:
    """Ray on this machine alone, for as long as it is needed: quiet, and gone at the end.

    Args:
        cpus: How many tasks at once; as many as there are cores unless given.

    Raises:
        RayError: Ray is not installed, or did not start.
    """
    ray = _installed()
    with _hushed():
        _start(ray, cpus)
        try:
            ray.data.DataContext.get_current().enable_progress_bars = False
            yield
        finally:
            ray.shutdown()


@contextmanager
def _hushed() -> Iterator[None]:
    """Ray's loggers, which write to standard error, at errors only."""
    logs = [logging.getLogger(name) for name in ("ray", "ray.data")]
    levels = [log.level for log in logs]
    for log in logs:
        log.setLevel(logging.ERROR)
    try:
        yield
    finally:
        for log, level in zip(logs, levels, strict=True):
            log.setLevel(level)


def _start(ray: Any, cpus: int | None) -> None:
    for attempts_left in (2, 1, 0):
        try:
            ray.init(
                num_cpus=cpus, include_dashboard=False, log_to_driver=False,
                logging_level=logging.ERROR, _node_ip_address="127.0.0.1",
            )  # fmt: skip
            return
        except Exception as error:  # where much else runs: it waits half a minute, and no longer
            if not attempts_left:
                raise RayError(f"Ray did not start: {error}") from error


def from_ray(
    rows: Any,
    *,
    output_signature: Any,
    batch_size: int,
    num_shards: int,
    in_order: bool = False,
    name: str | None = None,
) -> tf.data.Dataset:
    """Builds a data set of batches from a generator, or a source, whose rows Ray's workers make.

    The cluster is the one that `ray.init` has joined; without one, Ray starts itself on this
    machine; `ray_here` does that without its log. Blocks go through Ray's object store, are copied
    once into aligned buffers, and TensorFlow takes those over.

    Args:
        rows: A generator function that takes `shard` and `num_shards`, as
            `bridge.from_generator` with workers; or a source with a length and items, of which
            shard k reads every num_shards-th item from k on.
        output_signature: Of a row, of known shapes.
        batch_size: Rows in a batch; the last may have fewer.
        num_shards: Into how many tasks Ray divides them.
        in_order: Shard after shard, which lets Ray's workers wait for each other.
        name: A name for the tf.data operations.

    Raises:
        RayError: Ray is not installed.
        TypeError: `rows` is neither.
        ValueError: Sizes that are none, or a signature whose rows have no one shape.
    """
    ray = _installed()
    if min(batch_size, num_shards) < 1:
        raise ValueError("batch_size and num_shards must be 1 or more.")
    plan = plan_of(
        fixed_layout(output_signature, "a block of rows"),
        batch_size=batch_size,
        drop_remainder=False,
        varying=None,
        padding_values=None,
        chunk_size=batch_size,
    )
    kept = Kept((_blocks(ray, _generator(rows), plan, num_shards, in_order), _Copies(plan.layout)))
    get = weakly(kept)

    def epoch() -> Iterator[Any]:
        blocks, copies = get()
        for block in _told(blocks.iter_batches(batch_size=None, prefetch_batches=AHEAD)):
            yield plan.layout.pack(copies.of(block))

    signature = plan.layout.pack([rows_spec(one) for one in plan.layout.components])
    chunks = tf.data.Dataset.from_generator(epoch, output_signature=signature, name=name)
    return cut(keep(chunks, kept), _uncut(plan), name)


def _installed() -> Any:
    try:
        importlib.import_module("ray.data")
        return importlib.import_module("ray")
    except ImportError:
        raise RayError("Ray is not installed; `make cluster` adds it.") from None


def _generator(rows: Any) -> Callable[..., Iterable]:
    if callable(rows):
        return rows
    if not all(hasattr(rows, name) for name in ("__len__", "__getitem__")):
        raise TypeError(
            "rows must be a generator function or a source with __len__ and __getitem__; found "
            f"{type(rows).__name__}."
        )
    return lambda shard, num_shards: (rows[n] for n in range(shard, len(rows), num_shards))


def _blocks(
    ray: Any, generator: Callable[..., Iterable], plan: Plan, num_shards: int, in_order: bool
) -> Any:
    """Gives Ray's own data set, which makes the rows anew each time it is read."""

    def make(shards: dict[str, np.ndarray]) -> Iterator[dict[str, np.ndarray]]:
        for shard in shards["id"]:
            chunks = Chunks(
                lambda shard=int(shard): generator(shard=shard, num_shards=num_shards),
                plan,
                Workspace.of(plan.layout),
                number=lambda index, shard=int(shard): f"example {index} of shard {shard}",
            )
            try:
                for parts in chunks:
                    yield {f"{number:03d}": part for number, part in enumerate(parts)}
            except GeneratorError as error:  # of which Ray brings the text here, and no cause
                said = str(error).strip().splitlines()[0]
                raise RuntimeError(f"{_SAID}{said}{_SAID}") from error

    ray.data.DataContext.get_current().execution_options.preserve_order = in_order
    shards = ray.data.range(num_shards, override_num_blocks=num_shards)
    return shards.map_batches(make, batch_size=1, batch_format="numpy")


def _told(blocks: Iterable) -> Iterator[dict[str, np.ndarray]]:
    """Passes blocks on, and what their generator raised as an error in a sentence."""
    try:
        yield from blocks
    except Exception as error:
        said = str(error).split(_SAID)
        first = said[1] if len(said) > 2 else str(error).strip().splitlines()[0]
        raise RayError(f"a worker of Ray could not make its rows: {first}") from None


class _Copies:
    """Copies blocks into aligned buffers, which are used again when no tensor refers to them."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._pools = [Pool() for _ in layout.components]

    def of(self, block: dict[str, np.ndarray]) -> list[np.ndarray]:
        """Gives the components of a block."""
        copies = []
        for number, component in enumerate(self._layout.components):
            values = block[f"{number:03d}"]
            if not component.is_text:  # strings TensorFlow copies in any case
                leased = self._pools[number].lease(values.shape, component.dtype)
                leased[...] = values
                values = leased
            copies.append(values)
        return copies


def _uncut(plan: Plan) -> Plan:
    """The plan of blocks of any number of rows: Ray joins and parts them."""
    from dataclasses import replace

    return replace(plan, chunk_batches=None)
