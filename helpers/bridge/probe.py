"""A first look at a source in the process where it belongs.

A source may open its file with its first item. If that happened here, the number of the file's
descriptor would travel to workers with it, where it means another file.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from helpers.bridge.chunks import Plan
from helpers.bridge.errors import GeneratorError
from helpers.bridge.processes import WorkerPool
from helpers.bridge.sending import check_sendable
from helpers.bridge.sharding import Stretch, Turn
from helpers.bridge.structure import Component, Layout

_PLAN = Plan(
    Layout(0, (Component("component", np.dtype(object), ()),)),
    batch_size=1,
    drop_remainder=False,
    varying=None,
    padding=(),
    chunk_batches=1,
)


class Look:
    """Reads the length and the first item of a source, in a worker.

    Args:
      source: The source.
    """

    def __init__(self, source: Any):
        self.source = source

    @property
    def subject(self) -> tuple[str, Any]:
        """What of the user's is sent to workers, after its name."""
        return "the source", self.source

    def __call__(self, turn: Turn, args: Sequence) -> Iterator[Stretch]:
        """Gives a single row: length and item, pickled."""
        yield Stretch(self._rows, lambda _: "the first item of the source")

    def _rows(self) -> Iterator[bytes]:
        count = len(self.source)
        yield pickle.dumps((count, self.source[0] if count else None))


def first_item(source: Any) -> tuple[int, Any]:
    """Looks at a source in a worker process.

    Args:
      source: Anything with `__len__` and `__getitem__`.

    Returns:
      Its length, and its first item; None without any.

    Raises:
      TypeError: It cannot be sent to a worker, or what it raised is one.
      ValueError: What it raised is one.
      GeneratorError: It raised something else.
    """
    check_sendable("the source", source)
    pool = WorkerPool(Look(source), _PLAN, num_workers=1)
    try:
        (rows,) = next(pool.epoch(0))
    except GeneratorError as error:
        raise error.with_traceback(None) from None
    finally:
        pool.close()
    return pickle.loads(rows[0])
