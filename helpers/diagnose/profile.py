"""Which lines cost the time, and who held the GIL: py-spy looks at this process from outside."""

from __future__ import annotations

import contextlib
import ctypes
import json
import linecache
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from helpers.diagnose.guard import file_name
from helpers.diagnose.looking import scheduling

RATE = 100
"""Looks a second of each watcher. Three watchers at 100 Hz leave a second core to what runs."""

WATCHERS = {"all": ["--idle"], "active": [], "held": ["--gil"]}
"""py-spy's options: every look, those at a thread that runs, those at the holder of the GIL."""

MARK = "pull_watched"
"""Function whose callees count: the frames above it are the doctor's own."""


@dataclass(frozen=True)
class Line:
    """A line of the user's own file and its share of the time in `next()`.

    Attributes:
        file: Name of the file.
        line: Its number.
        text: What stands there.
        share: Of the looks at the generator, from 0 to 1; calls into libraries count here.
        held: Share of the same looks with the GIL held in this line.
        waiting: Share that neither held it nor ran.
        freed: Share that ran without it.
    """

    file: str
    line: int
    text: str
    share: float
    held: float
    waiting: float
    freed: float


@dataclass(frozen=True)
class Profile:
    """What the watchers saw of a generator.

    Attributes:
        lines: The user's lines, the costliest first.
        held: Share of the looks with the GIL held by the generator.
        active: Share of the looks at a thread that ran without the GIL.
        looks: How many looks it rests on.
        rows_ns: Time of a row while it was watched.
        waiting: Share of the time watched in which the thread neither ran nor was ready to.
        speedscope: The looks as a speedscope file; "" without.
        missing: Why there is nothing, in a sentence; "" if there is something.
    """

    lines: tuple[Line, ...]
    held: float
    active: float
    looks: int
    rows_ns: float
    waiting: float
    speedscope: str
    missing: str = ""


def nothing(why: str) -> Profile:
    """A profile that could not be had."""
    return Profile((), 0.0, 0.0, 0, 0.0, 0.0, "", why)


def watch(rows: Callable[[], Iterator[Any]], file: str, seconds: float, running: float) -> Profile:
    """Pulls rows for some seconds while py-spy looks on.

    Args:
        rows: Returns a fresh iterator; it is called again when one ends.
        file: The user's file.
        seconds: How long to look; py-spy takes about half a second more to start.
        running: Share of `next()` that is processor time, by the thread's own clock. py-spy takes
            short sleeps for running, so what it says of a line is scaled to this.
    """
    places = [str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    program = shutil.which("py-spy", path=os.pathsep.join(places))
    if program is None:
        return nothing("py-spy is not installed")
    with tempfile.TemporaryDirectory() as folder, _watchable():
        outputs = {name: Path(folder) / f"{name}.json" for name in WATCHERS}
        watchers = [
            subprocess.Popen(
                [program, "record", "--pid", str(os.getpid()), "--duration",
                 str(max(1, round(seconds))), "--rate", str(RATE), "--threads", "--nonblocking",
                 "--format", "speedscope", "--output", str(outputs[name]), *options],
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                text=True,
            )
            for name, options in WATCHERS.items()
        ]  # fmt: skip
        try:
            cpu, (_, delay) = time.thread_time_ns(), scheduling()
            count, wall = pull_watched(rows, watchers, seconds + 5)
            busy = time.thread_time_ns() - cpu + scheduling()[1] - delay
            errors = [watcher.communicate(timeout=5)[1] for watcher in watchers]
        except subprocess.TimeoutExpired:
            return nothing("py-spy did not end in time")
        finally:
            for watcher in watchers:
                if watcher.poll() is None:
                    watcher.kill()
                watcher.wait()
                watcher.stderr.close()
        if any(watcher.returncode for watcher in watchers) or not outputs["all"].exists():
            last = next((line for line in reversed(errors[0].splitlines()) if line.strip()), "")
            return nothing(f"py-spy may not look at this process here ({last.strip()})")
        seen = {name: json.loads(path.read_text()) for name, path in outputs.items()
                if path.exists()}  # fmt: skip
    waiting = max(0.0, 1 - busy / max(wall, 1)) if running < 1 else 0.0
    return _summary(seen, file, wall / max(1, count), waiting, running)


def held_by(step: Callable[[Any], object], batches: Sequence[Any], seconds: float) -> float:
    """Returns the share of a consumer's time with the GIL held; 0 if nobody could look.

    Its thread's own clock would not tell: TensorFlow's work in that thread runs without the GIL.

    Args:
        step: The consumer.
        batches: What it is given, in turn.
        seconds: How long to look.
    """
    return watch(lambda: map(step, batches), "", seconds, running=1.0).held


def pull_watched(rows: Any, watchers: list[subprocess.Popen], limit_s: float) -> tuple[int, int]:
    """Pulls rows until the watchers are done; returns how many, and nanoseconds."""
    start, end = time.perf_counter_ns(), time.monotonic() + limit_s
    count, looked = 0, time.monotonic()
    while True:
        before = count
        for _ in rows():
            count += 1
            if time.monotonic() - looked > 0.05:
                looked = time.monotonic()
                if looked > end or all(watcher.poll() is not None for watcher in watchers):
                    return count, time.perf_counter_ns() - start
        if count == before:  # nothing more to pull
            return count, time.perf_counter_ns() - start


def _summary(
    seen: dict[str, Any], file: str, rows_ns: float, waiting: float, running: float
) -> Profile:
    counts = {name: _lines(seen[name], file) if name in seen else Counter() for name in WATCHERS}
    total = sum(counts["all"].values())
    if not total:
        return nothing("py-spy saw nothing of the generator")
    holding = min(1.0, sum(counts["held"].values()) / total)
    active = max(1e-9, _without(counts) / total)
    scale = min(1.0, max(0.0, running - holding) / active)
    lines = []
    for (name, number), looks in counts["all"].most_common(12):
        if not number:
            continue
        share = looks / total
        held = min(share, counts["held"][name, number] / total)
        freed = min(share - held, scale * max(0.0, counts["active"][name, number] / total - held))
        text = linecache.getline(name, number).strip()
        lines.append(Line(file_name(name), number, text, share, held, share - held - freed, freed))
    return Profile(tuple(lines), holding, active, total, rows_ns, waiting, _speedscope(seen["all"]))


def _speedscope(data: dict[str, Any]) -> str:
    """Returns a profile as text, its files without their folders: it may be passed on."""
    frames = [{**frame, "file": file_name(frame["file"] or "")}
              for frame in data["shared"]["frames"]]  # fmt: skip
    profiles = [{**one, "name": f"thread {place}"} for place, one in enumerate(data["profiles"])]
    return json.dumps({**data, "shared": {"frames": frames}, "profiles": profiles})


def _without(counts: dict[str, Counter]) -> int:
    """Counts looks at a thread that runs without the GIL.

    A line counts if most looks at it are active: short sleeps are taken for active now and then.
    """
    found = 0
    for line, looks in counts["all"].items():
        held = min(looks, counts["held"][line])
        active = min(looks, counts["active"][line]) - held
        if active > 0.5 * (looks - held):
            found += active
    return found


def _lines(data: dict[str, Any], file: str) -> Counter:
    """Counts looks at the generator by the innermost line of the user's file; 0 without one."""
    frames = data["shared"]["frames"]
    wanted = os.path.basename(file)
    counts: Counter = Counter()
    for profile in data["profiles"]:
        for sample in profile["samples"]:
            stack = [frames[place] for place in sample]  # the outermost first
            names = [frame["name"].split(" ")[0] for frame in stack]
            if MARK not in names:
                continue
            below = stack[names.index(MARK) + 1 :]
            own = [f for f in below if wanted and os.path.basename(f["file"] or "") == wanted]
            counts[(file, own[-1]["line"]) if own else ("", 0)] += 1
    return counts


@contextlib.contextmanager
def _watchable() -> Iterator[None]:
    """Lets a child of this process look at it, where Linux's Yama module asks for that."""
    pr_set_ptracer, anybody = 0x59616D61, ctypes.c_ulong(-1)
    if sys.platform != "linux":
        yield
        return
    prctl = ctypes.CDLL(None).prctl
    prctl(pr_set_ptracer, anybody, 0, 0, 0)
    try:
        yield
    finally:
        prctl(pr_set_ptracer, 0, 0, 0, 0)
