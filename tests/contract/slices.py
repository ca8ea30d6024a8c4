"""The fuzz and the chaos in child processes: what one leaves behind does not slow the next."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from contract.chaos import Report
from contract.children import NO_KERAS, environment, start
from contract.fuzz import Tally

SLICE = 500  # comparisons in one process
AT_ONCE = 2


def fuzz(count: int, seed: int = 0, progress: Callable[[str], None] | None = None) -> Tally:
    """Compares random structures, a process for each slice of them.

    Args:
      count: Number of comparisons, at least.
      seed: The same one draws the same examples.
      progress: Called with a line after each slice.
    """
    whole = Tally()
    slices = list(_slices(count))
    with ThreadPoolExecutor(AT_ONCE) as pool:
        parts = pool.map(
            lambda part: _child("contract.fuzz", part[1], 10_000 * seed + part[0]),
            enumerate(slices),
        )
        for number, found in enumerate(parts, 1):
            whole.include(Tally(**found))
            if progress is not None:
                progress(
                    f"{whole.comparisons} of {count} comparisons, {number} of {len(slices)} "
                    f"processes, {len(whole.differences)} differ"
                )
    return whole


def _slices(count: int) -> Iterator[int]:
    for start_ in range(0, count, SLICE):
        yield min(SLICE, count - start_)


def chaos(rounds: int, seed: int = 0) -> Report:
    """Runs rounds of open, break, drop, error and kill in a process of their own."""
    return Report(**_child("contract.chaos", rounds, seed))


def _child(module: str, *numbers: int) -> Any:
    """Runs a module; what it prints, from JSON."""
    process = start(
        ["-m", module, *map(str, numbers)],
        stderr=subprocess.DEVNULL,
        env=environment(**NO_KERAS),
    )
    try:
        answer, _ = process.communicate()
    finally:
        _end(process)
    if process.returncode != 0:
        raise RuntimeError(f"{module} ended with exit code {process.returncode}")
    return json.loads(answer)


def _end(process: subprocess.Popen) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait()
