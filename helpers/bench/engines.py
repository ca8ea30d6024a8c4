"""`workbook bench engines`: routes for rows from Python beyond one process, and one machine.

Rows here cost 5 ms of Python each, waiting or computing, or are 40 KB large; what is compared gives
the same rows, which is checked before.
"""

from __future__ import annotations

import importlib.metadata
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from helpers.bench import engine_kills
from helpers.bench.engines_results import EnginesBench, Kills, Paid, Rate
from helpers.bench.steps import Tell, chosen, one_by_one
from helpers.bridge import from_generator
from helpers.measure import Arm, Measurement, Settings, compare, pick, quick, this_machine
from helpers.quiet import tf
from helpers.scale import Capacity, Cluster, Payback, host, materialise

ROW_S = 0.005
"""What a row costs in Python."""

BATCH = 10
"""Rows in a batch of such rows."""

STORED_BATCH = 32
"""Rows in a batch of large ones."""

SPEC = tf.TensorSpec((), tf.int64)
LARGE = tf.TensorSpec((100, 100), tf.float32), tf.TensorSpec((), tf.int64)

STEPS = ("up", "native", "hosted", "stored", "workers", "ray", "kills")


def choose(only: Sequence[str] | None) -> list[str]:
    """As `chosen`."""
    return chosen(STEPS, only, "step")


def run(
    only: Sequence[str] | None = None,
    *,
    tell: Tell = lambda name, share, words: None,
    keep: Callable[[EnginesBench], None] = lambda result: None,
) -> EnginesBench:
    """Runs the benchmark; Ctrl-C ends it with what is finished.

    Args:
        only: Names of steps; all unless given.
        tell: Told how far it is.
        keep: Called with all results so far, whenever a step is finished.

    Raises:
        ValueError: If there is no such step, or an arm does not yield what the first one yields.
    """
    names = choose(only)
    made = _Run(tell)
    return one_by_one(names, lambda name: getattr(made, name)(), made.result, tell=tell, keep=keep)


class _Run:
    """The steps, each of which leaves what it found here."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._up_s: list[float] = []
        self._compared: dict[str, Measurement] = {}
        self._rates: list[Rate] = []
        self._kills: list[Kills] = []
        self._missing: dict[str, str] = {}
        self._paid: Paid | None = None

    def result(self, interrupted: bool) -> EnginesBench:
        """What there is so far."""
        versions = {"Ray": importlib.metadata.version("ray")} if find_spec("ray") else {}
        return EnginesBench(
            this_machine(), quick(), versions, tuple(self._up_s), dict(self._compared),
            tuple(self._rates), self._paid, tuple(self._kills), dict(self._missing), interrupted,
        )  # fmt: skip

    def up(self) -> None:
        """How long a cluster takes to serve."""
        for number in range(pick(5, 1)):
            self._tell("up", number / 5, "")
            start = time.perf_counter()
            with Cluster(2):
                self._up_s.append(round(time.perf_counter() - start, 2))

    def native(self) -> None:
        """What the way through the service costs a pipeline without Python."""
        pictures = tf.data.Dataset.range(pick(4096, 256)).map(
            lambda number: tf.fill((100, 100), tf.cast(number, tf.float32)), tf.data.AUTOTUNE
        )
        batches = pictures.batch(STORED_BATCH)
        with Cluster(2) as cluster:
            ways = {
                "here": batches,
                "service": served(batches, cluster),
                "service, compressed": served(batches, cluster, compression="AUTO"),
            }
            self._compare("native", "a pipeline without Python, here and in two workers", ways)

    def hosted(self) -> None:
        """Python in the service's workers, and in the bridge's, against one generator here."""
        shards, rows = 8, pick(30, 4)
        pipeline = host(_pipeline("computes", shards, rows))
        with Cluster(2, hosted=[pipeline]) as cluster:
            ways = {
                "a generator here": pipeline.dataset,
                "two workers": served(pipeline.dataset, cluster),
                "bridge, two workers": from_generator(
                    _of_shards("computes", shards, rows),
                    output_signature=SPEC, batch_size=BATCH, num_workers=2,
                ),
            }  # fmt: skip
            _check(ways, shards * rows)
            self._compare("hosted", "rows of 5 ms of Python each", ways)

    def stored(self) -> None:
        """Rows that are written once, read back, against memory and against making them."""
        count = pick(4000, 200)
        with tempfile.TemporaryDirectory(prefix="workbook-engines-") as folder:
            start = time.perf_counter()
            kept = materialise(
                _large(count), Path(folder) / "rows", output_signature=LARGE,
                batch_size=STORED_BATCH,
            )  # fmt: skip
            once_s = time.perf_counter() - start
            rows = [row for shard in range(8) for row in _large(count)(shard, 8)]
            columns = tuple(np.stack(column) for column in zip(*rows, strict=True))
            made = tf.data.Dataset.from_generator(
                lambda: _large(count)(0, 1), output_signature=LARGE
            )
            ways = {
                "from_tensor_slices": tf.data.Dataset.from_tensor_slices(columns).batch(
                    STORED_BATCH
                ),
                "stored": kept.dataset(),
                "a generator": made.batch(STORED_BATCH),
            }
            _check(ways, count, lambda batch: batch[1])
            measured = self._compare("stored", "rows of 40 KB", ways)
            epoch_s = {way: measured.ns_per_example(way) * count / 1e9 for way in ways}
            pays = Payback(once_s, epoch_s["a generator"], epoch_s["stored"])
            again = materialise(
                _large(count), Path(folder) / "again", output_signature=LARGE,
                batch_size=STORED_BATCH,
            ).dataset  # fmt: skip
            self._paid = _paid(pays, once_s, ways["a generator"], again())

    def workers(self) -> None:
        """Rates of several workers, predicted from one."""
        ceiling_s = self._ceiling_s()
        for work, numbers in (("waits", pick((1, 2, 4, 8), (1, 2))), ("computes", (1, 2))):
            shards, rows = 64, pick(20, 2)
            pipeline = host(_pipeline(work, shards, rows))
            capacity = None
            for number in numbers:
                self._tell("workers", number / 10, f"{number}, work that {work}")
                with Cluster(number, hosted=[pipeline]) as cluster:
                    before_s = cluster.cpu_s
                    measured = _rate(served(pipeline.dataset, cluster), number)
                    used_s = cluster.cpu_s - before_s
                if capacity is None:
                    worker_s = 1 / measured
                    busy_s = used_s / (_epochs(number) * shards * rows / BATCH)
                    capacity = Capacity(
                        worker_s, min(busy_s, worker_s), ceiling_s, cores=this_machine().cores
                    )
                found = capacity.at(number).rate, capacity.simulated(number)
                self._rates.append(Rate(work, number, measured, *found))

    def _ceiling_s(self) -> float:
        """Seconds that the client takes for a batch of such rows that is ready."""
        with Cluster(1) as cluster:
            ready = tf.data.Dataset.range(pick(20_000, 500)).batch(BATCH)
            return 1 / _rate(served(ready, cluster), 1)

    def ray(self) -> None:
        """The same rows on Ray."""
        if not find_spec("ray"):
            self._missing["ray"] = "Ray is not installed; `make cluster` adds it"
            return
        from helpers.scale.ray import from_ray, ray_here

        with ray_here(2):
            shards, rows = 8, pick(60, 4)
            make = _of_shards("computes", shards, rows)
            spec = {"output_signature": SPEC, "batch_size": BATCH}
            ways = {
                "a generator here": tf.data.Dataset.from_generator(
                    lambda: make(0, 1), output_signature=SPEC
                ).batch(BATCH),
                "Ray": from_ray(make, num_shards=shards, **spec),
            }
            _check(ways, shards * rows)
            self._compare("ray", "rows of 5 ms of Python each", ways)

    def kills(self) -> None:
        """Random kills in the routes that promise each row once."""
        for number, route in enumerate(engine_kills.ROUTES):
            self._tell("kills", number / 3, route)
            found = engine_kills.kill(route, pick(17, 1), seed=number)
            if isinstance(found, str):
                self._missing[route] = found
            else:
                self._kills.append(found)

    def _compare(self, step: str, title: str, ways: dict[str, tf.data.Dataset]) -> Measurement:
        self._compared[step] = compare(
            [_arm(way, dataset.prefetch(2)) for way, dataset in ways.items()],
            title=title,
            settings=Settings.default(
                min_rounds=8, max_rounds=40, budget_s=pick(60, 2), warmup_rounds=1, precision=0.02
            ),
            on_progress=lambda progress: self._tell(
                step, progress.share, f"round {progress.rounds}"
            ),
        )
        return self._compared[step]


def served(
    dataset: tf.data.Dataset, cluster: Cluster, policy: str = "DYNAMIC", **options: Any
) -> tf.data.Dataset:
    """Has a cluster make the elements of a data set.

    Args:
        dataset: What is to be made.
        cluster: Where.
        policy: Name of a sharding policy of the service.
        options: More for `distribute`.
    """
    service = tf.data.experimental.service
    sharding = getattr(service.ShardingPolicy, policy)
    return dataset.apply(service.distribute(sharding, cluster.target, **options))


def _arm(name: str, dataset: tf.data.Dataset) -> Arm:
    return Arm(name, lambda: dataset, lambda batch: len(tf.nest.flatten(batch)[0]))


def _pipeline(work: str, shards: int, rows: int) -> Callable[[], tf.data.Dataset]:
    """What builds a pipeline of such rows, whose source the service can divide."""

    def build() -> tf.data.Dataset:
        def of_shard(shard: tf.Tensor) -> tf.data.Dataset:
            return tf.data.Dataset.from_generator(
                lambda shard: _slow(work, int(shard) * rows, rows),
                args=(shard,),
                output_signature=SPEC,
            )

        return tf.data.Dataset.range(shards).interleave(of_shard, cycle_length=1).batch(BATCH)

    return build


def _of_shards(work: str, shards: int, rows: int) -> Callable[[int, int], Iterator[np.int64]]:
    """A generator of the same rows, for workers that count shards their own way."""

    def make(shard: int, num_shards: int) -> Iterator[np.int64]:
        each = shards * rows // num_shards
        return _slow(work, shard * each, each)

    return make


def _slow(work: str, first: int, count: int) -> Iterator[np.int64]:
    for number in range(first, first + count):
        if work == "waits":
            time.sleep(ROW_S)
        else:
            end = time.perf_counter() + ROW_S
            while time.perf_counter() < end:
                pass
        yield np.int64(number)


def _large(count: int) -> Callable[[int, int], Iterator[tuple[np.ndarray, np.int64]]]:
    """A generator of rows of 40 KB that cost some Python."""

    def make(shard: int, num_shards: int) -> Iterator[tuple[np.ndarray, np.int64]]:
        for number in range(shard, count, num_shards):
            row = np.random.default_rng(number).random((100, 100), np.float32)
            yield np.sort(row, axis=1), np.int64(number)

    return make


def _check(
    ways: dict[str, tf.data.Dataset],
    count: int,
    numbers: Callable[[Any], Any] = lambda batch: batch,
) -> None:
    """Holds the ways to the same rows, each once, in whatever order."""
    for way, dataset in ways.items():
        seen = Counter(int(one) for batch in dataset for one in np.ravel(numbers(batch)))
        if seen != Counter(range(count)):
            raise ValueError(f"{way!r} does not give each of {count} rows once.")


def _rate(dataset: tf.data.Dataset, workers: int) -> float:
    """Elements a second while all workers are at work, the median of several epochs."""
    found = []
    for _ in range(_epochs(workers)):
        iterator = iter(dataset)
        for _ in islice(iterator, 2 * workers):
            pass
        start = time.perf_counter()
        times = [time.perf_counter() for _ in iterator]
        most = max(1, round(0.8 * len(times)))  # in the end some have nothing left
        found.append(most / (times[most - 1] - start))
    return statistics.median(found)


def _epochs(workers: int) -> int:
    """How many are read with so many workers, for about as long with few as with many."""
    return pick(2 * workers, 1)


def _paid(pays: Payback, once_s: float, made: tf.data.Dataset, stored: tf.data.Dataset) -> Paid:
    """Runs both ways until writing has paid, or clearly will not."""
    spent = {"made": 0.0, "stored": once_s}
    most = 2 * (pays.epochs or 4)
    for epoch in range(1, most + 1):
        for way, dataset in (("made", made), ("stored", stored)):
            start = time.perf_counter()
            for _ in dataset.prefetch(2):
                pass
            spent[way] += time.perf_counter() - start
        if spent["stored"] <= spent["made"]:
            return Paid(once_s, pays.epochs, epoch)
    return Paid(once_s, pays.epochs, None)
