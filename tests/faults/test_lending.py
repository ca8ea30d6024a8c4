"""Measuring processes that another program borrows: the same ones, given back, or gone."""

import contextlib
import os
import subprocess
import sys
import time

import psutil
import pytest

from helpers.measure import Processes, Settings
from helpers.measure.lending import FOLDER, GRACE_S

pytestmark = [
    pytest.mark.faults,
    pytest.mark.usefixtures("no_keras"),
    pytest.mark.skipif(sys.platform == "win32", reason="programs have processes of their own"),
]

SETTINGS = Settings(min_rounds=4, max_rounds=4, warmup_rounds=0)

BORROWER = """
import os, sys, time
from helpers.measure import Processes, Settings

def pid(seconds, **_):
    time.sleep(seconds)
    return os.getpid()

if __name__ == "__main__":
    settings = Settings(min_rounds=4, max_rounds=4, warmup_rounds=0)
    processes = Processes(2)
    print(*processes.each(pid, 0, settings=settings), flush=True)
    if sys.argv[1:]:
        processes.each(pid, 60, settings=settings)
"""


def _pid(**_):
    return os.getpid()


@pytest.fixture
def processes():
    with Processes(2) as processes:
        yield processes


def _pids(processes):
    return processes.each(_pid, settings=SETTINGS)


@contextlib.contextmanager
def _borrower(folder, *arguments):
    script = folder / "borrower.py"
    script.write_text(BORROWER)
    with subprocess.Popen(
        [sys.executable, script, *arguments], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    ) as borrower:  # fmt: skip
        try:
            yield borrower
        finally:
            borrower.kill()


def _read(borrower):
    return [int(pid) for pid in borrower.stdout.readline().split()]


def test_another_program_uses_the_same_processes_and_gives_them_back(processes, tmp_path):
    own = _pids(processes)
    for _ in range(2):
        with processes.lent(), _borrower(tmp_path) as borrower:
            assert _read(borrower) == own
            assert borrower.wait() == 0
        assert FOLDER not in os.environ
    assert _pids(processes) == own


def test_processes_that_nobody_borrowed_serve_as_before(processes):
    own = _pids(processes)
    with processes.lent():
        pass
    assert _pids(processes) == own


def test_whoever_comes_second_has_processes_of_their_own(processes, tmp_path):
    own = _pids(processes)
    with processes.lent(), _borrower(tmp_path, "goes on") as first:
        assert _read(first) == own
        with _borrower(tmp_path) as second:
            assert set(_read(second)).isdisjoint(own)


def test_what_a_killed_program_left_half_done_is_ended(processes, tmp_path):
    own = _pids(processes)
    with processes.lent(), _borrower(tmp_path, "goes on") as borrower:
        _read(borrower)
        time.sleep(0.5)  # the first of its two long calls is under way
        borrower.kill()
        borrower.wait()
        begun = time.monotonic()
    assert time.monotonic() - begun < GRACE_S + 5
    assert not psutil.pid_exists(own[0])
    after = _pids(processes)
    assert own[1] in after and own[0] not in after


def test_a_process_that_dies_while_it_is_lent_is_replaced(processes, tmp_path):
    own = _pids(processes)
    with processes.lent():
        psutil.Process(own[0]).kill()
        with _borrower(tmp_path) as borrower:
            found = _read(borrower)
            assert own[1] in found and own[0] not in found
    assert len(set(_pids(processes))) == 2
