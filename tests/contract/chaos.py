"""Rounds of open, break, drop, error and kill in random order, and what is left after them.

`python -m contract.chaos ROUNDS SEED` prints what it found, as one line of JSON.
"""

import collections
import dataclasses
import functools
import gc
import json
import os
import random
import sys
import time
from collections.abc import Callable

import numpy as np
import psutil
from contract.unruly import ROWS, SHAPE, Unruly, row

from helpers import bridge
from helpers.quiet import tf

BATCH = 8
SPEC = tf.TensorSpec(SHAPE, tf.float32)
SECONDS = 60  # for what ends by itself to end
ROW_BYTES = int(np.prod(SHAPE)) * 4


def _generated(unruly, **options):
    return bridge.from_generator(unruly, output_signature=SPEC, batch_size=BATCH, **options)


WHOLE: dict[str, Callable[[], tf.data.Dataset]] = {
    "rows": lambda: _generated(Unruly()),
    "one worker": lambda: _generated(Unruly(), num_workers=1),
    "two workers": lambda: _generated(Unruly(), num_workers=2),
    "items": lambda: bridge.from_source(Unruly(), batch_size=BATCH),
    "items, two workers": lambda: bridge.from_source(
        Unruly(), batch_size=BATCH, shuffle=True, num_workers=2
    ),
    "array, shuffled": lambda: bridge.from_source(_array(), batch_size=BATCH, shuffle=True),
}
WORKING = [way for way in WHOLE if "worker" in way]
FAILING = {
    f"{kind}, {workers} workers": functools.partial(
        _generated, Unruly(fails_at=50, mismatch=kind == "mismatch"), num_workers=workers
    )
    for kind in ("error", "mismatch")
    for workers in (0, 1, 2)
}


@functools.cache
def _array() -> np.ndarray:
    return np.stack([row(index) for index in range(ROWS)])


TELLING_ROUNDS = 100  # from so many on, growth is judged


@dataclasses.dataclass
class Report:
    """What the rounds found.

    Attributes:
      rounds: How many there were.
      actions: How many of each.
      wrong: What went wrong in a round, in words.
      processes: Processes that are left.
      descriptors: File descriptors more than before.
      segments: Mappings of shared memory more than before.
      growth: Bytes of memory that the second half of the rounds added, for each of them.
    """

    rounds: int = 0
    actions: dict[str, int] = dataclasses.field(default_factory=dict)
    wrong: list[str] = dataclasses.field(default_factory=list)
    processes: int = 0
    descriptors: int = 0
    segments: int = 0
    growth: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether nothing went wrong and nothing is left.

        tf.data's own from_generator keeps some memory of each data set built, the graphs of its
        functions; a chunk kept would be far more than a quarter of itself. A few rounds are too
        few to tell growth from pages that the allocator keeps.
        """
        left = self.processes or self.descriptors > 0 or self.segments > 0
        grows = self.rounds >= TELLING_ROUNDS and self.growth >= BATCH * ROW_BYTES // 4
        return not self.wrong and not left and not grows

    def text(self) -> str:
        """The report in a line, and below it what went wrong."""
        actions = ", ".join(f"{count} {name}" for name, count in sorted(self.actions.items()))
        return "\n".join(
            [
                f"{self.rounds} rounds ({actions}): {len(self.wrong)} wrong; left: "
                f"{self.processes} processes, {self.descriptors} file descriptors, "
                f"{self.segments} shared segments; {self.growth} bytes a round",
                *self.wrong,
            ]
        )


class Chaos:
    """Data sets, what is done with them, and what is open of them.

    Args:
      seed: Of the order of things.
    """

    def __init__(self, seed: int):
        self.random = random.Random(seed)
        self.kept = {way: build() for way, build in {**WHOLE, **FAILING}.items()}
        self.open: collections.deque = collections.deque(maxlen=3)

    actions = ("read", "break_off", "leave_open", "drop", "fail", "kill", "nest")

    def read(self) -> None:
        """Reads a whole epoch."""
        self._whole(self.random.choice([*WHOLE]))

    def break_off(self) -> None:
        """Reads the beginning of an epoch and drops the iterator."""
        self._some(self.kept[self.random.choice([*WHOLE])])

    def leave_open(self) -> None:
        """Reads the beginning of an epoch and leaves it open for some rounds."""
        self.open.append(self._some(self.kept[self.random.choice([*WHOLE])]))

    def drop(self) -> None:
        """Drops a data set while it is read, and reads on."""
        way = self.random.choice([*WHOLE])
        dataset = WHOLE[way]()
        iterator = iter(dataset)
        first = next(iterator)
        del dataset
        if self.random.random() < 0.5:
            gc.collect()
        rows = [first, *iterator]
        _check(rows, way)

    def fail(self) -> None:
        """Reads what raises or does not match; good rows come before the error."""
        way = self.random.choice([*FAILING])
        rows = 0
        try:
            for batch in self.kept[way]:
                rows += len(batch)
        except tf.errors.OpError as error:
            wanted = "shape" if way.startswith("mismatch") else "as asked for"
            if wanted not in str(error):
                raise AssertionError(f"{way}: the error does not say {wanted!r}: {error}") from None
        else:
            raise AssertionError(f"{way}: no error, {rows} rows")

    def kill(self) -> None:
        """Kills a worker while an epoch is read; the next epoch is whole again."""
        way = self.random.choice(WORKING)
        iterator = self._some(self.kept[way])
        workers = _workers()
        if workers:
            self.random.choice(workers).kill()
        try:
            for _ in iterator:
                pass
        except tf.errors.OpError:
            pass  # or it had read all of it before
        del iterator
        self._whole(way)

    def nest(self) -> None:
        """Builds a data set within another one's graph."""
        way = self.random.choice(["rows", "one worker", "items"])
        nested = tf.data.Dataset.range(2).interleave(lambda k: WHOLE[way]())
        numbers = sorted(int(value) for batch in nested for value in batch[:, 0, 0])
        if numbers != sorted([*range(ROWS)] * 2):
            raise AssertionError(f"built in interleave, {way}: {len(numbers)} rows")

    def _whole(self, way: str) -> None:
        _check(list(self.kept[way]), way)

    def _some(self, dataset):
        iterator = iter(dataset)
        for _ in range(self.random.randint(1, 6)):
            next(iterator)
        return iterator

    def round(self, action: str | None = None) -> str:
        """Does one of its things; gives its name."""
        action = action or self.random.choice(self.actions)
        getattr(self, action)()
        return action


def _check(batches: list, way: str) -> None:
    values = [batch.numpy() for batch in batches]
    for batch in values:
        if not (batch == batch[:, :1, :1]).all():
            raise AssertionError(f"{way}: a row is not of one value")
    numbers = sorted(int(value) for batch in values for value in batch[:, 0, 0])
    if numbers != [*range(ROWS)]:
        raise AssertionError(f"{way}: {len(numbers)} rows, {len(set(numbers))} different ones")


def _workers() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def _segments() -> int:
    """Mappings of memory that has no name in a file system any more."""
    with open("/proc/self/maps") as maps:
        return sum("memfd:" in line or "(deleted)" in line for line in maps)


def _settled(before: tuple[int, int] = (0, 0)) -> tuple[int, int, int]:
    """Processes, descriptors and segments, once they are as before or have had their time."""
    deadline = time.monotonic() + SECONDS
    while True:
        gc.collect()
        found = len(_workers()), psutil.Process().num_fds() - before[0], _segments() - before[1]
        if (found[0] == 0 and max(found[1:]) <= 0) or time.monotonic() > deadline:
            return found
        time.sleep(0.05)


def _without_workers() -> tuple[int, int]:
    """Descriptors and segments, once no worker is left."""
    deadline = time.monotonic() + SECONDS
    while gc.collect() is not None and _workers() and time.monotonic() < deadline:
        time.sleep(0.05)
    return psutil.Process().num_fds(), _segments()


def chaos(rounds: int, seed: int = 0) -> Report:
    """Runs rounds in this process, which has to be one of its own.

    Args:
      rounds: How many.
      seed: Of the order of things.
    """
    report = Report(rounds=rounds)
    warm = Chaos(seed)
    for action in Chaos.actions:
        _try(warm, report, action)
    del warm
    before = _without_workers()
    play = Chaos(seed + 1)
    middle = 0
    for number in range(rounds):
        if number == rounds // 2:
            gc.collect()
            middle = psutil.Process().memory_info().rss
        action = _try(play, report)
        report.actions[action] = report.actions.get(action, 0) + 1
    play.open.clear()
    gc.collect()
    grown = psutil.Process().memory_info().rss - middle
    report.growth = max(0, grown) // max(1, rounds - rounds // 2)
    del play
    report.processes, report.descriptors, report.segments = _settled(before)
    return report


def _try(play: Chaos, report: Report, action: str | None = None) -> str:
    action = action or play.random.choice(play.actions)
    try:
        play.round(action)
    except Exception as error:
        from contract.cells import wording

        report.wrong.append(f"{action}: {type(error).__name__}: {wording(error)}")
    return action


def main() -> None:
    """Prints the report of as many rounds as the command line says."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    rounds, seed = map(int, sys.argv[1:])
    print(json.dumps(dataclasses.asdict(chaos(rounds, seed))), file=answers, flush=True)


if __name__ == "__main__":
    main()
