"""What each worker reads: shards of a generator or of a source.

The objects here run in worker processes; they import no TensorFlow.
"""

from __future__ import annotations

import inspect
import itertools
import random
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.bridge import received


@dataclass(frozen=True)
class Stretch:
    """Rows of a shard that are read in one go; then it is another shard's turn.

    Attributes:
      open_rows: Gives the rows.
      number: How messages call a row, by its number.
      first: Number of the first row.
      end: Number after the last row; None for as many as there are, a chunk at each turn.
    """

    open_rows: Callable[[], Iterable]
    number: Callable[[int], str]
    first: int = 0
    end: int | None = None


@dataclass(frozen=True)
class Turn:
    """One worker's part in one epoch.

    Attributes:
      shard: Number of the worker.
      num_shards: Number of workers.
      seed: Seed of the epoch.
      first: Row of the epoch with which to begin; 0 for generators.
      as_it_is: Whether random generators that came with the parcel stay as they came.
    """

    shard: int
    num_shards: int
    seed: int
    first: int
    as_it_is: bool


def worker_seed(epoch_seed: int, shard: int) -> int:
    """Derives the seed of one shard in one epoch: 32 bits, independent between shards.

    Args:
      epoch_seed: Seed of the epoch, the same for all shards, not negative.
      shard: Number of the shard.
    """
    return int(np.random.SeedSequence((epoch_seed, shard)).generate_state(1)[0])


def seed_everything(seed: int) -> None:
    """Seeds `random` and `numpy.random`.

    Args:
      seed: Of 32 bits.
    """
    random.seed(seed)
    np.random.seed(seed)


class GeneratorShards:
    """Shards of a generator function that takes `shard` and `num_shards`; one shard needs neither.

    A parameter `seed` that the arguments leave open and that has no default gets the seed of the
    shard.

    Args:
      generator: Returns an iterable of rows; called as
        `generator(*args, shard=..., num_shards=...)`.
      num_args: Number of its first positional arguments.
      alone: Whether there is only one shard, so that the generator may do without its number.

    Raises:
      ValueError: The generator cannot be told which shard it is.
    """

    def __init__(
        self, generator: Callable[..., Iterable], num_args: int = 0, *, alone: bool = False
    ):
        self.generator = generator
        self.takes_shard, self.takes_seed = _check_signature(generator, num_args, alone)

    @property
    def subject(self) -> tuple[str, Any]:
        """What of the user's is sent to workers, after its name."""
        return getattr(self.generator, "__name__", "the generator"), self.generator

    def __call__(self, turn: Turn, args: Sequence) -> Iterator[Stretch]:
        """Gives the rows of one shard in one epoch: a single stretch."""
        seed = worker_seed(turn.seed, turn.shard)
        seed_everything(seed)
        if not (turn.as_it_is and turn.num_shards == 1):
            received.reseed(turn.seed, turn.shard)
        place = f" of shard {turn.shard}" if turn.num_shards > 1 else ""
        given = {"shard": turn.shard, "num_shards": turn.num_shards} if self.takes_shard else {}
        if self.takes_seed:
            given["seed"] = seed
        yield Stretch(
            lambda: self.generator(*args, **given), lambda index: f"example {index}{place}"
        )


def _check_signature(generator: Callable, num_args: int, alone: bool) -> tuple[bool, bool]:
    """Checks that the generator can be sharded; tells whether it takes its shard, and a seed."""
    args = (None,) * num_args
    name = getattr(generator, "__name__", type(generator).__name__)
    advice = (
        "for example `for i in range(shard, count, num_shards): yield ...`; "
        "or pass a source with __len__ and __getitem__ to from_source"
    )
    try:
        signature = inspect.signature(generator)
    except (TypeError, ValueError):
        raise ValueError(
            f"num_workers needs a generator whose parameters can be read; wrap {name} in a "
            f"function with the parameters shard and num_shards, {advice}"
        ) from None
    try:
        bound = signature.bind_partial(*args).arguments
    except TypeError as error:
        raise ValueError(f"args do not fit {name}: {error}") from None
    parameters = signature.parameters.values()
    takes_any = any(p.kind is p.VAR_KEYWORD for p in parameters)
    takes_shard = not alone or takes_any or bool({"shard", "num_shards"} & {*signature.parameters})
    if takes_shard and not takes_any:
        for wanted in ("shard", "num_shards"):
            parameter = signature.parameters.get(wanted)
            if parameter is None or parameter.kind is parameter.POSITIONAL_ONLY:
                raise ValueError(
                    f"num_workers would make every worker yield the same examples: {name} has no "
                    f"parameter {wanted}; give it the parameters shard and num_shards and "
                    f"yield every num_shards-th example, {advice}"
                )
    for wanted in ("shard", "num_shards"):
        if wanted in bound:
            raise ValueError(
                f"args already fills {wanted} of {name}, which num_workers sets in each worker; "
                "take it out of args"
            )
    seed = signature.parameters.get("seed")
    takes_seed = seed is not None and seed.default is seed.empty and "seed" not in bound
    given = {"shard": 0, "num_shards": 1} if takes_shard else {}
    try:
        signature.bind(*args, **given, **({"seed": 0} if takes_seed else {}))
    except TypeError as error:
        raise ValueError(f"args do not fit {name}: {error}") from None
    return takes_shard, takes_seed


class SourceShards:
    """Shards of a source: stretch i of the epoch goes to shard i modulo the number of shards.

    All that an epoch gives is a function of its seed and of the place in it, whatever the number of
    workers: `random`, `numpy.random` and the random generators that came with the source are seeded
    anew where a batch begins.

    Args:
      source: Anything with `__len__` and `__getitem__` of an integer.
      order: Where the rows of an epoch stand in the source.
      batch_size: Rows in a batch.
      stretch_rows: Rows in a stretch; None for one stretch of them all, for one worker.
    """

    def __init__(self, source: Any, order: Order, batch_size: int, stretch_rows: int | None):
        self.source = source
        self.order = order
        self.batch_size = batch_size
        self.stretch_rows = stretch_rows

    @property
    def subject(self) -> tuple[str, Any]:
        """What of the user's is sent to workers, after its name."""
        return "the source", self.source

    def __call__(self, turn: Turn, args: Sequence) -> Iterator[Stretch]:
        """Gives the stretches of one shard in one epoch."""
        order = self.order.of(turn.seed)
        length = self.stretch_rows or max(1, len(order))
        for start in range(turn.first + turn.shard * length, len(order), turn.num_shards * length):
            end = min(start + length, len(order))
            yield Stretch(
                lambda start=start, end=end: self._rows(order, start, end, turn.seed),
                self.order.number(turn.seed),
                start,
                end,
            )

    def _rows(self, order: Sequence[int], start: int, end: int, seed: int) -> Iterator:
        # Unlike a generator, a chain goes on after an item that raised.
        return itertools.chain.from_iterable(self._batches(order, start, end, seed))

    def _batches(self, order: Sequence[int], start: int, end: int, seed: int) -> Iterator[Iterator]:
        while start < end:
            stop = min(end, start - start % self.batch_size + self.batch_size)
            seed_everything(worker_seed(seed, start))
            received.reseed(seed, start)
            yield map(self.source.__getitem__, map(int, order[start:stop]))
            start = stop


class Order:
    """The order of a source's rows, a function of the epoch's seed.

    Args:
      count: Number of rows.
      shuffle: Whether it is drawn from the seed; otherwise it is that of the source.
    """

    def __init__(self, count: int, shuffle: bool):
        self.count = count
        self.shuffle = shuffle
        self._drawn: tuple[int, np.ndarray] | None = None

    def of(self, seed: int) -> Sequence[int]:
        """Gives the indices of the rows, in the order of the epoch with this seed."""
        if not self.shuffle:
            return range(self.count)
        drawn = self._drawn
        if drawn is None or drawn[0] != seed:
            self._drawn = drawn = seed, np.random.default_rng(seed).permutation(self.count)
        return drawn[1]

    def number(self, seed: int) -> Callable[[int], str]:
        """Gives what messages call a row, by its place in the epoch."""
        if not self.shuffle:
            return lambda place: f"example {place}"
        return lambda place: f"example {place} (item {self.of(seed)[place]} of the source)"

    def __getstate__(self) -> dict:
        """Leaves out what can be drawn again."""
        return {**self.__dict__, "_drawn": None}
