"""Fixes as edits of the law's coefficients: predicted gain, code to paste, what it costs."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from helpers.diagnose import ladder as rungs
from helpers.diagnose.estimate import Estimate, of_draws
from helpers.diagnose.hazards import SPEED, Hazard
from helpers.diagnose.law import Coefficients, batch_ns, workers_for
from helpers.diagnose.profile import Line
from helpers.diagnose.subject import Subject

WORTH, ALIKE = 1.1, 1.05
"""A fix that is predicted to bring less is not advised; gains within the second are alike."""

MOST_THREADS, MOST_WORKERS = 16, 3
"""Threads; and worker processes for each core."""

BY_LAW = 1.25
"""The interval of what the law predicts is made wider by this factor on each side: it is off by a
tenth in the median and by a quarter now and then (`workbook bench doctor`)."""

HEAVY_LINES = 0.25
"""Share of the generator's time from which on lines are worth a rewrite."""

DRAWS = 100
"""Resamples that a prediction rests on."""


@dataclass(frozen=True)
class Advice:
    """A change, and what it is predicted to bring.

    Attributes:
        name: "bridge", "worker", "workers", "threads", "slices", "prefetch", "signature" or
            "rewrite".
        title: What to do, in a few words.
        code: To paste.
        predicted: Batches per second as a multiple of today's, by the law.
        costs: In memory, order and start-up.
        needs: What has to hold for it to be right; "" if nothing.
        workers: Processes or threads that it starts; 0 without.
        automatic: Whether `try_fix` can apply it by itself.
        tried: The same gain in a short trial during the examination; None if it was not tried.
    """

    name: str
    title: str
    code: str
    predicted: Estimate
    costs: str
    needs: str
    workers: int
    automatic: bool
    tried: Estimate | None = None

    @property
    def gain(self) -> Estimate:
        """What it is ranked by: the trial where there was one, else the law."""
        return self.tried or self.predicted


Draws = dict[str, np.ndarray]
Edit = Callable[[Coefficients, dict[str, float]], Coefficients]


def predict(
    edit: Edit, made: Callable[[dict[str, float]], Coefficients], draws: Draws, now: str | None
) -> Estimate:
    """Predicts the gain of an edit with the interval that resampling gives.

    The gain over what was measured and that over what the law says of today are both worked out,
    and the smaller one counts: where the law misses something today, it misses it afterwards too.
    Their distance widens the interval.

    Args:
        edit: Changes the coefficients.
        made: Makes coefficients of one draw of the medians.
        draws: Medians of each arm's batch, resampled.
        now: The arm that is today's pipeline; None if it was not measured.
    """
    gains, widths = [], []
    for place in range(min(DRAWS, len(next(iter(draws.values()))))):
        one = {name: float(values[place]) for name, values in draws.items()}
        c = made(one)
        after = max(batch_ns(edit(c, one)), 1.0)
        predicted = batch_ns(c) / after
        measured = one[now] / after if now else predicted
        gains.append(min(predicted, measured))
        widths.append(max(predicted, measured) / max(min(predicted, measured), 1e-9))
    drawn = of_draws(gains)
    wide = float(np.median(widths)) ** 0.5
    return Estimate(drawn.value, drawn.low / max(BY_LAW, wide), drawn.high * max(BY_LAW, wide))


def misfit(made: Callable[[dict[str, float]], Coefficients], draws: Draws, now: str) -> float:
    """Returns how far off the law is on today's batch: 0.1 is 10 % too long."""
    one = {name: float(values[0]) for name, values in draws.items()}
    return batch_ns(made(one)) / one[now] - 1


def _called(subject: Subject) -> str:
    """What code to paste calls it; an object has no name that could be known."""
    return "your_source" if subject.kind == "sequence" else subject.name.rpartition(".")[2]


def candidates(
    subject: Subject, signature: str, batch_size: int, c: Coefficients, draws: Draws
) -> list[tuple[Advice, Edit]]:
    """Returns the fixes that this subject allows, their gains still to be predicted.

    Args:
        subject: What is examined.
        signature: As text to paste.
        batch_size: Rows in a batch.
        c: Today's coefficients.
        draws: For each arm that was measured its medians.
    """
    found: list[tuple[Advice, Edit]] = []
    blank = Estimate(1.0, 1.0, 1.0)
    name = _called(subject)
    head = f"bridge.from_generator({name}, output_signature={signature}, batch_size={batch_size}"
    if subject.kind == "sequence":
        head = f"bridge.from_source({name}, batch_size={batch_size}"
        head += f", output_signature={signature}" if subject.padded else ""
    if subject.padded:
        head += ', varying="pad"'
    alone = subject.pipeline is None
    # a generator object has nothing to be called anew, and a finished data set cannot be rebuilt
    may = subject.kind in ("generator", "sequence") or subject.rebuild is not None

    def add(name_: str, title: str, code: str, costs: str, edit: Edit, *, needs: str = "",
            workers: int = 0, automatic: bool = True) -> None:  # fmt: skip
        advice = Advice(name_, title, code, blank, costs, needs, workers, automatic and may)
        found.append((advice, edit))

    if not c.overlapped:
        add(
            "prefetch", "let the next batch be made while this one is consumed",
            "dataset = dataset.prefetch(tf.data.AUTOTUNE)", "a few batches of memory",
            lambda c, one: replace(c, overlapped=True), automatic=subject.pipeline is not None,
        )  # fmt: skip
    if rungs.TIGHT in draws:
        add(
            "signature", "give the shape, so that the fast callback is chosen",
            f"output_signature={signature}", "none",
            lambda c, one: replace(c, crossing=one[rungs.TIGHT]), automatic=alone,
        )  # fmt: skip
    if rungs.SLICED in draws:
        add(
            "slices", "read slices, not rows, with the bridge", f"dataset = {head})",
            "a chunk of memory",
            lambda c, one: replace(
                c, waiting=0, held=0, freed=one[rungs.SLICED], crossing=one[rungs.BRIDGED] * 0.5
            ),
        )  # fmt: skip
    elif rungs.BRIDGED in draws:
        swap = "" if alone else ".unbatch()  # in the place of tf.data.Dataset.from_generator(…)"
        add(
            "bridge", "hand many rows over at once, with the bridge", f"dataset = {head}){swap}",
            "up to 16 MB of buffers; the same rows in the same order",
            lambda c, one: replace(c, crossing=one[rungs.BRIDGED]),
        )  # fmt: skip
    if rungs.WORKER in draws and alone:
        add(
            "worker", "run the generator in a process of its own, with the bridge",
            f"dataset = {head}, num_workers=1)",
            "a process, its start of 0.2 to 2 s, a copy of what the generator refers to",
            lambda c, one: _in_workers(c, one, 1),
            needs="what it refers to can be pickled",
        )  # fmt: skip
        # what waits leaves its core to others, so more of them than cores may be worth it
        wanted = max(c.consumer, draws[rungs.WORKER][0], _share(c))
        count = workers_for(wanted, c, MOST_WORKERS * c.cores)
        if count >= 2:
            sharded = subject.shards or subject.kind == "sequence"
            add(
                "workers", f"run {count} shards in {count} processes, with the bridge",
                f"dataset = {head}, num_workers={count})",
                f"{count} processes and their start; batches of one shard each, in turn",
                lambda c, one, count=count: _in_workers(c, one, count),
                needs="" if sharded else "the generator takes shard and num_shards, and yields "
                "only the rows of its shard: for i in range(shard, n, num_shards)",
                workers=count, automatic=sharded,
            )  # fmt: skip
    outside = c.waiting + c.freed
    if outside > 0.5 * c.generator and c.generator > c.crossing and alone:
        count = MOST_THREADS if c.waiting > c.freed else c.cores
        sharded = subject.shards or subject.kind == "sequence"
        add(
            "threads", f"let {count} rows be made at the same time, in threads",
            _threads_code(subject, signature, batch_size, count),
            "rows in flight; the same rows, in the same order from a sequence only",
            lambda c, one, count=count: replace(c, streams=count),
            needs="the code may run in several threads" if sharded else
            "rows can be had one by one, by an index: def load(i)",
            workers=count, automatic=sharded,
        )  # fmt: skip
    return found


def rewrites(hazards: Sequence[Hazard], lines: Sequence[Line]) -> list[tuple[Advice, Edit]]:
    """Returns changes of the user's own lines, where a hazard stands on one that costs time.

    Args:
        hazards: That were found.
        lines: Of the profile, with the share of each in the generator's time.
    """
    found: list[tuple[Advice, Edit]] = []
    rest = list(lines)
    for hazard in hazards:
        file, _, number = hazard.where.rpartition(":")
        if hazard.level != SPEED or not number:
            continue
        span = range(int(number), max(int(number), hazard.last) + 1)
        slow = [line for line in rest if line.file == file and line.line in span]
        if sum(line.share for line in slow) < HEAVY_LINES:
            continue
        rest = [line for line in rest if line not in slow]
        advice = Advice(
            "rewrite", f"change {hazard.where}: {hazard.title}", hazard.fix,
            Estimate(1.0, 1.0, 1.0), "none, if the rows stay the same",
            "the work of the line can be done once, or elsewhere", 0, False,
        )  # fmt: skip
        found.append((advice, functools.partial(_without, slow)))
    return found


def _without(lines: Sequence[Line], c: Coefficients, one: dict[str, float]) -> Coefficients:
    """Takes the time of lines off the generator's."""
    held, waiting, freed = (
        sum(shares) * c.generator
        for shares in zip(*((one.held, one.waiting, one.freed) for one in lines), strict=True)
    )
    return replace(
        c,
        held=max(0.0, c.held - held),
        waiting=max(0.0, c.waiting - waiting),
        freed=max(0.0, c.freed - freed),
    )


def _share(c: Coefficients) -> float:
    """What the cores allow a batch, when nothing else binds."""
    return (c.held + c.freed + c.consumer) / c.cores


def _in_workers(c: Coefficients, one: dict[str, float], count: int) -> Coefficients:
    written = one.get(rungs.BRIDGED, one[rungs.WORKER])
    return replace(
        c, crossing=written, handover=one[rungs.WORKER] * 0.5, streams=count, processes=count
    )


def _threads_code(subject: Subject, signature: str, batch_size: int, count: int) -> str:
    name, batch = _called(subject), "padded_batch" if subject.padded else "batch"
    pool = (
        "options = tf.data.Options()\n"
        f"options.threading.private_threadpool_size = {count + 2}  # else one thread a core\n"
        "dataset = dataset.with_options(options)"
    )
    if subject.shards:
        return (
            f"dataset = tf.data.Dataset.range({count}).interleave(\n"
            f"    lambda shard: tf.data.Dataset.from_generator({name}, args=(shard, {count}),\n"
            f"        output_signature={signature}),\n"
            f"    cycle_length={count}, num_parallel_calls={count}, deterministic=False)"
            f".{batch}({batch_size})\n{pool}"
        )
    load = f"{name}.__getitem__" if subject.kind == "sequence" else "load"
    return (
        "dataset = tf.data.Dataset.range(n).map(\n"
        f"    lambda i: tf.numpy_function({load}, [i], …),  # then set_shape\n"
        f"    num_parallel_calls={count}).{batch}({batch_size})\n{pool}"
    )


def rank(candidates: list[Advice], unsure: bool = False) -> tuple[Advice, ...]:
    """Returns the fixes worth making, the largest gain first; among equals the simplest.

    Args:
        candidates: In the order from the simplest to the costliest.
        unsure: Whether what was tried comes before what the law alone speaks for.
    """
    worth = [one for one in candidates if one.gain.value >= WORTH]
    order = {one.name: place for place, one in enumerate(candidates)}

    def key(one: Advice) -> tuple[bool, int, int]:
        # within 5 % of each other, what is simpler comes first
        return (
            unsure and one.tried is None,
            -round(np.log(one.gain.value) / np.log(ALIKE)),
            order[one.name],
        )

    return tuple(sorted(worth, key=key))
