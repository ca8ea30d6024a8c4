"""What each worker reads: shards of a generator or of a source.

The objects here run in worker processes; they import no TensorFlow.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from helpers.bridge.worker import worker_seed

Shards = Callable[[int, int, int], Iterable]  # (shard, num_shards, epoch seed) -> rows


class GeneratorShards:
    """Shards of a generator function that takes `shard` and `num_shards`; one shard needs neither.

    A parameter `seed` that `args` leaves open and that has no default gets the seed of the shard.

    Args:
      generator: Returns an iterable of rows; called as
        `generator(*args, shard=..., num_shards=...)`.
      args: Its first positional arguments.
      alone: Whether there is only one shard, so that the generator may do without its number.

    Raises:
      ValueError: The generator cannot be told which shard it is.
    """

    def __init__(
        self, generator: Callable[..., Iterable], args: Sequence = (), *, alone: bool = False
    ):
        self.generator = generator
        self.args = tuple(args)
        self.takes_shard, self.takes_seed = _check_signature(generator, self.args, alone)

    def __call__(self, shard: int, num_shards: int, epoch_seed: int) -> Iterable:
        """Opens one shard for one epoch."""
        given = {"shard": shard, "num_shards": num_shards} if self.takes_shard else {}
        if self.takes_seed:
            given["seed"] = worker_seed(epoch_seed, shard)
        return self.generator(*self.args, **given)


def _check_signature(generator: Callable, args: tuple, alone: bool) -> tuple[bool, bool]:
    """Checks that the generator can be sharded; tells whether it takes its shard, and a seed."""
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
    """Shards of a source: chunk i of the epoch goes to shard i modulo the number of shards.

    Args:
      source: Anything with `__len__` and `__getitem__` of an integer.
      chunk_rows: Rows in a chunk.
      shuffle: Read the whole source in an order drawn from the epoch's seed.
    """

    def __init__(self, source: Any, chunk_rows: int, *, shuffle: bool = False):
        self.source = source
        self.chunk_rows = chunk_rows
        self.shuffle = shuffle

    def __call__(self, shard: int, num_shards: int, epoch_seed: int) -> Iterator:
        """Opens one shard for one epoch."""
        count = len(self.source)
        order = (
            np.random.default_rng(epoch_seed).permutation(count) if self.shuffle else range(count)
        )
        for start in range(shard * self.chunk_rows, count, num_shards * self.chunk_rows):
            for index in order[start : start + self.chunk_rows]:
                yield self.source[int(index)]
