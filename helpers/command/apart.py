"""An examination in a process of its own: code that exits, crashes, hangs or forks ends there.

It imports nothing heavy: the child imports TensorFlow, and once is enough.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

SHOWN = 20
"""Lines that the user's code prints which are shown; the others are counted."""

START_S = 90
"""Seconds that importing TensorFlow and the user's module may take."""


class CouldNotRun(RuntimeError):
    """There is no diagnosis; the text says why, in a sentence."""


@contextlib.contextmanager
def examined_apart(
    call: dict[str, Any], tell: Callable[[str, float], None], show: Callable[[str], None]
) -> Iterator[Path]:
    """Examines in a child, and gives the folder with the answer for as long as it is needed.

    Whatever the child started is gone by then; on Linux and macOS, by its session.

    Args:
        call: As for `helpers.diagnose.apart.main`.
        tell: Told what is being done, and the share of the budget that is spent.
        show: Given the first lines that the user's code prints, and how many more there were.

    Raises:
        CouldNotRun: If there is no diagnosis.
    """
    with tempfile.TemporaryDirectory(prefix="doctor-") as name:
        folder = Path(name)
        child = subprocess.Popen(
            [sys.executable, "-m", "helpers.diagnose.apart", name, json.dumps(call)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, text=True, errors="replace",
        )  # fmt: skip
        printed = threading.Thread(target=_pass_on, args=(child.stdout, show), daemon=True)
        printed.start()
        try:
            _follow(child, folder, call["budget_s"], tell)
        finally:
            _end(child)
            printed.join(1)  # its writers are gone
        if (folder / "refusal").exists():
            raise CouldNotRun((folder / "refusal").read_text())
        if not (folder / "text").exists():
            raise CouldNotRun(
                f"your code ended the process (exit code {child.returncode}) before there was an "
                "answer."
            )
        yield folder


def _pass_on(lines: Any, show: Callable[[str], None]) -> None:
    """Shows the first lines, and says how many more there were."""
    count = 0
    with lines:
        for count, line in enumerate(lines, start=1):
            if count <= SHOWN:
                show(line.rstrip())
    if count > SHOWN:
        show(f"(your code printed {count - SHOWN} more lines)")


def copied(folder: Path, name: str, to: Path) -> None:
    """Copies a form of the answer to where it is wanted.

    Raises:
        CouldNotRun: If there is no such form, or the place cannot be written.
    """
    if not (folder / name).exists():
        raise CouldNotRun(f"there is no {name}: see the remarks of the diagnosis.")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(folder / name, to)
    except OSError as error:
        raise CouldNotRun(f"{to} cannot be written: {error.strerror}.") from error


def _follow(child: Any, folder: Path, budget_s: float, tell: Callable[[str, float], None]) -> None:
    progress, began = folder / "progress", False
    end = time.monotonic() + START_S
    while child.poll() is None:
        if progress.exists():
            if not began:  # the budget begins with the examination, not with the imports
                began, end = True, time.monotonic() + 1.1 * budget_s + 5
            share, _, words = progress.read_text().partition(" ")
            tell(words, float(share))
        if time.monotonic() > end:
            raise CouldNotRun("your code did not come back, and was ended.")
        time.sleep(0.1)


def _end(child: Any) -> None:
    """Ends the child and all that it started."""
    members: list[psutil.Process] = []
    with contextlib.suppress(psutil.NoSuchProcess):
        members = psutil.Process(child.pid).children(recursive=True)
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    for member in members:
        with contextlib.suppress(psutil.NoSuchProcess):
            member.kill()
    if child.poll() is None:
        child.kill()
    child.wait()
