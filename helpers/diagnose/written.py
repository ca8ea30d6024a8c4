"""The steps of a data set as they were written, to be found again among those that run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from helpers.quiet import tf

_SAME = re.compile(r"^(Parallel|Memory|File|From|Finite|Forever|Empty)|V\d+$")
"""What TensorFlow's names of one step differ in."""

_OF_SEVERAL = ("Zip", "Concatenate", "DirectedInterleave")
"""Steps with several inputs; another's second is a data set that its function refers to."""

_MOST = 3
"""Components that are named one by one."""


@dataclass(frozen=True)
class Match:
    """What is known of a running node from the written steps.

    Attributes:
        gives: Type and shape of what it produces; empty if not known.
        rewrite: "", "added", "fused" or "made parallel".
        inputs: The written steps from which its inputs come, by their names in the graph.
    """

    gives: str
    rewrite: str
    inputs: tuple[str, ...]


class WrittenSteps:
    """The graph of a data set before TensorFlow's optimiser has had its way.

    Attributes:
        last: The name of the last step.
    """

    def __init__(self, graph: Any) -> None:
        """Reads the steps.

        Args:
            graph: A GraphDef of the data set.
        """
        self._nodes = {node.name: node for node in graph.node}
        self.last = next(node.input[0] for node in graph.node if node.op == "_Retval")

    def match(self, name: str, inputs: list[str], step: str | None) -> Match:
        """Finds a running node.

        Args:
            name: Of the node.
            inputs: The names of the nodes that it reads from.
            step: The written step that is next, seen from the consumer; None within a function.
        """
        if step is None:
            return Match("", "", ())
        gives, chain = self._gives(step), self._chain(step)
        if self._is(name, step):
            parallel = name.startswith("Parallel") > self._op(step).startswith("Parallel")
            return Match(gives, "made parallel" if parallel else "", self._inputs(step))
        parts = name.split("And")[::-1]
        fits = len(parts) > 1 and len(chain) >= len(parts)
        if fits and all(map(self._is, parts, chain)):
            return Match(gives, "fused", self._inputs(chain[len(parts) - 1]))
        if not any(self._is(below, step) for below in inputs):
            for later in chain[1:]:  # the steps between were optimised away
                if self._is(name, later):
                    return Match(self._gives(later), "", self._inputs(later))
        return Match(gives, "added", (step,))

    def _op(self, step: str) -> str:
        return self._nodes[step].op.replace("Dataset", "")

    def _is(self, name: str, step: str) -> bool:
        return _SAME.sub("", name) == _SAME.sub("", self._op(step))

    def _inputs(self, step: str) -> tuple[str, ...]:
        names = (name.partition(":")[0] for name in self._nodes[step].input)
        found = tuple(name for name in names if "Dataset" in self._nodes[name].op)
        return found if self._op(step) in _OF_SEVERAL else found[:1]

    def _chain(self, step: str) -> list[str]:
        """The step and those before it, as far as each has one input."""
        found = [step]
        while len(before := self._inputs(found[-1])) == 1:
            found += before
        return found

    def _gives(self, step: str) -> str:
        attributes = self._nodes[step].attr
        kinds = [*attributes["output_types"].list.type, *attributes["Toutput_types"].list.type]
        if len(kinds) > _MOST:
            return f"{len(kinds)} components"
        shapes = attributes["output_shapes"].list.shape
        return ", ".join(
            f"{tf.dtypes.as_dtype(kind).name} {_shape(shape)}"
            for kind, shape in zip(kinds, shapes, strict=True)
        )


def _shape(shape: Any) -> str:
    """A shape as `element_spec` writes it."""
    return "of any shape" if shape.unknown_rank else str(tuple(tf.TensorShape(shape).as_list()))
