"""Growth: does a long epoch become slower, or take more memory, as it goes on?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import numpy as np
import psutil

from helpers import bridge
from helpers.bench.results import Growth, GrowthPoint
from helpers.bench.workloads import Stored
from helpers.measure import pick, ratio_of_times
from helpers.quiet import tf

BATCH = 125
STRETCH = 8
"""Batches that one of the two reads before it is the other's turn: whole chunks, whatever the chunk
size, so that no turn pays for the rows of the next."""

EPOCHS = 5
"""How often the first stretch is read, as there is only one in an epoch."""


def grow(tell: Callable[[float], None] = lambda share: None) -> Growth:
    """Reads one long epoch of 40 KB rows through the bridge, from 10³ to 10⁶ examples.

    It takes turns with an epoch of the same length of `from_tensor_slices`, a thousand examples
    each: a machine that is slow for a while is slow for both, and whatever grows shows in their
    ratio. Neither prefetches, so that neither works during the other's turn. The first stretch
    holds the opening of the epoch, which the others have behind them.

    Args:
        tell: Told the share that is done.
    """
    rows = np.random.default_rng(0).random((1000, 100, 100), dtype=np.float32)
    ends = pick((10**3, 10**4, 10**5, 10**6), (10**3, 3 * 10**3, 6 * 10**3, 10**4))
    source = Stored(rows, ends[-1] // len(rows))
    slices = tf.data.Dataset.from_tensor_slices(rows).batch(BATCH).repeat(source.passes)
    through_bridge = bridge.from_generator(
        source.generate, output_signature=tf.TensorSpec((100, 100), tf.float32), batch_size=BATCH
    )
    both = (_alone(slices), _alone(through_bridge))
    for _ in both[1].take(4 * STRETCH):
        pass  # the size of the chunks settles
    process = psutil.Process()
    points = []
    read = 0
    for end in ends:
        base, times, memory = [], [], []
        while read < end or (end == ends[0] and len(times) < EPOCHS):
            if end == ends[0]:
                read, turns = 0, [_timed(iter(dataset)) for dataset in both]
            for turn, spent in zip(turns, (base, times), strict=True):
                spent.append(next(turn))
            memory.append(process.memory_info().rss)
            read += STRETCH * BATCH
            tell(read / ends[-1])
        points.append(
            GrowthPoint(
                examples=end,
                us_per_example=float(np.median(times)) / (1e3 * STRETCH * BATCH),
                resident_mib=max(memory) / 2**20,
                ratio=ratio_of_times(base, times),
            )
        )
    return Growth(f"40 KB rows through the bridge, in batches of {BATCH}", tuple(points))


def _alone(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Without the prefetch that TensorFlow adds, which would read ahead in the other's turn."""
    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False
    return dataset.with_options(options)


def _timed(batches: Iterator) -> Iterator[int]:
    """Yields the nanoseconds that each stretch took."""
    while True:
        start = time.perf_counter_ns()
        for _ in range(STRETCH):
            next(batches)
        yield time.perf_counter_ns() - start
