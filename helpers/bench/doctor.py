"""The benchmark of the doctor: subjects of known ailment or health, and what it makes of them."""

from __future__ import annotations

import functools
import importlib.util
import itertools
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cloudpickle

import helpers
from helpers import bridge
from helpers.bench import doctor_rules as rules
from helpers.bench.doctor_results import (
    CaseResult,
    DoctorBench,
    InjectedResult,
    MixResult,
    Pair,
    WorkersResult,
)
from helpers.diagnose import Diagnosis, examine
from helpers.diagnose import profile as profiles
from helpers.diagnose.guard import Deadline
from helpers.diagnose.looking import Look, look
from helpers.diagnose.probes import held_share, running_share
from helpers.diagnose.trying import BEFORE, race
from helpers.measure import quick, this_machine
from helpers.quiet import tf

SUBJECTS = Path(helpers.__file__).parents[1] / "tests" / "doctor" / "subjects.py"
"""The subjects are not part of the package, so that the doctor cannot know them."""

WORKERS = (1, 2, 3, 4, 6)
"""Numbers of workers that are tried; where a step gains less than 7 %, the one before is best."""

TRY_S = 2.5
"""Seconds for trying a fix."""

Tell = Callable[[str, float], None]


def subjects(path: Path = SUBJECTS) -> Any:
    """Imports the subjects.

    Raises:
        ValueError: If they are not there, as in an installed package.
    """
    if not path.is_file():
        raise ValueError(f"{path} is missing: the bench runs from a checkout of the workbook.")
    spec = importlib.util.spec_from_file_location("doctor_subjects", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    cloudpickle.register_pickle_by_value(module)  # no worker could import it
    return module


def run(
    only: list[str] | None = None,
    *,
    budget_s: float = 30,
    tell: Tell = lambda name, share: None,
    keep: Callable[[DoctorBench], None] = lambda result: None,
) -> DoctorBench:
    """Examines all subjects and tries every fix that can be applied.

    Args:
        only: Names of subjects; all, and the mixes, unless given.
        budget_s: Seconds for each examination.
        tell: Told what is being done, and the share that is done.
        keep: Called with all results so far.

    Raises:
        ValueError: If there is no such subject.
    """
    known = subjects()
    chosen = [case for case in known.CASES if not only or case.name in only]
    missing = set(only or ()) - {case.name for case in chosen}
    if missing:
        raise ValueError(f"there is no subject {sorted(missing)[0]!r}.")
    mixes: list[MixResult] = []
    injected: list[InjectedResult] = []
    workers: list[WorkersResult] = []
    cases: list[CaseResult] = []
    work: list[tuple[str, list[Any], Callable[[], Any]]] = []
    if not only:
        work += [(name, mixes, lambda name=name, make=make: run_mix(name, *make()))
                 for name, make in known.MIXES.items()]  # fmt: skip
        work += [(name, injected, lambda name=name, costs=costs: run_injected(
                    name, known.injected(*costs), *costs, budget_s))
                 for name, costs in known.INJECTED.items()]  # fmt: skip
        work += [(name, workers, lambda name=name, make=make: run_workers(name, make(), budget_s))
                 for name, make in known.SHARDED.items()]  # fmt: skip
    work += [(case.name, cases, lambda case=case: run_case(case, budget_s)) for case in chosen]

    def result(interrupted: bool) -> DoctorBench:
        return DoctorBench(this_machine(), quick(), tuple(cases), tuple(mixes), tuple(injected),
                           tuple(workers), interrupted)  # fmt: skip

    try:
        for place, (name, found, one) in enumerate(work):
            tell(name, place / len(work))
            found.append(one())
            keep(result(True))
    except KeyboardInterrupt:
        return result(True)
    return result(False)


def run_case(case: Any, budget_s: float) -> CaseResult:
    """Examines one subject and tries what is advised.

    Args:
        case: Of the subjects.
        budget_s: Seconds for the examination.
    """
    subject, how = case.make()
    start = time.perf_counter()
    found = examine(subject, budget_s=budget_s, **how)
    seconds = time.perf_counter() - start
    pairs = try_all(found)
    return CaseResult(
        case.name, case.first, case.healthy, found.first, tuple(one.name for one in found.advice),
        case.healthy and not found.healthy, found.misfit, pairs, _xprof(found),
        rules.grain(found), seconds, budget_s,
    )  # fmt: skip


def try_all(found: Diagnosis) -> tuple[Pair, ...]:
    """Tries every fix that the doctor advised and can apply.

    Args:
        found: The diagnosis.
    """
    pairs = []
    for number, one in enumerate(found.advice, 1):
        if not one.automatic:
            continue
        try:
            tried = found.try_fix(number, budget_s=TRY_S)
        except Exception as error:  # a fix that cannot run is one that does not help
            measured, same = (0.01, 0.01, 0.01), f"raises {type(error).__name__}"
        else:
            ratio = tried.measured
            measured, same = (ratio.value, ratio.low, ratio.high), tried.same
        gain = one.gain
        pairs.append(Pair(one.name, one.predicted.value, one.tried is not None, gain.value,
                          gain.low, gain.high, *measured, same))  # fmt: skip
    return tuple(pairs)


def _xprof(found: Diagnosis) -> str:
    build = rules.original_of(found)
    if build is None:
        return "unknown"
    try:
        return rules.xprof(build, 5, found)
    except Exception:  # a subject that fails
        return "unknown"


def run_mix(name: str, rows: Any, parts: dict[str, Callable[[], object]]) -> MixResult:
    """Watches a generator of known mix, and times its parts before and after.

    Args:
        name: What it is called.
        rows: The generator.
        parts: What it does in a row, each alone.
    """
    before = {part: _median_ns(part, call) for part, call in parts.items()}
    alone = _row_ns(rows)
    seen = Look()
    look(rows, seen, Deadline(2), file=__file__, once=False)
    running = running_share(seen)
    found = profiles.watch(rows, rows.__code__.co_filename, 1 if quick() else 3, running)
    again = _row_ns(rows)
    after = {part: _median_ns(part, call) for part, call in parts.items()}
    cost = {part: (before[part] + after[part]) / 2 for part in parts}
    whole = sum(cost.values())
    true = tuple(cost[part] / whole for part in ("held", "waiting", "freed"))
    held = held_share(found.held, found.active, found.waiting, running)
    slowing = found.rows_ns / ((alone + again) / 2) - 1 if found.rows_ns else 0.0
    return MixResult(name, true, (held, 1 - running, running - held), slowing)


def run_injected(
    name: str, rows: Any, turns: int, waiting_s: float, width: int, budget_s: float
) -> InjectedResult:
    """Examines a generator of known costs, and times each of them apart.

    Args:
        name: What it is called.
        rows: The generator.
        turns: Of an empty loop in a row.
        waiting_s: Seconds that a row sleeps.
        width: Numbers in a row.
        budget_s: Seconds for the examination.
    """
    spec = tf.TensorSpec((width,), tf.float32)

    def computes() -> None:
        for _ in range(turns):
            pass

    def whole_row() -> float:
        """Nanoseconds of a row of the pipeline, without the doctor."""
        pipeline = iter(tf.data.Dataset.from_generator(rows, output_signature=spec).batch(32))
        next(pipeline)
        start = time.perf_counter_ns()
        for _ in range(5):
            next(pipeline)
        return (time.perf_counter_ns() - start) / 160

    def apart() -> tuple[float, float, float]:
        return (_median_ns("held", computes),
                _median_ns("waiting", lambda: time.sleep(waiting_s)), whole_row())  # fmt: skip

    before = apart()
    found = examine(rows, output_signature=spec, budget_s=budget_s)
    held, slept, whole = ((one + two) / 2 for one, two in zip(before, apart(), strict=True))
    times = {part.name: part.ns.value for part in found.parts}
    all_of_it = times.get("from_generator and batch", float("nan"))
    bare = times.get("generator alone", float("nan")) / all_of_it
    work = found.work
    said = (0.0, 0.0, 0.0) if work is None else (
        bare * (work.held + work.freed), bare * work.waiting, 1 - bare
    )  # fmt: skip
    return InjectedResult(name, (held / whole, slept / whole, 1 - (held + slept) / whole), said)


def run_workers(name: str, rows: Any, budget_s: float) -> WorkersResult:
    """Asks how many workers are advised for a generator with shards, and tries them.

    Args:
        name: What it is called.
        rows: The generator.
        budget_s: Seconds for the examination, and for trying.
    """
    spec = tf.TensorSpec((), tf.float32)
    found = examine(rows, output_signature=spec, batch_size=8, budget_s=budget_s)
    advised = next((one.workers for one in found.advice if one.name == "workers"), 1)
    pairs = try_all(found)
    made = {
        str(count): bridge.from_generator(
            rows, output_signature=spec, batch_size=8, num_workers=count
        )
        for count in WORKERS
    }
    changed = {name: functools.partial(made.get, name) for name in made if name != "1"}
    gains = race(
        lambda: made["1"], changed, parallel=list(changed),
        batches={BEFORE: 6, **{name: 4 * int(name) for name in changed}}, batch_size=8,
        step=None, deadline=Deadline(budget_s),
    )  # fmt: skip
    tried = ((1, 1.0), *((int(count), gain.value) for count, gain in gains.items()))
    best = 1
    for (_, before), (count, gain) in itertools.pairwise(tried):
        if gain <= 1.07 * before:
            break
        best = count
    return WorkersResult(name, advised, best, tried, pairs)


def _median_ns(part: str, call: Callable[[], object]) -> float:
    """Nanoseconds of a part: those on a core, unless it waits."""
    clock = time.perf_counter_ns if part == "waiting" else time.thread_time_ns
    times = []
    for _ in range(15):
        start = clock()
        call()
        times.append(clock() - start)
    return statistics.median(times)


def _row_ns(rows: Any) -> float:
    start = time.perf_counter_ns()
    for count, _ in enumerate(rows(), 1):
        if time.perf_counter_ns() - start > (0.2e9 if quick() else 1.5e9):
            return (time.perf_counter_ns() - start) / count
    return float("nan")
