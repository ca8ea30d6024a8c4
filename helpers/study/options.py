"""The toggles of a pipeline under study: what each may be, and what follows from them alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

Source = Literal["tensor_slices", "generator"]
Work = Literal["none", "sleep", "random", "sleep+random", "python", "numpy"]
Yields = Literal["numpy", "tensor"]
Signature = Literal["full", "types_and_shapes", "types_only", "unknown_shape"]
Transform = Literal["none", "generator", "map", "map_after_batch"]
Cache = Literal["none", "memory", "file"]
Consumer = Literal["idle", "device", "python", "compute", "keras"]
Drain = Literal["python", "graph"]

CHOICES: dict[str, tuple[str, ...]] = {
    "source": get_args(Source),
    "work": get_args(Work),
    "yields": get_args(Yields),
    "signature": get_args(Signature),
    "transform": get_args(Transform),
    "cache": get_args(Cache),
    "consumer": get_args(Consumer),
    "drain": get_args(Drain),
}
"""The names that each toggle with names may have."""

LARGEST_ROWS = 2**31
"""Bytes of rows held at once above which a pipeline is refused; slices need them twice."""

LONGEST_US = 1_000_000
"""Longest work or step: a second for each element is more than any study needs."""

_LEAST = {"count": 1, "take": 1, "epochs": 1, "shuffle": 0, "seed": 0}
_LEAST_OR_NONE = {"batch": 1, "prefetch": 1, "parallel": 1}
_NAMES_BESIDE_NUMBERS = {"prefetch": ("autotune", "off"), "parallel": ("autotune",)}


@dataclass(frozen=True)
class Toggles:
    """Every toggle of a pipeline; a combination that makes no sense is refused in a sentence.

    The order of the pipeline is fixed: source, take, map, cache, shuffle, batch, map after the
    batch, repeat, prefetch. `take` comes first so that every pipeline yields the same number of
    examples whatever follows, and so that a prefetch does not run on into the next trial.

    Attributes:
        source: Where rows come from.
        work: What the generator does for each row. "none": it yields a stored row, so that the
            crossing alone is left. "random": `np.random.rand(*shape).astype(np.float32)` as in the
            article, without a seed. "sleep+random": the article's first example. "sleep" leaves
            GIL and core free, "numpy" frees the GIL, "python" holds it; all three yield stored
            rows.
        work_us: Length of a sleep or of Python or NumPy work, in µs for each row. The latter two
            are fixed counts; see `workloads.PYTHON_LOOPS_PER_US`.
        yields: A NumPy array, or `tf.constant` of it.
        signature: What `from_generator` is told: `output_signature` in full; the older
            `output_types` with or without `output_shapes`; a signature that leaves the shape open.
        shape: Shape of a row; float32.
        count: Rows that the generator would yield in an epoch if it were asked. Without effect on
            `from_tensor_slices`.
        take: Rows that are taken in an epoch, and that exist where rows are stored.
        batch: Examples in an element, or None for elements of one example.
        prefetch: Elements, "autotune", None or "off". None writes no prefetch, as the article's
            first example, and TensorFlow then adds one of its own (its `inject_prefetch` rewrite
            is on by default, see tensorflow/python/data/ops/options.py). "off" forbids that too.
        transform: Where the one numeric transformation runs, if at all.
        parallel: Calls of `map` at a time, "autotune", or None for one after the other.
        cache: After the source and a map, before the shuffle. The first epoch fills it; only
            later `epochs` gain.
        shuffle: Size of the buffer, or 0.
        epochs: Passes over the data; more than one are a `repeat`.
        consumer: What the pipeline feeds. "idle": nothing. "device" sleeps, which leaves GIL and
            core free; "python" holds the GIL; "compute" is TensorFlow work on the cores; "keras" is
            a real train step, as long as it takes.
        step_us: Length of a step of the device, python and compute consumers, in µs.
        drain: Who pulls: a Python loop, or a loop within TensorFlow.
        seed: Of stored rows and of the shuffle.

    Raises:
        TypeError: If a value is of the wrong type.
        ValueError: If a value is out of range or a combination makes no sense.
    """

    source: Source = "generator"
    work: Work = "none"
    work_us: float = 10
    yields: Yields = "numpy"
    signature: Signature = "full"
    shape: tuple[int, ...] = (100, 100)
    count: int = 10_000
    take: int = 1000
    batch: int | None = None
    prefetch: int | Literal["autotune", "off"] | None = None
    transform: Transform = "none"
    parallel: int | Literal["autotune"] | None = None
    cache: Cache = "none"
    shuffle: int = 0
    epochs: int = 1
    consumer: Consumer = "idle"
    step_us: float = 1000
    drain: Drain = "python"
    seed: int = 0

    def __post_init__(self) -> None:
        """Checks each value, then how they go together."""
        self._check_values()
        for sentence in self._conflicts():
            raise ValueError(sentence)

    def _check_values(self) -> None:
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(
                    f"{name}={getattr(self, name)!r} is unknown: choose {', '.join(allowed)}."
                )
        for name, least in {**_LEAST, **_LEAST_OR_NONE}.items():
            value = getattr(self, name)
            if name in _LEAST_OR_NONE and value is None:
                continue
            names = _NAMES_BESIDE_NUMBERS.get(name, ())
            if value in names:
                continue
            if not _whole(value):
                beside = "".join(f", {other!r}" for other in names)
                beside += " or None" if name in _LEAST_OR_NONE else ""
                raise TypeError(f"{name} must be a whole number{beside}, not {value!r}.")
            if value < least:
                raise ValueError(f"{name}={value} is too small: it must be {least} or more.")
        for name in ("work_us", "step_us"):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or isinstance(value, bool):
                raise TypeError(f"{name} must be a number of microseconds, not {value!r}.")
            if not (0 <= value <= LONGEST_US):
                raise ValueError(f"{name}={value} makes no sense: give 0 to {LONGEST_US} µs.")
        if not isinstance(self.shape, tuple) or not all(map(_whole, self.shape)):
            raise TypeError(f"shape must be a tuple of whole numbers, not {self.shape!r}.")
        if any(size < 1 for size in self.shape):
            raise ValueError(f"shape={self.shape} has no elements: make each dimension 1 or more.")

    def _conflicts(self) -> Iterator[str]:
        """Yields a sentence for each combination that makes no sense."""
        if self.source == "tensor_slices":
            if self.work != "none":
                yield (
                    f"from_tensor_slices runs no Python for a row, so work={self.work!r} has no "
                    "place: set work='none' or source='generator'."
                )
            if self.yields != "numpy":
                yield (
                    "from_tensor_slices has no generator that could yield tensors: set "
                    "yields='numpy' or source='generator'."
                )
            if self.signature != "full":
                yield (
                    "from_tensor_slices takes its signature from the rows: set signature='full' "
                    "or source='generator'."
                )
            if self.transform == "generator":
                yield (
                    "from_tensor_slices has no generator to transform rows in: set "
                    "transform='map' or source='generator'."
                )
        elif self.take > self.count:
            yield (
                f"take={self.take} is more than count={self.count}, all that the generator has: "
                "raise count or lower take."
            )
        if "random" in self.work and not self.shape:
            yield (
                "np.random.rand() without a shape gives a Python float, which has no astype: "
                "give shape a dimension or choose another work."
            )
        if self.transform == "map_after_batch" and self.batch is None:
            yield "transform='map_after_batch' needs batches: set batch or choose transform='map'."
        if self.parallel is not None and "map" not in self.transform:
            yield "parallel is about map, and there is none: set parallel=None or transform='map'."
        if self.consumer == "keras" and self.batch is None:
            yield "consumer='keras' trains on batches: set batch."
        if self.drain == "graph" and self.consumer != "idle":
            yield (
                f"drain='graph' leaves Python out of the loop, so consumer={self.consumer!r} would "
                "never run: set consumer='idle' or drain='python'."
            )
        held = self.take if self.stores_rows else self.batch or 1
        size = 4 * held * math.prod(self.shape)
        if size > LARGEST_ROWS:
            yield (
                f"{held} rows of {shape_words(self.shape)} would need {size / 2**30:.1f} GiB of "
                f"memory: lower {'take' if self.stores_rows else 'batch'} or make shape smaller."
            )

    @property
    def stores_rows(self) -> bool:
        """Whether the rows exist before the pipeline does, rather than being made by it."""
        return self.source == "tensor_slices" or "random" not in self.work

    @property
    def examples(self) -> int:
        """Examples that a pass yields, all epochs together."""
        return self.take * self.epochs

    @property
    def content(self) -> str | None:
        """A label that pipelines share which yield the same examples in the same order.

        None where that is not so: random rows have no seed, a reshuffle of later epochs is not
        promised to be the same for all, and a graph's drain shows no examples.
        """
        reshuffles = self.shuffle and self.epochs > 1
        if not self.stores_rows or reshuffles or self.drain == "graph":
            return None
        parts = [f"{self.take} rows of {shape_words(self.shape)}", f"seed {self.seed}"]
        parts += ["scaled"] if self.transform != "none" else []
        parts += [f"shuffle {self.shuffle}"] if self.shuffle else []
        parts += [f"{self.epochs} epochs"] if self.epochs > 1 else []
        return ", ".join(parts)


def shape_words(shape: tuple[int, ...]) -> str:
    """A shape as a text writes it."""
    return "×".join(map(str, shape)) or "scalar"


def _whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
