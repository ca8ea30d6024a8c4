"""Processes killed at random moments, in the routes that promise each row once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np

from helpers.bench.engines_results import Kills
from helpers.quiet import tf
from helpers.scale import Cluster, host, stored

ROUTES = (
    "the service's dispatcher, back from its journal",
    "materialise, called again",
    "a worker of Ray",
)

SHARDS, ROWS = 8, 50
"""Of an epoch."""

ROW_S = 0.004
"""What a row takes, so that an epoch lasts long enough to be hit."""

SPEC = tf.TensorSpec((), tf.int64)


def kill(route: str, times: int, *, seed: int = 0) -> Kills | str:
    """Kills processes of a route at random moments, and counts the rows that come.

    Args:
        route: Of `ROUTES`.
        times: How many to kill.
        seed: Of the moments.

    Returns:
        What came, or why the route cannot run here.
    """
    chance = random.Random(seed)
    if route == ROUTES[0]:
        return _dispatcher(times, chance)
    if route == ROUTES[1]:
        return _writing(times, chance)
    if not find_spec("ray"):
        return "Ray is not installed; `make cluster` adds it"
    return _ray(times, chance)


def rows(shard: int, num_shards: int) -> Iterator[np.int64]:
    """The numbers of one part, slowly."""
    for number in range(shard, SHARDS * ROWS, num_shards):
        time.sleep(ROW_S)
        yield np.int64(number)


def _pipeline() -> tf.data.Dataset:
    def of_shard(shard: tf.Tensor) -> tf.data.Dataset:
        return tf.data.Dataset.from_generator(
            lambda shard: rows(int(shard), SHARDS), args=(shard,), output_signature=SPEC
        )

    return tf.data.Dataset.range(SHARDS).interleave(of_shard, cycle_length=1).batch(10)


def _dispatcher(times: int, chance: random.Random) -> Kills:
    pipeline = host(_pipeline)
    service = tf.data.experimental.service
    seen: Counter[int] = Counter()
    with Cluster(2, hosted=[pipeline]) as cluster:
        read = pipeline.dataset.apply(
            service.distribute(service.ShardingPolicy.DYNAMIC, cluster.target)
        )
        for _ in range(times):
            at = chance.randrange(SHARDS * ROWS // 10)
            for place, batch in enumerate(read):
                seen.update(batch.numpy().tolist())
                if place == at:
                    cluster.restart_dispatcher()
    return _counted(ROUTES[0], times, times, seen)


_WRITE = """
import sys
from helpers.bench.engine_kills import SHARDS, SPEC, rows
from helpers.scale import materialise

materialise(rows, sys.argv[1], output_signature=SPEC, batch_size=10, num_shards=SHARDS,
            on_progress=lambda written: print(written, flush=True))
"""


def _writing(times: int, chance: random.Random) -> Kills:
    seen: Counter[int] = Counter()
    killed = epochs = 0
    while killed < times:
        with tempfile.TemporaryDirectory(prefix="workbook-kills-") as folder:
            place = Path(folder) / "rows"
            while True:
                hit = killed < times and _killed_writing(place, chance)
                killed += hit
                if not hit:
                    break
            if not (place / "manifest.json").exists():
                subprocess.run(_command(place), check=True, stdout=subprocess.DEVNULL)
            for batch in stored(place).dataset():
                seen.update(batch.numpy().tolist())
            epochs += 1
    return _counted(ROUTES[1], killed, epochs, seen)


def _command(place: Path) -> list[str]:
    return [sys.executable, "-c", _WRITE, str(place)]


def _killed_writing(place: Path, chance: random.Random) -> bool:
    """Kills a process that writes, some time after its first row; False if it was done before."""
    writing = subprocess.Popen(_command(place), stdout=subprocess.PIPE, text=True)
    try:
        writing.stdout.readline()
        time.sleep(chance.random() * SHARDS * ROWS * ROW_S / 2)
        running = writing.poll() is None
        writing.kill()
    finally:
        writing.stdout.close()
        writing.wait()
    return running


def _ray(times: int, chance: random.Random) -> Kills:
    from helpers.scale.ray import from_ray, ray_here

    seen: Counter[int] = Counter()
    with ray_here(2), tempfile.TemporaryDirectory(prefix="workbook-kills-") as folder:
        for epoch in range(times):
            fatal = chance.randrange(SHARDS * ROWS)
            mark = Path(folder) / str(epoch)

            def dying(
                shard: int, num_shards: int, fatal: int = fatal, mark: Path = mark
            ) -> Iterator[np.int64]:
                for number in rows(shard, num_shards):
                    if number == fatal and not mark.exists():
                        mark.touch()
                        os.kill(os.getpid(), signal.SIGKILL)
                    yield number

            read = from_ray(dying, output_signature=SPEC, batch_size=10, num_shards=SHARDS)
            for batch in read:
                seen.update(batch.numpy().tolist())
    return _counted(ROUTES[2], times, times, seen)


def _counted(route: str, killed: int, epochs: int, seen: Counter[int]) -> Kills:
    wanted = range(SHARDS * ROWS)
    lost = sum(max(0, epochs - seen[number]) for number in wanted)
    doubled = sum(max(0, count - epochs) for count in seen.values())
    return Kills(route, killed, epochs, epochs * len(wanted), lost, doubled)
