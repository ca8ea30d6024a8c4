"""Run tests many times over while every core is busy, to find those that fail now and then.

    python scripts/soak.py [--rounds N] [TEST …, or what else pytest takes]

Without any it runs the tests of the exercises, which readers meet on machines that are at work.
All rounds run in one process. `make soak` calls this.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHECKS = (
    "tests/unit/test_exercises.py",
    "tests/unit/test_show_exercise.py",
    "-knot a_notebook",  # what a notebook says stays as it is
)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50, help="how often (default: 50)")
    asked, tests = parser.parse_known_args(arguments)
    start = time.monotonic()
    with busy(os.cpu_count() or 1) as load:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", "0", "--rounds", str(asked.rounds),
             *(tests or CHECKS)],
            cwd=ROOT,
        )  # fmt: skip
    print(
        f"{asked.rounds} rounds beside {len(load)} busy processes, in "
        f"{time.monotonic() - start:.0f} s: {'not one failed' if not done.returncode else 'failed'}"
    )
    return done.returncode


WORK = """
import os
parent = os.getppid()
while os.getppid() == parent:  # nobody is left behind when the parent is killed
    sum(range(100_000))
"""


@contextmanager
def busy(count: int) -> Iterator[list[subprocess.Popen]]:
    """Processes that do nothing but work, until it is left."""
    load = [subprocess.Popen([sys.executable, "-S", "-c", WORK]) for _ in range(count)]
    try:
        yield load
    finally:
        for each in load:
            each.kill()
            each.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
