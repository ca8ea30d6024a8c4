"""The running pipeline's nodes, and the operations that call back into Python."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from helpers.measure import record
from helpers.quiet import tf

CALLBACKS = ("PyFunc", "PyFuncStateless", "EagerPyFunc")
"""Operations that call Python; tensorflow/python/ops/script_ops.py makes them."""


@dataclass(frozen=True)
class Node:
    """One step of a running pipeline, after TensorFlow's optimiser has had its way.

    Attributes:
        name: Such as "Generator", "BatchV2", "MapAndBatch" or "Prefetch".
        depth: Steps between it and the consumer.
        elements: Elements it has produced so far.
        processing_ns: Time spent in the step itself, its inputs left out.
        buffered: Elements waiting in its buffer.
    """

    name: str
    depth: int
    elements: int
    processing_ns: int
    buffered: int


@record
@dataclass(frozen=True)
class XRay:
    """The nodes of a pipeline, from the consumer back to the source."""

    nodes: tuple[Node, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The nodes' names, the source last."""
        return tuple(node.name for node in self.nodes)

    def __str__(self) -> str:
        return "\n".join(" ".join(cell.strip() for cell in row) for row in self._cells())

    def _cells(self) -> list[tuple[str, ...]]:
        rows = [("node", "elements", "own time, ms", "buffered")]
        for node in self.nodes:
            name = "· " * node.depth + node.name
            own = f"{node.processing_ns / 1e6:.1f}"
            rows.append((name, str(node.elements), own, str(node.buffered)))
        return rows

    def _repr_html_(self) -> str:
        heads, *rows = self._cells()
        head = "".join(f"<th>{cell}</th>" for cell in heads)
        body = "".join(
            f"<tr><td style='text-align:left'>{html.escape(name)}</td>"
            + "".join(f"<td>{cell}</td>" for cell in cells)
            + "</tr>"
            for name, *cells in rows
        )
        return f"<table><thead><tr>{head}</tr></thead>{body}</table>"


def xray(dataset: tf.data.Dataset, elements: int = 5) -> XRay:
    """Runs a pipeline for some elements and reads its nodes from `get_model_proto`.

    Args:
        dataset: The pipeline; autotuning, which is on by default, must not be switched off.
        elements: Elements to pull first. It must have more: at its end a pipeline takes its nodes
            down.

    Raises:
        ValueError: If it has too few elements, or its autotuning is off.
    """
    iterator = iter(dataset)
    pulled = sum(1 for _ in islice(iterator, elements + 1))
    if pulled <= elements:
        raise ValueError(
            f"the data set ends after {pulled} elements, and its nodes with it: ask for fewer "
            "than it has."
        )
    try:
        model = tf.data.experimental.get_model_proto(iterator)
    except tf.errors.OpError as error:
        raise ValueError(
            "TensorFlow keeps no model of this pipeline: leave options().autotune.enabled on."
        ) from error
    nodes: list[Node] = []
    waiting = [(model.output, 0)]
    while waiting:
        key, depth = waiting.pop()
        node = model.nodes[key]
        if node.name != "Root":
            counts = (node.num_elements, node.processing_time, node.buffered_elements)
            nodes.append(Node(node.name, depth, *counts))
            depth += 1
        waiting += [(child, depth) for child in reversed(node.inputs)]
    return XRay(tuple(nodes))


def python_operations(dataset: tf.data.Dataset) -> tuple[str, ...]:
    """Returns the kinds of operations by which a data set calls back into Python, sorted.

    `from_generator` uses three callbacks: to open, to advance and to close. "EagerPyFunc" among
    them is the slow kind; see `generator_next_fn` in from_generator_op.py.

    Args:
        dataset: Any.
    """
    library = _graph(dataset).library
    used = {node.op for function in library.function for node in function.node_def}
    return tuple(sorted(used.intersection(CALLBACKS)))


def operations_of_last_step(dataset: tf.data.Dataset) -> tuple[str, ...]:
    """Returns the kinds of operations in the functions of a data set's last step, sorted.

    Args:
        dataset: Any; without a function in its last step there are none.
    """
    graph = _graph(dataset)
    functions = {function.signature.name: function for function in graph.library.function}
    steps = [node for node in graph.node if "Dataset" in node.op]
    waiting = _functions_in(steps[-1:])
    used: set[str] = set()
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen or name not in functions:
            continue
        seen.add(name)
        used |= {node.op for node in functions[name].node_def}
        waiting += _functions_in(functions[name].node_def)
    return tuple(sorted(used))


def _functions_in(nodes: Iterable[Any]) -> list[str]:
    return [
        value.func.name for node in nodes for value in node.attr.values() if value.HasField("func")
    ]


def _graph(dataset: tf.data.Dataset) -> Any:
    return tf.compat.v1.GraphDef.FromString(
        tf.raw_ops.DatasetToGraphV2(
            input_dataset=tf.data.experimental.to_variant(dataset),
            external_state_policy=1,  # ignore: nothing is run from this copy
        ).numpy()
    )
