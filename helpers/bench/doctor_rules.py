"""What other tools would say of the same subjects, written from their published rules."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from helpers.diagnose import Diagnosis
from helpers.quiet import tf

BLOCKED_US = 50
"""XProf calls an input slow when a call takes longer (xplane_to_tf_data_stats.cc)."""


def xprof(build: Callable[[], tf.data.Dataset], batches: int, diagnosis: Diagnosis) -> str:
    """Names what XProf would: of the slowest single call, the node with the longest own time.

    A call is slow above 50 µs, and the slowest one is analysed. Source: `SetBottleneckAnalysis`
    and `GetSuggestion` in xplane_to_tf_data_stats.cc.

    XProf reads a trace of that call. Here the call is timed, and the nodes are TensorFlow's own
    counts over a few calls, which favours XProf: one cold call cannot mislead them.

    Args:
        build: Makes the pipeline.
        batches: Calls at most.
        diagnosis: For the nodes that were counted.
    """
    slowest, iterator = 0.0, iter(build())
    for _ in range(batches):
        start = time.perf_counter()
        try:
            next(iterator)
        except StopIteration:
            break
        slowest = max(slowest, time.perf_counter() - start)
    if slowest * 1e6 <= BLOCKED_US:
        return "healthy"
    nodes = [node for node in diagnosis.nodes if node.elements]
    if not nodes:
        return "unknown"
    worst = max(nodes, key=lambda node: node.processing_ns)
    # its advice for every Generator: "check the locality of a host and input data"
    return "waits" if worst.name in ("Generator", "FlatMap") else "steps"


def grain(diagnosis: Diagnosis) -> str:
    """Names what Grain's `pick_performance_config` amounts to: more workers, for every source.

    It divides a budget of memory by the mean size of the first five elements, and takes as many
    workers as that allows, up to the number of cores. All of these subjects have elements far
    below the budget, so it says the same of each, wherever the time goes.
    Source: `_get_num_workers` in grain's performance_config.

    Args:
        diagnosis: Not looked at, but for whether rows were seen.
    """
    return "holds-gil" if diagnosis.signature is not None else "unknown"


def right(said: str, wanted: tuple[str, ...], healthy: bool) -> bool:
    """Whether a rule's word is right."""
    return said == "healthy" if healthy else said in wanted


def original_of(diagnosis: Diagnosis) -> Any:
    """What builds the pipeline that was examined; None if there is none."""
    trial = getattr(diagnosis, "_trial", None)
    exam = getattr(trial, "__self__", None)
    return None if exam is None or exam.climbed is None else exam.original
