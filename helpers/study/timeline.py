"""Who is busy when: the generator and the consumer, recorded as they run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Literal

from helpers import measure

from .listing import generator_name
from .pipelines import PipelineOptions
from .running import Running

Lane = Literal["generator", "crossing", "tf.data", "waiting", "consumer"]

_SETTLING = 10
"""Elements before the window: they fill the prefetch buffer, so that it shows the steady state."""


@dataclass(frozen=True)
class Stretch:
    """One stretch of time in which one lane was busy.

    Attributes:
        lane: "generator": between a call of the generator's next() and its row; "crossing": from
            rows to tensors, "tf.data": its other nodes, both where TensorFlow's profiler watches;
            "waiting": the consumer's loop between asking for an element and having it;
            "consumer": a step.
        start_ns: Since the window began.
        end_ns: Since the window began.
    """

    lane: Lane
    start_ns: int
    end_ns: int


@measure.record
@dataclass(frozen=True)
class Timeline:
    """Who was busy when, over a window of some elements in the steady state.

    The generator's stretches are read from the clock in the thread that runs it, and hold what it
    waits for there, such as the GIL. The part of "waiting" in which the generator is not busy is
    what the crossing and the rest of the pipeline cost.

    Attributes:
        label: Of the pipeline.
        elements: Elements that reached the consumer in the window.
        duration_ns: Length of the window.
        stretches: By lane and start. The generator's are cut at the ends of the window.
        machine: What ran it.
    """

    label: str
    elements: int
    duration_ns: int
    stretches: tuple[Stretch, ...]
    machine: measure.Machine

    def lane(self, lane: Lane) -> tuple[Stretch, ...]:
        """Returns one lane's stretches in order."""
        return tuple(stretch for stretch in self.stretches if stretch.lane == lane)

    def busy_ns(self, lane: Lane) -> int:
        """Returns how long a lane was busy."""
        return sum(stretch.end_ns - stretch.start_ns for stretch in self.lane(lane))

    @property
    def overlap_ns(self) -> int:
        """How long the generator and the consumer were busy at once: what prefetch can hide."""
        return sum(
            max(0, min(one.end_ns, other.end_ns) - max(one.start_ns, other.start_ns))
            for one in self.lane("generator")
            for other in self.lane("consumer")
        )


def record(
    options: PipelineOptions,
    elements: int = 30,
    *,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> Timeline:
    """Runs a pipeline and records who is busy when.

    A whole pass goes before, so that nothing is traced or opened for the first time, and the
    first 10 elements of the recorded pass are left out.

    Args:
        options: The pipeline; `take`, `count` and `epochs` are set to what the window needs.
        elements: Elements in the window.
        clock: Returns nanoseconds.

    Raises:
        ValueError: If TensorFlow drains the pipeline, or there is nothing to record.
    """
    if options.drain == "graph":
        raise ValueError("with drain='graph' nobody in Python sees an element: set drain='python'.")
    if elements < 1:
        raise ValueError(f"elements={elements} leaves nothing to record: ask for 1 or more.")
    take = (elements + _SETTLING) * (options.batch or 1)
    options = replace(options, take=take, count=max(options.count, take), epochs=1)
    running = Running(options)
    generated: list[tuple[int, int]] = []
    if options.source == "generator":
        name = generator_name(options)
        running.namespace[name] = _timed(running.namespace[name], generated, clock)
    step = None if options.consumer == "idle" else running.consume
    for _ in range(2):
        generated.clear()
        loop = _drain(running.dataset(), step, clock)
    window = loop[_SETTLING:]
    start, end = window[0][0], window[-1][2]
    stretches = [
        Stretch("generator", max(called, start) - start, min(done, end) - start)
        for called, done in generated
        if done > start and called < end
    ]
    stretches += [Stretch("waiting", asked - start, got - start) for asked, got, _ in window]
    if step is not None:
        stretches += [Stretch("consumer", got - start, done - start) for _, got, done in window]
    machine = measure.this_machine()
    return Timeline(options.label, len(window), end - start, tuple(stretches), machine)


def _timed(
    generator: Callable[[], Iterator[Any]], spans: list[tuple[int, int]], clock: Callable[[], int]
) -> Callable[[], Iterator[Any]]:
    """Wraps a generator function so that each next() leaves its start and end in `spans`."""

    def timed() -> Iterator[Any]:
        rows = generator()
        while True:
            called = clock()
            try:
                row = next(rows)
            except StopIteration:
                return
            spans.append((called, clock()))
            yield row

    return timed


def _drain(
    dataset: Any, step: Callable[[Any], object] | None, clock: Callable[[], int]
) -> list[tuple[int, int, int]]:
    """Drains a data set; returns when each element was asked for, was there and was done with."""
    loop = []
    iterator = iter(dataset)
    while True:
        asked = clock()
        try:
            element = next(iterator)
        except StopIteration:
            return loop
        got = done = clock()
        if step is not None:
            step(element)
            done = clock()
        loop.append((asked, got, done))
