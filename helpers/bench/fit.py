"""Run the benchmark of training: one model, fed in every way, against one cached batch."""

from __future__ import annotations

import contextlib
import gc
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from helpers.bench.fit_results import Fed, FitBench, FitWorkload
from helpers.bench.steps import Tell, chosen, one_by_one
from helpers.diagnose.law import Coefficients, batch_ns
from helpers.measure import Arm, Settings, compare, pick, quick, this_machine
from helpers.quiet import tf
from helpers.sources.digits import CLASSES, FEATURES, Lines, write_digits
from helpers.sources.photographs import Pictures, photographs, write_crops
from helpers.study import training
from helpers.study.feeding import (
    WAYS,
    Feed,
    model_on_one_core,
    picture_model,
    table_model,
    workers,
)

STEPS = 24
"""Steps of an epoch."""

ROWS_ALONE = "rows alone"
"""The arm that takes single rows from the generator, and nothing else: what the law needs of it."""

TOLERANCE = 1e-4
"""By how much, as a share, the losses of two ways may differ: sums in another order."""


@dataclass(frozen=True)
class Workload:
    """A model and what it is fed.

    Attributes:
        description: In words.
        feed: Makes the feed, of so many steps, with files in a folder.
        model: Makes the model.
    """

    description: str
    feed: Callable[[Path, int], Feed]
    model: Callable[[], tf.keras.Model]


def _table(folder: Path, steps: int) -> Feed:
    lines = Lines(write_digits(folder / "digits.csv"), 256 * steps)
    spec = tf.TensorSpec((FEATURES,), tf.float32), tf.TensorSpec((), tf.int32)
    return Feed(lines.rows, spec, 256)


def _pictures(folder: Path, steps: int) -> Feed:
    pictures = Pictures(*write_crops(folder, 32 * steps))
    spec = tf.TensorSpec((64, 64, 3), tf.float32), tf.TensorSpec((), tf.int32)
    return Feed(pictures.rows, spec, 32, pictures)


WORKLOADS = {
    "table": Workload(
        "lines of a CSV file, 64 numbers each, in batches of 256",
        _table,
        lambda: table_model(FEATURES, CLASSES, 512),
    ),
    "table, larger model": Workload(
        "the same file before a model whose step is longer",
        _table,
        lambda: table_model(FEATURES, CLASSES, 1024),
    ),
    "pictures": Workload(
        "a folder of JPEG files, decoded with Pillow, in batches of 32",
        _pictures,
        lambda: picture_model(len(photographs()), 24),
    ),
    "pictures, larger model": Workload(
        "the same folder before a model whose step is longer",
        _pictures,
        lambda: picture_model(len(photographs()), 64),
    ),
}


def choose(only: Sequence[str] | None) -> list[str]:
    """As `chosen`."""
    return chosen(WORKLOADS, only, "workload")


def run(
    only: Sequence[str] | None = None,
    *,
    tell: Tell = lambda name, share, words: None,
    keep: Callable[[FitBench], None] = lambda result: None,
) -> FitBench:
    """Runs the benchmark; Ctrl-C ends it with what is finished.

    Args:
        only: Names of workloads; all unless given.
        tell: Told how far it is.
        keep: Called with all results so far, whenever something is finished.

    Raises:
        ValueError: If there is no such workload, or a model does not learn the same in every way.
    """
    names = choose(only)
    with contextlib.suppress(RuntimeError):  # in a process that has used TensorFlow, as tests do
        model_on_one_core()
    threads = tf.config.threading.get_intra_op_parallelism_threads()
    done: list[FitWorkload] = []

    def result(interrupted: bool) -> FitBench:
        return FitBench(this_machine(), quick(), threads, tuple(done), interrupted)

    return one_by_one(
        names, lambda name: done.append(run_workload(name, tell)), result, tell=tell, keep=keep
    )


def run_workload(name: str, tell: Tell = lambda name, share, words: None) -> FitWorkload:
    """Trains one model in every way, in the same rounds.

    Args:
        name: Of `WORKLOADS`.
        tell: Told how far it is.

    Raises:
        ValueError: If the model does not learn the same in every way.
    """
    start = time.perf_counter()
    workload, steps = WORKLOADS[name], pick(STEPS, 4)
    with tempfile.TemporaryDirectory(prefix="workbook-fit-") as folder:
        feed = workload.feed(Path(folder), steps)
        tf.keras.utils.set_random_seed(0)
        model = workload.model()
        datasets = feed.datasets()
        tell(name, 0.05, "the same losses in every way")
        losses = _losses(name, model, datasets, steps)
        datasets = {training.CEILING: training.one_batch(datasets["naive"], steps), **datasets}
        measured = compare(
            [
                *(training.fit_arm(way, model, fed, steps) for way, fed in datasets.items()),
                Arm(ROWS_ALONE, feed.rows),
            ],
            title=f"{name}: a step behind each pipeline against a step on one cached batch",
            settings=Settings.default(
                min_rounds=8, max_rounds=24, budget_s=100, warmup_rounds=2, precision=0.02
            ),
            on_progress=lambda progress: tell(
                name, 0.1 + 0.9 * progress.share, f"round {progress.rounds}"
            ),
        )
    row_ns = measured.ns_per_example(ROWS_ALONE)
    step_ns = feed.batch_size * measured.ns_per_example(training.CEILING)
    fed = []
    for way in WAYS:
        stall = training.stall(measured, way)
        allowed = step_ns / batch_ns(_coefficients(way, feed, row_ns, step_ns))
        ratio = measured.ratio(way)
        fed.append(
            Fed(
                way, feed.batch_size * measured.ns_per_example(way) / 1e6,
                ratio.value, ratio.low, ratio.high, stall.waiting, stall.behind, stall.slowed,
                allowed=allowed, first_batch_ms=measured.cold_ns(way) / 1e6, loss=losses[way],
            )
        )  # fmt: skip
    del datasets, model
    gc.collect()  # workers live as long as their data sets
    return FitWorkload(
        name, workload.description, feed.batch_size, steps, step_ns / 1e6,
        row_us=row_ns / 1e3, noise=measured.floor(), fed=tuple(fed), measurement=measured,
        seconds=round(time.perf_counter() - start, 2),
    )  # fmt: skip


def _losses(
    name: str, model: tf.keras.Model, datasets: dict[str, tf.data.Dataset], steps: int
) -> dict[str, float]:
    """Trains the model for an epoch by each way, from the same weights, and compares the losses."""
    start = model.get_weights()
    losses = {}
    for way, dataset in datasets.items():
        losses[way] = training.epoch_loss(model, start, dataset, steps)
        if not np.isclose(losses[way], losses[WAYS[0]], rtol=TOLERANCE):
            raise ValueError(
                f"on {name} the model does not learn the same by {way!r} as by {WAYS[0]!r}: its "
                f"loss is {losses[way]:.6f} in place of {losses[WAYS[0]]:.6f}."
            )
    return losses


def _coefficients(way: str, feed: Feed, row_ns: float, step_ns: float) -> Coefficients:
    """What the law knows of a way: the generator and the step; a crossing counts as nothing.

    So the law says how fast it can get at best, and not how fast this way of crossing is.
    """
    processes = 0 if way != "workers" else workers() if feed.source is not None else 1
    return Coefficients(
        waiting=0, held=feed.batch_size * row_ns, freed=0, crossing=0, nodes=0,
        consumer=step_ns, consumer_held=0, cores=this_machine().cores,
        processes=processes, streams=max(1, processes), overlapped=way != "naive",
    )  # fmt: skip
