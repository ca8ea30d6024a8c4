"""Pipelines with Python in them, built alike in a client and in tf.data service's workers.

Experimental. A graph names its Python functions by tokens, such as `pyfunc_3`, that each process
counts for itself; a worker that is sent the graph looks the token up among its own functions
(`FuncRegistry` in tensorflow/python/ops/script_ops.py). So a worker can run such a graph if it has
built the same pipeline, with the same tokens, before it is asked. Nothing in TensorFlow promises
that order, and releases after 2.21 tie a function to its graph.
"""

from __future__ import annotations

import hashlib
import importlib
import itertools
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cloudpickle

from helpers.quiet import tf

RESERVED = 1_000_000
"""Tokens from here on are a hosted pipeline's; below, they are the process's own."""

PER_PIPELINE = 1000
"""Most Python functions of one pipeline."""

_numbers = itertools.count()


class HostedError(RuntimeError):
    """A worker has not built the pipeline that the client has."""


@dataclass(frozen=True)
class Hosted:
    """A pipeline that was built here, and can be built alike elsewhere.

    Attributes:
        name: What it is called in messages.
        dataset: The pipeline. It keeps the Python functions alive as long as it lives.
        first_token: Number of its first Python function.
        fingerprint: Digest of its graph, its tokens among it.
        build: What builds it: a function, or "module:callable".
    """

    name: str
    dataset: Any
    first_token: int
    fingerprint: str
    build: Callable[[], Any] | str

    def packed(self) -> dict[str, Any]:
        """What a worker is sent, for `unpack`."""
        if isinstance(self.build, str):
            sent = {"target": self.build, "folders": [str(Path.cwd())]}
        else:
            try:
                sent = {"pickled": cloudpickle.dumps(self.build).hex()}
            except Exception as error:  # pickle raises many types
                raise TypeError(
                    f"{self.name} cannot be sent to a worker: {error}. Build what it refers to "
                    "within it"
                ) from error
        return sent | {
            "name": self.name,
            "first_token": self.first_token,
            "fingerprint": self.fingerprint,
        }


def host(build: Callable[[], Any] | str) -> Hosted:
    """Builds a pipeline with tokens that a worker can have as well.

    Args:
        build: A function without parameters that returns a `tf.data.Dataset`, built of nothing but
            what it makes or what can be pickled; or its name, "module:callable", by which clients
            and workers on other machines find it.

    Raises:
        TypeError: It is no such function, or returns something else.
        ValueError: The name names nothing.
    """
    if isinstance(build, str):
        name, number = build, zlib.crc32(build.encode())
        function = _found(build)
    elif callable(build):
        name, number = getattr(build, "__name__", "pipeline"), next(_numbers)
        function = build
    else:
        raise TypeError(f"build must be a function or its name; found {type(build).__name__}")
    first = RESERVED + PER_PIPELINE * (number % 1_000_000)
    dataset = _built(function, name, first)
    return Hosted(name, dataset, first, fingerprint(dataset), build)


def unpack(sent: dict[str, Any]) -> Hosted:
    """Builds in a worker what a client has packed.

    Raises:
        HostedError: The pipeline comes out differently here.
    """
    sys.path[:0] = [folder for folder in sent.get("folders", ()) if folder not in sys.path]
    if "target" in sent:
        build: Any = sent["target"]
        function = _found(build)
    else:
        build = function = cloudpickle.loads(bytes.fromhex(sent["pickled"]))
    dataset = _built(function, sent["name"], sent["first_token"])
    found = fingerprint(dataset)
    if sent["fingerprint"] not in (None, found):
        raise HostedError(
            f"{sent['name']} was built differently here than in the client: its graphs differ. "
            "Both need the same code and the same TensorFlow, and building it must not depend on "
            "chance, time or files"
        )
    return Hosted(sent["name"], dataset, sent["first_token"], found, build)


def fingerprint(dataset: Any) -> str:
    """A digest of a pipeline's graph: operations, constants and tokens, without generated names."""
    # Private, as there is no public way to a data set's graph.
    graph = tf.compat.v1.GraphDef.FromString(dataset._as_serialized_graph().numpy())
    digest = hashlib.sha256(str(dataset.element_spec).encode())
    functions = {function.signature.name: function for function in graph.library.function}
    seen: set[str] = set()

    def add(nodes: Any) -> None:
        for node in nodes:
            digest.update(node.op.encode())
            for key in sorted(node.attr):
                value = node.attr[key]
                kind = value.WhichOneof("value")
                if kind in ("tensor", "i", "f", "b", "type", "shape") or key == "token":
                    digest.update(key.encode() + value.SerializeToString(deterministic=True))
                elif kind == "func" and value.func.name in functions.keys() - seen:
                    seen.add(value.func.name)
                    add(functions[value.func.name].node_def)

    add(graph.node)
    return digest.hexdigest()


def _built(function: Callable[[], Any], name: str, first: int) -> Any:
    from tensorflow.python.ops import script_ops  # private; see the module's docstring

    registry = script_ops._py_funcs
    with registry._lock:
        before, registry._unique_id = registry._unique_id, first
    try:
        dataset = function()
    finally:
        with registry._lock:
            used = registry._unique_id - first
            registry._unique_id = before
    if not isinstance(dataset, tf.data.Dataset):
        raise TypeError(
            f"{name} must return a tf.data.Dataset; it returned {type(dataset).__name__}"
        )
    if used > PER_PIPELINE:
        raise ValueError(
            f"{name} has {used} Python functions; at most {PER_PIPELINE} can be hosted"
        )
    return dataset


def _found(target: str) -> Callable[[], Any]:
    module, _, name = target.partition(":")
    if not name:
        raise ValueError(f"{target!r} must be module:callable")
    try:
        found: Any = importlib.import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except ImportError as error:
        raise ValueError(f"{target}: {error}. Start where the module can be imported") from error
    except AttributeError as error:
        raise ValueError(f"{target}: {error}") from error
    if not callable(found):
        raise TypeError(f"{target} is a {type(found).__name__}, not a function")
    return found
