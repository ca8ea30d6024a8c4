"""Run the benchmark: every arm of a workload in the same rounds, held to the same content."""

from __future__ import annotations

import gc
import itertools
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.bench import peers as others
from helpers.bench.arms import ROWS_ALONE, NotOffered, Way, own_ways
from helpers.bench.growth import grow
from helpers.bench.results import ArmResult, BridgeBench, Growth, WorkloadResult
from helpers.bench.workloads import WORKLOADS, Workload
from helpers.measure import (
    Arm,
    Measurement,
    Progress,
    Ratio,
    Settings,
    compare,
    content_digest,
    quick,
    this_machine,
)

GROWTH = "growth"
"""What `--only` calls the long epochs."""

Tell = Callable[[str, float, str], None]
"""Called with a step's name, the share of it that is done, and what it is at."""


def settings_of(size: str) -> Settings:
    """How long the rounds of one size may take.

    Rounds that start processes cost seconds each, and the differences there are large.
    """
    if size == "some":
        return Settings.default(min_rounds=3, max_rounds=12, warmup_rounds=0, budget_s=8)
    if size == "few":
        return Settings.default(min_rounds=5, max_rounds=20, budget_s=4)
    return Settings.default(min_rounds=6, max_rounds=60, budget_s=8)


def choose(only: Sequence[str] | None) -> list[str]:
    """Returns the names of what is to be run, in the order of running.

    Args:
        only: Some names; None or none for all.

    Raises:
        ValueError: In one sentence, if there is no such workload.
    """
    names = [GROWTH, *WORKLOADS]
    unknown = [name for name in only or () if name not in names]
    if unknown:
        raise ValueError(
            f"there is no workload {unknown[0]!r}; there are {', '.join([*WORKLOADS, GROWTH])}."
        )
    return [name for name in names if not only or name in only]


def run(
    only: Sequence[str] | None = None,
    *,
    peers: bool = False,
    tell: Tell = lambda name, share, words: None,
    keep: Callable[[BridgeBench], None] = lambda result: None,
) -> BridgeBench:
    """Runs the benchmark; Ctrl-C ends it with what is finished.

    Args:
        only: Names of workloads, "growth" among them; all unless given.
        peers: Whether the other loaders take part.
        tell: Told how far it is.
        keep: Called with all results so far, whenever something is finished.

    Raises:
        ValueError: If there is no such workload, a peer is not installed, or an arm does not
            yield what the first one yields.
    """
    names = choose(only)
    versions = others.require() if peers else {}
    done: list[WorkloadResult] = []
    growth: Growth | None = None

    def result(interrupted: bool) -> BridgeBench:
        return BridgeBench(this_machine(), quick(), versions, tuple(done), growth, interrupted)

    try:
        for name in names:  # growth first: memory that others leave behind would hide its own
            tell(name, 0, "")
            if name == GROWTH:
                growth = grow(lambda share: tell(GROWTH, share, ""))
            else:
                done.append(run_workload(WORKLOADS[name], peers=peers, tell=tell))
            keep(result(name != names[-1]))
            tell(name, 1, "")
    except KeyboardInterrupt:
        return result(True)
    return result(False)


@dataclass(frozen=True)
class _Ready:
    """A way that has shown its content, and can be iterated again and again."""

    way: Way
    epochs: Iterable[Any]
    start_up_ns: int
    digest: str


def run_workload(
    workload: Workload, *, peers: bool = False, tell: Tell = lambda name, share, words: None
) -> WorkloadResult:
    """Runs all arms of one workload.

    Args:
        workload: Its full form; a quick run shortens it.
        peers: Whether the other loaders take part.
        tell: Told how far it is.

    Raises:
        ValueError: If an arm does not yield what the first one yields.
    """
    workload = workload.shortened() if quick() else workload
    missing: dict[str, str] = {}
    ways = own_ways(workload)
    if peers:
        try:
            ways += others.peer_ways(workload)
        except NotOffered as reason:
            missing["peers"] = str(reason)
    return run_ways(workload, ways, missing, tell)


def run_ways(workload: Any, ways: list[Way], missing: dict[str, str], tell: Tell) -> WorkloadResult:
    """Runs arms over the rows of one workload.

    Args:
        workload: A `Workload`, or what has as much of one as its ways need.
        ways: The arms; the first one is what the others are compared with.
        missing: Arms that cannot take part, with the reason; those found on the way are added.
        tell: Told how far it is.

    Raises:
        ValueError: If an arm does not yield what the first one yields.
    """
    start = time.perf_counter()
    first, *rest = ways
    sizes = {size: [way for way in rest if _size(workload, way) == size] for size in _SIZES}
    sizes = {size: members for size, members in sizes.items() if members}
    measurements, found = [], {}
    for place, (size, members) in enumerate(sizes.items()):

        def share(part: float, words: str, place: int = place) -> None:
            tell(workload.name, (place + part) / len(sizes), words)

        measured, arms = _measure(workload, size, [first, *members], missing, share)
        measurements.append(measured)
        found = {**arms, **found}
        gc.collect()  # iterators hold threads, and loaders processes, until they are collected
    return WorkloadResult(
        workload.name, workload.description, workload.batch_size,
        noise=measurements[0].floor(),
        arms=tuple(found[way.name] for way in ways if way.name in found),
        missing=missing,
        measurements=tuple(measurements),
        seconds=round(time.perf_counter() - start, 2),
    )  # fmt: skip


_SIZES = ("many", "few", "some")


def _size(workload: Any, way: Way) -> str:
    return way.size if getattr(workload, way.size) else "many"


def _measure(
    workload: Any,
    size: str,
    ways: list[Way],
    missing: dict[str, str],
    share: Callable[[float, str], None],
) -> tuple[Measurement, dict[str, ArmResult]]:
    """Measures the arms of one size; the first way is the first arm.

    Args:
        workload: What they load.
        size: How many rows of it.
        ways: The arms.
        missing: Takes the arms that cannot take part, with the reason.
        share: Told how far it is.
    """
    source = workload.source(size)
    ready: list[_Ready] = []
    for place, way in enumerate(ways):
        share(0.5 * place / len(ways), f"first epoch of {way.name}")
        try:
            epoch = _first_epoch(workload, way, source)
            if ready and epoch.digest != ready[0].digest:
                raise ValueError(
                    f"{way.name!r} does not yield the same examples as {ways[0].name!r} on "
                    f"{workload.name!r}."
                )
            ready.append(epoch)
        except NotOffered as reason:
            missing[way.name] = str(reason)
        except Exception as error:  # whatever the peers of another version raise
            if not way.peer:
                raise
            missing[way.name] = f"{type(error).__name__}: {error}".strip().splitlines()[0]
    measured = compare(
        [_arm(workload, epoch) for epoch in ready],
        title=f"{workload.name}, {len(source)} rows",
        settings=settings_of(size),
        on_progress=lambda progress: share(0.5 + 0.5 * _done(progress), f"round {progress.rounds}"),
    )
    return measured, {epoch.way.name: _result(measured, epoch) for epoch in ready}


def _first_epoch(workload: Any, way: Way, source: Any) -> _Ready:
    """Reads a first epoch: it starts the workers, settles the chunk size, shows the content."""
    start = time.perf_counter_ns()
    epochs = way.make(workload, source)
    iterator = iter(epochs)
    first = next(iterator)
    start_up = time.perf_counter_ns() - start
    elements = itertools.chain([first], iterator)
    digest = content_digest(map(way.plain, elements), batched=way.delivers != ROWS_ALONE)
    return _Ready(way, epochs, start_up, digest)


def _arm(workload: Any, epoch: _Ready) -> Arm:
    """An arm whose trials are epochs of what was built once: workers live on, buffers too."""
    rows = 1 if epoch.way.delivers == ROWS_ALONE else workload.batch_size
    return Arm(epoch.way.name, lambda: epoch.epochs, examples=lambda element: rows)


def _done(progress: Progress) -> float:
    return min(
        1.0, max(progress.rounds / progress.max_rounds, progress.elapsed_s / progress.budget_s)
    )


def _result(measured: Measurement, epoch: _Ready) -> ArmResult:
    name = epoch.way.name
    ratio = Ratio(1, 1, 1, measured.rounds)
    if name != measured.baseline:
        ratio = measured.ratio(name)
    return ArmResult(
        name, epoch.way.delivers,
        examples_per_second=1e9 / measured.ns_per_example(name),
        ratio=ratio.value, low=ratio.low, high=ratio.high, rounds=ratio.rounds,
        examples=measured.trials_of(name)[0].examples,
        first_batch_ms=measured.cold_ns(name) / 1e6,
        start_up_ms=epoch.start_up_ns / 1e6,
    )  # fmt: skip
