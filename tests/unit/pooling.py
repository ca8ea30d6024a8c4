"""Pools of worker processes for tests, and what to watch of them. It imports no TensorFlow."""

import contextlib
import functools
import os
import time

import numpy as np
import psutil

from helpers.bridge.chunks import Plan
from helpers.bridge.processes import WorkerPool
from helpers.bridge.sharding import GeneratorShards, Order, SourceShards
from helpers.bridge.structure import Component, Layout

SCALAR = [(np.dtype(np.int64), ())]
TEXT = [None]
SECONDS = 20  # for everything that is waited for


def plan_of(components=SCALAR, chunk_rows=4, *, chunk_batches=1, varying=None, padding=None):
    """A plan for rows that are tuples of components, or one component.

    Each is (dtype, row shape), or None for a text; a chunk is one batch of `chunk_rows` rows.
    """
    pairs = [(np.dtype(object), ()) if c is None else c for c in components]
    numbers = tuple(range(len(pairs)))
    layout = Layout(
        numbers if len(pairs) > 1 else 0,
        tuple(
            Component(f"component {number}", np.dtype(dtype), shape)
            for number, (dtype, shape) in zip(numbers, pairs, strict=True)
        ),
    )
    padding = [0] * len(pairs) if varying == "pad" and padding is None else padding or ()
    return Plan(layout, chunk_rows, False, varying, padding, chunk_batches)


def source_shards(source, rows=4, *, shuffle=False):
    """Shards of a source, in stretches and batches of `rows` rows."""
    return SourceShards(source, Order(len(source), shuffle), rows, rows)


def open_pool(
    rows, components=SCALAR, *, chunk_rows=4, num_workers=2, ahead=True, max_slots=8, **plan
):
    """Opens a pool.

    Args:
      rows: A generator function that takes its shard, a tuple of one and its first arguments, or
        shards.
      components: See `plan_of`.
      chunk_rows: See `plan_of`.
      num_workers: See `WorkerPool`.
      ahead: See `WorkerPool`.
      max_slots: See `WorkerPool`.
      plan: Further arguments of `plan_of`.
    """
    if isinstance(rows, tuple):
        rows = functools.partial(*rows)
    shards = GeneratorShards(rows) if not hasattr(rows, "subject") else rows
    return WorkerPool(
        shards,
        plan_of(components, chunk_rows, **plan),
        num_workers=num_workers,
        ahead=ahead,
        max_slots=max_slots,
    )


@contextlib.contextmanager
def closing_pools():
    """Gives `open_pool`; closes what it has opened, after which no process may be left."""
    pools = []

    def make(*args, **options):
        pools.append(open_pool(*args, **options))
        return pools[-1]

    yield make
    for pool in pools:
        pids = pool.processes
        pool.close()
        assert gone(pids)


def lanes_of(pool):
    return [lane for crew in pool._crews for lane in crew.lanes]


def drain(epoch):
    """The rows of each chunk that is left, of its only component."""
    return [chunk[0].tolist() for chunk in epoch]


def gone(pids):
    return not any(psutil.pid_exists(pid) for pid in pids)


def descriptors():
    """The open file descriptors of this process, each with what it leads to.

    Two such sets tell what was opened in between, whatever of other tests was closed meanwhile.
    """
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the one that reads this folder
            found.add((number, os.readlink(f"/proc/self/fd/{number}")))
    return found


def wait_for(condition):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "condition not met in time"
        time.sleep(0.01)
