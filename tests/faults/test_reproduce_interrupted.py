"""Ctrl-C and SIGTERM while a real kernel is busy, and while a claim is under way."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from nbformat.v4 import new_code_cell, new_notebook

pytestmark = [
    pytest.mark.faults,
    pytest.mark.usefixtures("no_keras"),
    pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's"),
]
TESTS = Path(__file__).resolve().parent.parent

COMMAND = """
import sys, time
from pathlib import Path
sys.path.insert(0, {tests!r})
from dataclasses import replace
from unit.fake_runs import claim_of
from helpers.claims import Checked
from helpers.command import app
from helpers.reproduce import notebooks, planning

folder = Path({folder!r})

def dawdle():
    (folder / "busy").touch()
    while True:
        time.sleep(0.01)

slow = replace(claim_of("slow"), conditions=(Checked("whenever it runs", dawdle),))
planning.CLAIMS = (claim_of("quick"), slow)
notebooks.NOTEBOOKS = folder
app(["reproduce", "--quick", "--out", str(folder / "results"), *{only!r}])
"""

MEASURES = """
from helpers.measure import Arm, Settings, compare
from helpers.measure.keeping import keep
keep("00-kept", compare([Arm("a", lambda: range(9))], settings=Settings.default(budget_s=.01)))
"""

BUSY = """
import subprocess, sys, time
from pathlib import Path
child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"],
                         stdin=subprocess.PIPE)
Path("busy").touch()
while True:
    time.sleep(0.01)
"""


def _interrupt(folder, how, only):
    """Starts the command, sends a signal once it is at work, and returns how it ended."""
    code = COMMAND.format(tests=str(TESTS), folder=str(folder), only=only)
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        deadline = time.monotonic() + 200
        while not (folder / "busy").exists():
            assert process.poll() is None, process.stdout.read()
            assert time.monotonic() < deadline, "it never got to work"
            time.sleep(0.05)
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(how)
        said, _ = process.communicate(timeout=60)
        _, alive = psutil.wait_procs(family, timeout=20)
        assert not alive, "a process was left behind"
        return process.returncode, said, family
    finally:
        process.kill()
        process.communicate()


def test_a_busy_kernel_ends_and_what_was_measured_is_kept(tmp_path):
    book = new_notebook(cells=[new_code_cell(MEASURES), new_code_cell(BUSY)])
    nbformat.write(book, tmp_path / "00-busy.ipynb")
    only = ["--only", "quick", "--only", "00"]
    returned, said, family = _interrupt(tmp_path, signal.SIGINT, only)
    assert returned == 130, said
    assert len(family) >= 2, "the kernel, and the process that its cell started"
    assert "Traceback" not in said
    assert "1 of 2 steps are done; the same command goes on there" in said
    (so_far,) = tmp_path.rglob("so-far.json")
    record = json.loads(so_far.read_text())["record"]
    assert list(record["claims"]) == ["quick"]
    assert list(record["measurements"]) == ["00-kept"]
    assert so_far.with_suffix(".html").exists()


def test_a_claim_under_way_is_left_and_the_ones_before_are_kept(tmp_path):
    nbformat.write(new_notebook(), tmp_path / "00-none.ipynb")
    only = ["--only", "quick", "--only", "slow"]
    returned, said, _ = _interrupt(tmp_path, signal.SIGTERM, only)
    assert returned == 143, said
    assert "Traceback" not in said
    (so_far,) = tmp_path.rglob("so-far.json")
    record = json.loads(so_far.read_text())["record"]
    assert list(record["claims"]) == ["quick"]
    assert record["missing"] == ["claim slow was not finished."]
