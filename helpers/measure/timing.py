"""Trials in paired, interleaved rounds; the cold start apart from the steady state."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np

from .machine import this_machine
from .measurement import Measurement, Trial
from .order import balanced
from .settings import Settings
from .statistics import Ratio

Clock = Callable[[], int]

TELLING = 3
"""Rounds from which on an interval may say that there are enough: two agree too often by chance."""

Through = Callable[[Iterator[Any]], Iterator[Any]]
"""Gives what an iterator gives, and sees each element pass."""


class Cancelled(Exception):
    """The measurement was cancelled before it had a result."""


class TooFew(ValueError):
    """An arm yields too few elements to be timed."""


class Flag(Protocol):
    """Whatever tells that a run is to be cancelled: a `threading.Event`, for one."""

    def is_set(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True)
class Span:
    """What an iterable yields that drains itself: how much passed since its last item.

    A pipeline that TensorFlow drains within a graph never shows Python its elements. Its iterable
    yields one Span for the first element and another for all the rest.

    Attributes:
        elements: Elements that passed.
        examples: Examples in them.
    """

    elements: int
    examples: int


def one_example(element: Any) -> int:
    """Counts an element that is one example."""
    return 1


@dataclass(frozen=True)
class Arm:
    """One named alternative in a comparison.

    Attributes:
        name: What figures and tables call it.
        build: Makes the iterable, anew for each trial. It is timed, as part of the cold start.
        examples: How many examples an element holds.
        consume: What is done with each element, or None for an idle consumer.
        content: Arms with the same label claim to yield the same examples in the same order,
            however batched, and are held to it, once, by content. None claims nothing.
        drain: Who takes the elements in place of a loop around `consume`, as Keras' `fit` does.
            It is called with the iterable and with a function that gives what an iterator gives
            and times each element; it passes the one iterator that it opens through that function.
    """

    name: str
    build: Callable[[], Iterable[Any]]
    examples: Callable[[Any], int] = one_example
    consume: Callable[[Any], object] | None = None
    content: str | None = None
    drain: Callable[[Any, Through], object] | None = None


@dataclass(frozen=True)
class Progress:
    """How far a comparison has come.

    Attributes:
        rounds: Counted rounds that are done.
        max_rounds: Rounds after which it stops in any case.
        elapsed_s: Seconds since it began.
        budget_s: Seconds after which it starts no further round.
        ratios: Each arm's ratio so far; empty before the second counted round.
    """

    rounds: int
    max_rounds: int
    elapsed_s: float
    budget_s: float
    ratios: dict[str, Ratio]

    @property
    def share(self) -> float:
        """How much is done, from 0 to 1; a comparison that becomes precise is done sooner."""
        return min(1.0, max(self.rounds / self.max_rounds, self.elapsed_s / self.budget_s))


def run_trial(
    arm: Arm,
    *,
    round_: int = 0,
    position: int = 0,
    warmup: bool = False,
    clock: Clock = time.perf_counter_ns,
) -> Trial:
    """Times one pass of one arm.

    The steady span reaches from the arrival of the first element to the arrival of the last: with
    n elements it holds n - 1 waits and n - 1 turns of the consumer. The end of the iteration is
    not in it. Reading the clock costs two calls, about 0.1 µs, an element in every arm alike.

    Args:
        arm: What to time.
        round_: The round that the trial belongs to, kept in the result.
        position: Its turn within the round, kept in the result.
        warmup: Whether the round counts, kept in the result.
        clock: Returns nanoseconds.

    Raises:
        TooFew: If the arm yields fewer than two elements.
    """
    start = clock()
    iterable = arm.build()
    built = clock()
    first = last = built
    elements = examples = first_examples = waited = 0

    def timed(iterator: Iterator[Any]) -> Iterator[Any]:
        nonlocal first, last, elements, examples, first_examples, waited
        while True:
            asked = clock()
            try:
                item = next(iterator)
            except StopIteration:
                return
            last = clock()
            more_elements, more_examples = _size(arm, item)
            if elements:
                waited += last - asked
            else:
                first, first_examples = last, more_examples
            elements += more_elements
            examples += more_examples
            yield item

    if arm.drain is not None:
        arm.drain(iterable, timed)
    else:
        for item in timed(iter(iterable)):
            if arm.consume is not None:
                arm.consume(item)
    if not elements:
        raise TooFew(
            f"{arm.name!r} yielded nothing: build must make a fresh iterable on every call, "
            "and a generator that is already spent gives none."
        )
    if elements < 2:
        raise TooFew(
            f"{arm.name!r} yielded a single element, and a steady state needs two or more: "
            "take more elements or make the batches smaller."
        )
    return Trial(
        arm=arm.name, round=round_, position=position, warmup=warmup,
        build_ns=built - start, first_ns=first - built, steady_ns=last - first, wait_ns=waited,
        elements=elements, examples=examples, first_examples=first_examples,
    )  # fmt: skip


def _size(arm: Arm, item: Any) -> tuple[int, int]:
    if isinstance(item, Span):
        return item.elements, item.examples
    return 1, arm.examples(item)


def compare(
    arms: Sequence[Arm],
    *,
    title: str = "",
    baseline: str | None = None,
    settings: Settings | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    cancelled: Flag | None = None,
    clock: Clock = time.perf_counter_ns,
    done: int = 0,
) -> Measurement:
    """Measures arms against a baseline in paired, interleaved rounds.

    Each round runs every arm once and, unless it is a warm-up, the baseline once more as the
    control, in a balanced order (see `order`) that the trials keep. It stops when the interval of
    every ratio, the control's included, is as narrow as `settings.precision`, or when the budget or
    the rounds are spent.

    Args:
        arms: Two or more alternatives, or one to see the noise floor alone.
        title: What the comparison is about, kept in the result.
        baseline: Name of the arm that the others are compared with; the first one unless named.
        settings: When to stop; `Settings.default()` unless given.
        on_progress: Called after each round.
        cancelled: Looked at before each trial.
        clock: Returns nanoseconds.
        done: Rounds that other processes have done; the order goes on from there, and the content
            was looked at.

    Raises:
        ValueError: If names repeat, the baseline is not an arm, an arm yields too little, or arms
            differ in the number of examples or in content that they claim to share.
        Cancelled: If `cancelled` was set.
    """
    settings = settings or Settings.default()
    names = [arm.name for arm in arms]
    baseline = baseline or (names[0] if names else "")
    if len(set(names)) < len(names):
        raise ValueError(f"two arms share a name among {', '.join(names)}: give each its own.")
    if baseline not in names:
        raise ValueError(f"the baseline {baseline!r} is not among the arms: {', '.join(names)}.")
    control = f"{baseline}, again"
    entries = [(arm.name, arm) for arm in arms]
    entries.append((control, arms[names.index(baseline)]))

    start = clock()
    if not done:  # else the first process has looked
        _check_content(arms, cancelled)
    measured = Measurement(
        title=title, baseline=baseline, control=control, arms=tuple(names), trials=(),
        settings=settings, machine=this_machine(), stopped="rounds",
    )  # fmt: skip
    trials: list[Trial] = []
    counted = balanced(entries, settings.seed, skip=done)
    for round_ in range(settings.warmup_rounds + settings.max_rounds):
        warmup = round_ < settings.warmup_rounds
        order = entries[:-1] if warmup else next(counted)  # the control's arm is warm by then
        for position, (name, arm) in enumerate(order):
            if cancelled is not None and cancelled.is_set():
                raise Cancelled("cancelled before the comparison was done.")
            trial = run_trial(arm, round_=round_, position=position, warmup=warmup, clock=clock)
            trials.append(replace(trial, arm=name))
        if round_ == 0:
            _check_counts(trials)
        rounds = max(0, round_ + 1 - settings.warmup_rounds)
        elapsed = (clock() - start) / 1e9
        measured = replace(measured, trials=tuple(trials))
        others = [name for name, _ in entries if name != baseline]
        if on_progress is not None:
            ratios = {name: measured.ratio(name) for name in others} if rounds >= 2 else {}
            on_progress(Progress(rounds, settings.max_rounds, elapsed, settings.budget_s, ratios))
        if rounds >= settings.min_rounds:
            if rounds >= TELLING and all(
                measured.ratio(name).precision <= settings.precision for name in others
            ):
                return replace(measured, stopped="precise")
            if elapsed >= settings.budget_s:
                return replace(measured, stopped="budget")
    return measured


def _check_counts(trials: Sequence[Trial]) -> None:
    """Holds the arms to one number of examples: a ratio of unlike work means nothing."""
    first = trials[0]
    for trial in trials:
        if trial.examples != first.examples:
            raise ValueError(
                f"{first.arm!r} yields {first.examples} examples and {trial.arm!r} "
                f"{trial.examples}: give all arms the same work (a batch that drops its "
                "remainder is a common cause)."
            )


def _check_content(arms: Sequence[Arm], cancelled: Flag | None) -> None:
    """Compares, once, what arms yield that claim the same content."""
    seen: dict[str, tuple[str, str]] = {}
    labels = [arm.content for arm in arms]
    for arm in arms:
        if arm.content is None or labels.count(arm.content) == 1:
            continue
        if cancelled is not None and cancelled.is_set():
            raise Cancelled("cancelled before the comparison was done.")
        digest = content_digest(arm.build(), arm.examples is not one_example)
        name, expected = seen.setdefault(arm.content, (arm.name, digest))
        if digest != expected:
            raise ValueError(
                f"{arm.name!r} does not yield the same examples as {name!r}, though both claim "
                f"{arm.content!r}: compare what they yield before comparing how fast."
            )


def content_digest(iterable: Iterable[Any], batched: bool) -> str:
    """Returns a digest of all examples in order, the same whatever the batching.

    Args:
        iterable: Yields arrays or tensors, or tuples, lists and dicts of them.
        batched: Whether each array holds many examples along its first axis.
    """
    digests: dict[tuple[Any, ...], Any] = {}
    for item in iterable:
        for path, leaf in _leaves(item, ()):
            array = np.asarray(leaf)
            row = array.shape[1:] if batched else array.shape
            digest = digests.setdefault(path, hashlib.sha256(f"{array.dtype}{row}".encode()))
            if array.dtype == object:  # strings
                digest.update(repr(array.ravel().tolist()).strip("[]").encode() + b", ")
            else:
                digest.update(np.ascontiguousarray(array).data)
    return " ".join(f"{path}={digest.hexdigest()}" for path, digest in sorted(digests.items()))


def _leaves(item: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(item, dict):
        for key in sorted(item):
            yield from _leaves(item[key], (*path, str(key)))
    elif isinstance(item, (tuple, list)):
        for index, value in enumerate(item):
            yield from _leaves(value, (*path, str(index)))
    else:
        yield path, item
