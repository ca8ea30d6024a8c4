"""A few steps of training under TensorFlow's profiler: who was busy when, and what it says of it.

The profiler sees TensorFlow's threads. What the generator does is written down row by row by the
process that runs it, so that workers are seen, too.
"""

from __future__ import annotations

import re
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from helpers import measure
from helpers.measure.stamps import Stamped, StampedItems, read_stamps
from helpers.quiet import tf

from .feeding import Feed
from .timeline import Lane, Stretch, Timeline
from .training import seen

SETTLING = 4
"""Steps before the window: they fill the prefetch buffer."""

_WAIT = "workbook waits"

_HANDS_OVER = {"Generator", "Scan"}
"""Nodes that call Python: `from_generator`'s, and the one by which the bridge asks for chunks."""

_PASSES_ON = {"Root", "Prefetch", "FiniteTake", "FiniteRepeat", "Options", "Model"}
"""Nodes of a data set whose time is that of others, or waiting for them."""

_VERDICT = re.compile(rb"Your program is [A-Z]+ input-bound because [^.]*?([\d.]+)% [^.]*\.")

Span = tuple[int, int]


@measure.record
@dataclass(frozen=True)
class Trace:
    """What a few steps of training left behind.

    Attributes:
        timeline: Who was busy when.
        verdict: What TensorFlow's input-pipeline analyzer says, in its words; "" if nothing.
        waiting: The share of the steps that it says they wait for input; None if it says nothing.
        seen_waiting: The same share by the loop's own clock, over the same steps.
    """

    timeline: Timeline
    verdict: str
    waiting: float | None
    seen_waiting: float


def trace_fit(label: str, model: tf.keras.Model, feed: Feed, way: str, steps: int = 6) -> Trace:
    """Trains a few steps under the profiler.

    An epoch goes before, so that nothing is traced or started for the first time.

    Args:
        label: What figures call it.
        model: Compiled.
        feed: With `SETTLING + steps` batches or more.
        way: One of `feeding.WAYS`.
        steps: In the window, after `SETTLING` others.
    """
    # A worker that reads ahead may write a stamp while the folder is removed.
    with tempfile.TemporaryDirectory(
        prefix="workbook-trace-", ignore_cleanup_errors=True
    ) as folder:
        stamps = Path(folder) / "rows"
        source = None if feed.source is None else StampedItems(feed.source, stamps)
        stamped = replace(feed, rows=Stamped(feed.rows, stamps), source=source)
        dataset = stamped.dataset(way)
        epoch = {"steps_per_epoch": SETTLING + steps, "shuffle": False, "verbose": 0}
        model.fit(dataset, **epoch)
        stamps.unlink(missing_ok=True)
        waits: list[Span] = []
        callback = _StepEvents()
        tf.profiler.experimental.start(folder)
        try:
            with seen(model, _waits(waits)):
                model.fit(dataset, callbacks=[callback], **epoch)
        finally:
            tf.profiler.experimental.stop()
        rows = read_stamps(stamps)
        (path,) = Path(folder).rglob("*.xplane.pb")
        verdict, waiting = analyzer_verdict(path)
        lines = _lines(path)
    return Trace(
        _timeline(label, steps, waits, callback.ends, rows, lines), verdict, waiting,
        _share(waits, callback.ends),
    )  # fmt: skip


class _StepEvents(tf.keras.callbacks.Callback):
    """Marks each step for the profiler, which finds no verdict without, and notes its end."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[int] = []

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Begins a step, its waiting included."""
        self._event = tf.profiler.experimental.Trace("train", step_num=batch, _r=1)
        self._event.__enter__()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Ends it."""
        self._event.__exit__(None, None, None)
        self.ends.append(time.time_ns())


def _waits(spans: list[Span]) -> Callable[[Iterator[Any]], Iterator[Any]]:
    """Notes when each batch was asked for and was there, for the profiler and in `spans`."""

    def through(iterator: Iterator[Any]) -> Iterator[Any]:
        while True:
            asked = time.time_ns()
            with tf.profiler.experimental.Trace(_WAIT):
                try:
                    batch = next(iterator)
                except StopIteration:
                    return
            spans.append((asked, time.time_ns()))
            yield batch

    return through


def _share(waits: Sequence[Span], ends: Sequence[int]) -> float:
    """The share of all steps but the first that the loop waited, as the analyzer counts them."""
    waited = sum(got - asked for asked, got in waits[1 : len(ends)])
    return waited / (ends[-1] - ends[0])


def analyzer_verdict(path: Path) -> tuple[str, float | None]:
    """Returns what TensorFlow's input-pipeline analyzer says of a trace, and the share in it.

    TensorFlow carries the analyzer that TensorBoard shows. Its answer is a protocol buffer whose
    definition is not shipped; the sentence stands in it as text.

    Args:
        path: A file `*.xplane.pb` of the profiler.
    """
    from tensorflow.python.profiler.internal import _pywrap_profiler_plugin as plugin

    answer, good = plugin.xspace_to_tools_data([str(path)], "input_pipeline_analyzer")
    found = _VERDICT.search(answer) if good else None
    if found is None:
        return "", None
    return found[0].decode(), float(found[1]) / 100


def _lines(path: Path) -> list[list[tuple[str, int, int]]]:
    """The events of each thread as (name, start, end), in nanoseconds of the profiler's clock."""
    from tensorflow.tsl.profiler.protobuf import xplane_pb2

    space = xplane_pb2.XSpace()
    space.ParseFromString(path.read_bytes())
    lines = []
    for plane in space.planes:
        names = {number: kind.name for number, kind in plane.event_metadata.items()}
        for line in plane.lines:
            events = []
            for event in line.events:
                start = line.timestamp_ns + event.offset_ps // 1000
                events.append((names[event.metadata_id], start, start + event.duration_ps // 1000))
            lines.append(events)
    return lines


def _timeline(
    label: str,
    steps: int,
    waits: Sequence[Span],
    ends: Sequence[int],
    rows: Sequence[Span],
    lines: Sequence[Sequence[tuple[str, int, int]]],
) -> Timeline:
    """Puts both clocks' spans on one scale, and cuts them to the window.

    Args:
        label: What figures call it.
        steps: In the window.
        waits: When each batch was asked for and was there.
        ends: Of the steps.
        rows: When each was made.
        lines: What the profiler saw.
    """
    marked = sorted(
        start for events in lines for name, start, _ in events if name.startswith(_WAIT)
    )
    shift = int(
        statistics.median(own[0] - other for own, other in zip(waits, marked, strict=False))
    )
    crossing: list[Span] = []
    nodes: list[Span] = []
    for events in lines:
        found = [
            (name.split("::")[-1].partition("[")[0], start + shift, end + shift)
            for name, start, end in events
            if name.startswith("Iterator::")
        ]
        handed = union((start, end) for node, start, end in found if node in _HANDS_OVER)
        blocked = union((start, end) for node, start, end in found if node == "Prefetch")
        busy = union((start, end) for node, start, end in found if node not in _PASSES_ON)
        crossing += handed
        nodes += without(without(busy, handed), blocked)
    lanes: dict[Lane, list[Span]] = {
        "generator": list(rows),
        "crossing": without(union(crossing), union(rows)),  # a worker's row is waited for
        "tf.data": union(nodes),
        "waiting": list(waits),
        "consumer": [(got, end) for (_, got), end in zip(waits, ends, strict=False)],
    }
    start, end = waits[SETTLING][0], ends[SETTLING + steps - 1]
    stretches = tuple(
        Stretch(lane, max(begun, start) - start, min(done, end) - start)
        for lane, spans in lanes.items()
        for begun, done in sorted(spans)
        if done > start and begun < end
    )
    return Timeline(label, steps, end - start, stretches, measure.this_machine())


def union(spans: Iterator[Span] | Sequence[Span]) -> list[Span]:
    """Joins spans that overlap or touch."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((start, end))
    return joined


def without(spans: Sequence[Span], holes: Sequence[Span]) -> list[Span]:
    """Cuts holes out of spans; both are joined and in order."""
    left = []
    place = 0
    for start, end in spans:
        while place < len(holes) and holes[place][1] <= start:
            place += 1
        at = place
        while at < len(holes) and holes[at][0] < end:
            if holes[at][0] > start:
                left.append((start, holes[at][0]))
            start = max(start, holes[at][1])
            at += 1
        if start < end:
            left.append((start, end))
    return left
