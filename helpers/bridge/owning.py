"""What a data set keeps alive, and what goes with it.

TensorFlow never forgets a Python function that a graph calls (until 2.22; script_ops.py), so such a
function may refer only weakly to what it needs. The data set keeps that alive: its Python object,
which those derived from it and their iterators refer to; inside a graph, where the object does not
outlive the building, the graph of the function being traced.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Generic, TypeVar

from helpers.quiet import tf

T = TypeVar("T")


class Kept(Generic[T]):
    """Something that a data set keeps alive.

    Args:
      value: What it is.
    """

    def __init__(self, value: T):
        self.value = value


def weakly(kept: Kept[T]) -> Callable[[], T]:
    """Gives a function that returns what is kept, and does not keep it.

    Raises:
      RuntimeError: Nothing keeps it any more (raised by that function).
    """
    reference = weakref.ref(kept)

    def get() -> T:
        found = reference()
        if found is None:
            raise RuntimeError(
                "the data set that is being read is gone, and its generator with it; keep a "
                "reference to the data set for as long as something reads it"
            )
        return found.value

    return get


def keep(dataset: tf.data.Dataset, kept: Kept) -> tf.data.Dataset:
    """Has a data set keep something alive, from now on.

    Returns:
      The data set.
    """
    if tf.executing_eagerly():
        dataset._bridge_keeps = kept
    else:
        graph = tf.compat.v1.get_default_graph()
        graph._bridge_keeps = [*getattr(graph, "_bridge_keeps", ()), kept]
    return dataset
