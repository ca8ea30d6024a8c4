"""The running pipeline's nodes, and the operations that call back into Python."""

from __future__ import annotations

import html
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from helpers.measure import record
from helpers.quiet import tf

from .written import WrittenSteps

CALLBACKS = ("PyFunc", "PyFuncStateless", "EagerPyFunc")
"""Operations that call Python; tensorflow/python/ops/script_ops.py makes them."""


@dataclass(frozen=True)
class Node:
    """One step of a running pipeline, after TensorFlow's optimiser has had its way.

    Attributes:
        name: Such as "Generator", "BatchV2", "MapAndBatch" or "Prefetch".
        depth: Steps between it and the consumer.
        elements: Elements it has produced since the pipeline gave its first.
        processing_ns: Time spent in the step itself meanwhile, its inputs left out.
        buffered: Elements waiting in its buffer.
        gives: Type and shape of what it produces, such as "float32 (None, 100, 100)"; empty where
            only TensorFlow knows.
        element_bytes: Mean size of what it produces.
        rewrite: "" for a step as it was written; else what TensorFlow's optimiser did: "added",
            "fused" of two or more, or "made parallel".
    """

    name: str
    depth: int
    elements: int
    processing_ns: int
    buffered: int
    gives: str = ""
    element_bytes: float = 0.0
    rewrite: str = ""

    @property
    def each_ns(self) -> float:
        """Time spent in the step itself for one of its elements."""
        return self.processing_ns / max(1, self.elements)


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
        heads = (
            "node",
            "elements",
            "own time, µs each",
            "buffered",
            "gives",
            "bytes each",
            "rewrite",
        )
        rows = [heads]
        for node in self.nodes:
            name = "· " * node.depth + node.name
            own, size = f"{node.each_ns / 1e3:.1f}", f"{node.element_bytes:.0f}"
            counts = (str(node.elements), own, str(node.buffered))
            rows.append((name, *counts, node.gives, size, node.rewrite))
        return rows

    def _repr_html_(self) -> str:
        heads, *rows = self._cells()
        head = "".join(f"<th>{cell}</th>" for cell in heads)
        body = "".join(
            f"<tr><td style='text-align:left'>{html.escape(name)}</td>"
            + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
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
    pulled = sum(1 for _ in islice(iterator, 1))
    opened = _model(iterator).nodes if pulled else {}
    pulled += sum(1 for _ in islice(iterator, elements))
    if pulled <= elements:
        raise ValueError(
            f"the data set ends after {pulled} elements, and its nodes with it: ask for fewer "
            "than it has."
        )
    model = _model(iterator)
    written = WrittenSteps(_graph(dataset))
    nodes: list[Node] = []
    waiting = [(model.output, 0, written.last, "")]
    while waiting:
        key, depth, step, gives = waiting.pop()
        node = model.nodes[key]
        names = [model.nodes[child].name for child in node.inputs]
        if node.name == "Root":
            waiting += [(child, depth, step, gives) for child in reversed(node.inputs)]
            continue
        found = written.match(node.name, names, step)
        gives = found.gives or gives
        before = opened.get(key)
        made, spent, sent = (
            getattr(node, what) - (getattr(before, what) if before is not None else 0)
            for what in ("num_elements", "processing_time", "bytes_produced")
        )
        size = sent / max(1, made)
        counts = (made, spent, node.buffered_elements)
        nodes.append(Node(node.name, depth, *counts, gives, size, found.rewrite))
        steps = [*found.inputs, *[None] * len(node.inputs)][: len(node.inputs)]
        # What has no written step lies in the function of this one, which passes its elements on.
        passed = [gives if one is None and step is not None else "" for one in steps]
        below = zip(node.inputs, [depth + 1] * len(steps), steps, passed, strict=True)
        waiting += reversed(list(below))
    return XRay(tuple(nodes))


def _model(iterator: Any) -> Any:
    try:
        return tf.data.experimental.get_model_proto(iterator)
    except tf.errors.OpError as error:
        raise ValueError(
            "TensorFlow keeps no model of this pipeline: leave options().autotune.enabled on."
        ) from error


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
