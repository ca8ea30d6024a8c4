"""Runs the matrix in child processes.

The command of this module, with `tests` on the path, runs all of it:

    python -m contract.run --markdown docs/contract.md --json contract.json
    python -m contract.run --fuzz 10000
    python -m contract.run --chaos 200
"""

import collections
import contextlib
import importlib.metadata
import itertools
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

from contract.backends import missing_module
from contract.cells import broken, cells_of, skipped, wording
from contract.children import NO_KERAS, environment, start
from contract.result import Cell, Result
from contract.use import DEBUG, EAGER, HERE
from contract.uses import USES
from contract.ways import WAYS

PATIENCE = 120  # seconds without an answer after which a child is taken to hang
AT_ONCE = 2  # children
BRIEF_WAYS = (  # of the representative part, in which a use has one without and one with workers
    ("rows", "two workers"),
    ("array", "padded, one worker"),
    ("rows", "padded, one worker"),
    ("array", "two workers"),
)
BRIEF_SHUFFLED = ("items, shuffled, two workers",)
FEW = 30  # cells for which no child of their own is started

Pair = tuple[str, str]  # names of a way and a use


def pairs(full: bool) -> list[Pair]:
    """The cells of the matrix, in the order of the table.

    Args:
      full: Whether all of them, or the representative part.
    """
    brief = None if full else _brief_ways()
    return [
        (way, use)
        for use in USES
        for way in WAYS
        if cells_of(way, use) and (brief is None or way in brief.get(use, ()))
    ]


def _brief_ways() -> dict[str, tuple[str, ...]]:
    """The ways of each use in the representative part: two of four, in turn.

    What it leaves out, the whole has.
    """
    turns = itertools.cycle(BRIEF_WAYS)
    return {
        name: BRIEF_SHUFFLED if use.shuffled else next(turns)
        for name, use in USES.items()
        if use.part
    }


def run(
    full: bool = True,
    progress: Callable[[int, int, Cell], None] | None = None,
    only: Sequence[Pair] | None = None,
) -> Result:
    """Runs the matrix.

    Args:
      full: Whether all of it, or the representative part.
      progress: Called after each cell, with the number of cells done, of all, and the cell.
      only: The cells to run instead.
    """
    wanted = pairs(full) if only is None else list(only)
    cells: dict[Pair, Cell] = {}
    lock = threading.Lock()

    def done(cell: Cell) -> None:
        with lock:
            cells[cell.way, cell.use] = cell
            if progress is not None:
                progress(len(cells), len(wanted), cell)

    jobs: queue.SimpleQueue = queue.SimpleQueue()
    for job in _jobs(wanted):
        jobs.put(job)
    threads = [threading.Thread(target=_work, args=(jobs, done)) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Result(
        tuple(cells[pair] for pair in wanted),
        full and only is None,
        *(importlib.metadata.version(name) for name in ("tensorflow", "keras")),
    )


def _jobs(wanted: Iterable[Pair]) -> Iterator[tuple[str, list[Pair]]]:
    """Sorts cells into children: a place each, the long ones first.

    The many cells that need no place of their own are split by the pipeline of tf.data that they
    are held to, which runs once a child; where they are few, several such pipelines share one.
    """
    by_place = collections.defaultdict(list)
    for way, use in sorted(wanted, key=lambda pair: WAYS[pair[0]].reference):
        by_place[USES[use].place].append((way, use))
    jobs = []
    for _, group in itertools.groupby(
        by_place.pop(HERE, []), key=lambda pair: WAYS[pair[0]].reference
    ):
        if not jobs or len(jobs[-1][1]) >= FEW:
            jobs.append((HERE, []))
        jobs[-1][1].extend(group)
    jobs += by_place.items()
    yield from sorted(jobs, key=lambda job: -len(job[1]))


def _work(jobs: queue.SimpleQueue, done: Callable[[Cell], None]) -> None:
    """Runs jobs until there are none, each in a child, and in another one after a crash."""
    while True:
        try:
            place, job = jobs.get_nowait()
        except queue.Empty:
            return
        if module := missing_module(place):
            for pair in job:
                done(skipped(*pair, f"{module} is not installed"))
            continue
        while job:
            child = Child(place)
            try:
                while job:
                    cell = child.ask(*job[0])
                    job.pop(0)
                    done(cell)
                    if child.ended:
                        break
            finally:
                child.close()


class Child:
    """A process that runs cells.

    Args:
      place: The kind of process; see `contract.use`.
    """

    def __init__(self, place: str):
        self.ended = False
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in close)
        self._process = start(
            ["-m", "contract.child", place],
            stdin=subprocess.PIPE,
            stderr=self._errors,
            env=environment(**(NO_KERAS if place in (HERE, DEBUG, EAGER) else {})),
        )
        self._answers: queue.SimpleQueue = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        for line in self._process.stdout:
            self._answers.put(line)
        self._answers.put(None)

    def ask(self, way: str, use: str) -> Cell:
        """Runs one cell; a child that ends or hangs over it has failed it."""
        line = None
        try:
            self._process.stdin.write(json.dumps([way, use]) + "\n")
            self._process.stdin.flush()
            line = self._answers.get(timeout=PATIENCE)
        except BrokenPipeError:
            pass
        except queue.Empty:
            self.ended = True
            self._kill()
            return broken(way, use, "hangs")
        if line is None:
            self.ended = True
            code = self._process.wait()
            how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
            return broken(way, use, f"ends the process ({how}){self._last_words()}")
        return Cell(**json.loads(line))

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = [line for line in self._errors.read().decode(errors="replace").splitlines() if line]
        return ": " + wording(RuntimeError(lines[-1])) if lines else ""

    def _kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        """Ends the child and what it started."""
        try:
            self._process.stdin.close()
            self._process.wait(30)
        except (BrokenPipeError, subprocess.TimeoutExpired):
            pass
        self._kill()
        self._process.wait()
        self._reader.join()
        self._process.stdout.close()
        self._errors.close()
