"""Runs the matrix in child processes.

The command of this module, with `tests` on the path, runs all of it:

    python -m contract.run --markdown docs/contract.md --json contract.json
    python -m contract.run --fuzz 10000
    python -m contract.run --chaos 200
"""

import collections
import contextlib
import importlib.metadata
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
from contract.children import start
from contract.result import Cell, Result
from contract.use import HERE
from contract.uses import USES
from contract.ways import WAYS

PATIENCE = 120  # seconds without an answer after which a child is taken to hang
AT_ONCE = 2  # children
BRIEF_WAYS = (  # what the representative part leaves out, the whole has
    "rows",
    "two workers",
    "padded, one worker",
    "array",
    "items, shuffled, two workers",
)

Pair = tuple[str, str]  # names of a way and a use


def pairs(full: bool) -> list[Pair]:
    """The cells of the matrix, in the order of the table.

    Args:
      full: Whether all of them, or the representative part.
    """
    return [
        (way, use)
        for use in USES
        for way in WAYS
        if cells_of(way, use) and (full or (USES[use].part and way in BRIEF_WAYS))
    ]


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
    are held to, which runs once a child.
    """
    by_child = collections.defaultdict(list)
    for way, use in wanted:
        place = USES[use].place
        by_child[place, WAYS[way].reference if place == HERE else ""].append((way, use))
    for (place, _), job in sorted(by_child.items(), key=lambda item: -len(item[1])):
        yield place, sorted(job, key=lambda pair: WAYS[pair[0]].reference)


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
            ["-m", "contract.child", place], stdin=subprocess.PIPE, stderr=self._errors
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
