"""Run the benchmark: every arm of a workload in the same rounds, held to the same content."""

from __future__ import annotations

import gc
import itertools
import statistics
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from helpers.bench import peers as others
from helpers.bench.arms import ROWS_ALONE, NotOffered, Way, own_ways
from helpers.bench.growth import grow
from helpers.bench.results import ArmResult, BridgeBench, Growth, WorkloadResult
from helpers.bench.steps import Tell, chosen, one_by_one
from helpers.bench.workloads import WORKLOADS, Workload
from helpers.measure import (
    Arm,
    Measurement,
    Ratio,
    Settings,
    compare,
    content_digest,
    quick,
    this_machine,
    together,
)
from helpers.measure.isolation import Child
from helpers.measure.processes import PROCESSES

GROWTH = "growth"
"""What `--only` calls the long epochs."""


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
    """As `chosen`. Growth comes first: memory that others leave behind would hide its own."""
    return chosen([GROWTH, *WORKLOADS], only, "workload")


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

    def step(name: str) -> None:
        nonlocal growth
        if name == GROWTH:
            growth = grow(lambda share: tell(GROWTH, share, ""))
        else:
            done.append(run_workload(WORKLOADS[name], peers=peers, tell=tell))

    return one_by_one(names, step, result, tell=tell, keep=keep)


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
    """Runs all arms of one workload: in several fresh processes, or here in a quick run.

    Args:
        workload: Its full form; a quick run shortens it.
        peers: Whether the other loaders take part.
        tell: Told how far it is.

    Raises:
        ValueError: If an arm does not yield what the first one yields.
    """
    if quick():
        return run_part(workload.shortened(), peers, on_progress=tell)
    parts = []
    for place in range(PROCESSES):

        def of_all(name: str, share: float, words: str, place: int = place) -> None:
            tell(name, (place + share) / PROCESSES, words)

        with Child() as child:  # one after the other: each holds the rows in memory
            parts.append(child.call(run_part, workload, peers, place=place, on_progress=of_all))
    return joined(parts)


def run_part(
    workload: Workload, peers: bool, *, place: int | None = None, on_progress: Tell
) -> WorkloadResult:
    """Does what one process does of a workload.

    Args:
        workload: What is loaded.
        peers: Whether the other loaders take part.
        place: Which of the processes this is, from 0; None if it is the only one.
        on_progress: Told how far it is.
    """
    missing: dict[str, str] = {}
    ways = own_ways(workload)
    if peers:
        try:
            ways += others.peer_ways(workload)
        except NotOffered as reason:
            missing["peers"] = str(reason)
    return run_ways(workload, ways, missing, on_progress, place)


def joined(parts: Sequence[WorkloadResult]) -> WorkloadResult:
    """Puts together what several processes measured of one workload.

    An arm that failed in one of them is missing.

    Args:
        parts: One from each.
    """
    first = parts[0]
    missing = {name: reason for part in parts for name, reason in part.missing.items()}
    measurements = tuple(
        together([_without(missing, part) for part in same], same[0].settings)
        for same in zip(*(part.measurements for part in parts), strict=True)
    )
    arms = []
    for arm in first.arms:
        if arm.arm not in missing:
            measured = next(each for each in measurements if arm.arm in each.arms)
            starts = [part.arm(arm.arm).start_up_ms for part in parts]
            start_up_ns = statistics.median(starts) * 1e6
            arms.append(_result(measured, arm.arm, arm.delivers, start_up_ns))
    return replace(
        first, noise=measurements[0].floor(), arms=tuple(arms), missing=missing,
        measurements=measurements, seconds=round(sum(part.seconds for part in parts), 2),
    )  # fmt: skip


def _without(missing: Collection[str], measured: Measurement) -> Measurement:
    return replace(
        measured,
        arms=tuple(arm for arm in measured.arms if arm not in missing),
        trials=tuple(trial for trial in measured.trials if trial.arm not in missing),
    )


def run_ways(
    workload: Any,
    ways: list[Way],
    missing: dict[str, str],
    tell: Tell,
    place: int | None = None,
) -> WorkloadResult:
    """Runs arms over the rows of one workload.

    Args:
        workload: A `Workload`, or what has as much of one as its ways need.
        ways: The arms; the first one is what the others are compared with.
        missing: Arms that cannot take part, with the reason; those found on the way are added.
        tell: Told how far it is.
        place: As for `run_part`.

    Raises:
        ValueError: If an arm does not yield what the first one yields.
    """
    start = time.perf_counter()
    first, *rest = ways
    sizes = {size: [way for way in rest if _size(workload, way) == size] for size in _SIZES}
    sizes = {size: members for size, members in sizes.items() if members}
    measurements, found = [], {}
    for done, (size, members) in enumerate(sizes.items()):

        def share(part: float, words: str, done: int = done) -> None:
            tell(workload.name, (done + part) / len(sizes), words)

        measured, arms = _measure(workload, size, [first, *members], missing, share, place)
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
    place: int | None,
) -> tuple[Measurement, dict[str, ArmResult]]:
    """Measures the arms of one size; the first way is the first arm.

    Args:
        workload: What they load.
        size: How many rows of it.
        ways: The arms.
        missing: Takes the arms that cannot take part, with the reason.
        share: Told how far it is.
        place: As for `run_part`.
    """
    source = workload.source(size)
    ready: list[_Ready] = []
    for index, way in enumerate(ways):
        share(0.5 * index / len(ways), f"first epoch of {way.name}")
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
    whole = settings_of(size)
    settings = whole if place is None else whole.share(PROCESSES)
    measured = compare(
        [_arm(workload, epoch) for epoch in ready],
        title=f"{workload.name}, {len(source)} rows",
        settings=settings,
        on_progress=lambda progress: share(0.5 + 0.5 * progress.share, f"round {progress.rounds}"),
        done=(place or 0) * settings.min_rounds,
    )
    found = {
        epoch.way.name: _result(measured, epoch.way.name, epoch.way.delivers, epoch.start_up_ns)
        for epoch in ready
    }
    return replace(measured, settings=whole), found


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


def _result(measured: Measurement, name: str, delivers: str, start_up_ns: float) -> ArmResult:
    ratio = Ratio(1, 1, 1, measured.rounds)
    if name != measured.baseline:
        ratio = measured.ratio(name)
    return ArmResult(
        name, delivers,
        examples_per_second=1e9 / measured.ns_per_example(name),
        ratio=ratio.value, low=ratio.low, high=ratio.high, rounds=ratio.rounds,
        examples=measured.trials_of(name)[0].examples,
        first_batch_ms=measured.cold_ns(name) / 1e6,
        start_up_ms=start_up_ns / 1e6,
    )  # fmt: skip
