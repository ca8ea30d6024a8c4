"""What can be seen of a data set without timing it: its nodes, its operations, its memory."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from helpers.quiet import tf

from .arms import generated


def nodes(dataset: tf.data.Dataset) -> list[str]:
    """Names of the nodes of the running pipeline, after TensorFlow's own rewriting.

    Args:
        dataset: Yields at least one element.
    """
    iterator = iter(dataset)
    next(iterator)
    model = tf.data.experimental.get_model_proto(iterator)
    return [node.name for node in model.nodes.values() if node.name != "Root"]


def operations(dataset: tf.data.Dataset) -> set[str]:
    """Names of the operations in a data set's graph and the functions that it calls."""
    serialized = tf.raw_ops.DatasetToGraphV2(
        input_dataset=tf.data.experimental.to_variant(dataset),
        external_state_policy=1,  # a Python generator is state that a graph cannot hold: ignore it
        strip_device_assignment=True,
    )
    graph = tf.compat.v1.GraphDef.FromString(serialized.numpy())
    bodies = [graph.node, *(function.node_def for function in graph.library.function)]
    return {node.op for body in bodies for node in body}


def keeps_memory(array: np.ndarray) -> bool:
    """Tells whether the tensor that from_generator makes of an array lies in its memory."""
    dataset = generated(partial(iter, [array]), array.shape)
    return any(_address(tensor) == _address(array) for tensor in dataset)


def _address(values: Any) -> int:
    """Address of the first byte of an array, or of a tensor in the processor's memory."""
    return np.asarray(values).ctypes.data
