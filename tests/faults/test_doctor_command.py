"""`workbook doctor` on code that raises, hangs, exits, prints and starts processes."""

import subprocess
import sys
import time

import psutil
import pytest

from helpers.command.apart import SHOWN
from helpers.diagnose.naming import named
from helpers.measure import load

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("no_keras")]

CODE = """
import os, subprocess, sys, time
import numpy as np

def plain():
    for index in range(200):
        yield np.float32(index)

def raises():
    yield np.float32(0)
    raise LookupError("row one")

def hangs():
    yield np.float32(0)
    time.sleep(1000)

def ends():
    yield np.float32(0)
    os._exit(3)

def prints_and_starts():
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(987)"])
    for row in plain():
        print("printed by the user")
        yield row
"""


@pytest.fixture
def doctor(tmp_path):
    """Runs the command on a name of the file above."""
    (tmp_path / "mine.py").write_text(CODE)

    def run(name, *more):
        command = [sys.executable, "-m", "helpers", "doctor", name, "--budget", "4", *more]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=150)

    return run


def test_findings_end_with_one_and_every_form_is_written(doctor, tmp_path):
    done = doctor("mine.py:plain", "--json", "a.json", "--html", "a.html")
    assert done.returncode in (0, 1), done.stderr  # what is measured decides, and not a test
    assert "WHAT BINDS" in done.stdout and "Traceback" not in done.stderr
    assert load(tmp_path / "a.json").subject == "plain"
    assert (tmp_path / "a.html").read_text().startswith("<!doctype html>")


def test_an_exception_is_shown_as_theirs(doctor):
    done = doctor("mine.py:raises")
    assert done.returncode == 2
    assert "LookupError: row one" in done.stdout and "Element 1" in done.stdout
    assert "mine.py:11" in done.stdout


def test_code_that_hangs_is_named_by_its_line_and_ended(doctor):
    start = time.monotonic()
    done = doctor("mine.py:hangs")
    assert done.returncode == 2 and "time.sleep(1000)" in done.stdout
    assert time.monotonic() - start < 120


def test_code_that_ends_the_process_is_told_of(doctor):
    done = doctor("mine.py:ends")
    assert done.returncode == 2 and "exit code 3" in " ".join(done.stderr.split())


def test_what_the_user_prints_is_kept_from_the_answer_and_what_they_start_is_ended(doctor):
    done = doctor("mine.py:prints_and_starts")
    assert "printed by the user" not in done.stdout
    assert 0 < done.stderr.count("printed by the user") <= SHOWN
    assert "more lines)" in done.stderr
    if sys.platform != "win32":  # a session ends with its members on POSIX
        commands = [" ".join(one.info["cmdline"] or ()) for one in psutil.process_iter(["cmdline"])]
        assert not [line for line in commands if "time.sleep(987)" in line]


def test_a_bad_name_is_one_sentence(doctor):
    done = doctor("mine.py:nothing")
    assert done.returncode == 2 and "has no 'nothing'" in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("absent.py:rows", "there is no file absent.py"),
        ("mine", "is no module:callable"),
        ("json:nothing", "json has no 'nothing'"),
    ],
)
def test_every_bad_name_has_its_sentence(name, said):
    with pytest.raises(ValueError, match=said):
        named(name)
