"""`workbook bench sources`: real sources in all their ways, held to the same content."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from helpers.bench import peers as others
from helpers.bench.results import BridgeBench, WorkloadResult
from helpers.bench.running import run_ways
from helpers.bench.source_ways import SOURCES
from helpers.bench.steps import Tell, chosen, one_by_one
from helpers.measure import quick, this_machine


def choose(only: Sequence[str] | None) -> list[str]:
    """As `chosen`."""
    return chosen(SOURCES, only, "source")


def run(
    only: Sequence[str] | None = None,
    *,
    peers: bool = False,
    before: BridgeBench | None = None,
    tell: Tell = lambda name, share, words: None,
    keep: Callable[[BridgeBench], None] = lambda result: None,
) -> BridgeBench:
    """Runs the benchmark over real sources; Ctrl-C ends it with what is finished.

    Args:
        only: Names of sources; all unless given.
        peers: Whether other loaders take part.
        before: An earlier run, whose other sources are kept in the result.
        tell: Told how far it is.
        keep: Called with all results so far, whenever a source is finished.

    Raises:
        ValueError: If there is no such source, a peer is not installed, or an arm does not yield
            what the first one yields; or if the earlier run was made under other conditions.
    """
    names = choose(only)
    versions = others.require() if peers else {}
    done: dict[str, WorkloadResult] = {}
    if before is not None:
        if (before.machine, before.quick, before.peers) != (this_machine(), quick(), versions):
            raise ValueError(
                "the earlier run was made on another machine, in another mode or beside other "
                "loaders than this one: measure all sources, or write to another file."
            )
        done = {result.workload: result for result in before.workloads}

    def step(name: str) -> None:
        done[name] = _measured(name, peers, tell)

    def result(interrupted: bool) -> BridgeBench:
        in_order = tuple(done[name] for name in SOURCES if name in done)
        return BridgeBench(this_machine(), quick(), versions, in_order, None, interrupted)

    return one_by_one(names, step, result, tell=tell, keep=keep)


def _measured(name: str, peers: bool, tell: Tell) -> WorkloadResult:
    with tempfile.TemporaryDirectory(prefix="workbook-sources-") as folder:
        source = SOURCES[name](Path(folder), quick(), peers)
        try:
            return run_ways(source, source.ways, {}, tell)
        finally:
            source.close()
