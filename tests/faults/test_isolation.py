import os
import signal
import subprocess
import sys
import threading
import time

import psutil
import pytest

from helpers.measure import Arm, Cancelled, Settings, compare_in_child

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("no_keras")]
ENDLESS = Settings(precision=1e-9, budget_s=600, max_rounds=10**6)


def _rows():
    return iter(range(1000))


def _in_a_child():
    return os.getpid()


def _wait_until(true, seconds=20.0):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


@pytest.fixture
def measuring():
    """What tells the processes that began below this one since the test did.

    Loky's resource tracker stays for the next measurement. What another test left to wait for work
    in this process began before.
    """
    before = set(psutil.Process().children(recursive=True))

    def since():
        now = set(psutil.Process().children(recursive=True)) - before
        return [child for child in now if "resource_tracker" not in " ".join(child.cmdline())]

    return since


def test_it_measures_elsewhere_and_reports_as_it_goes(measuring):
    here, seen = os.getpid(), []

    def build():
        assert os.getpid() != here
        return _rows()

    settings = Settings(min_rounds=3, max_rounds=3)
    measured = compare_in_child([Arm("a", build)], settings=settings, on_progress=seen.append)
    assert measured.rounds == 3
    assert [progress.rounds for progress in seen] == [0, 1, 2, 3]
    assert not measuring()


def test_cancel_ends_the_child_within_a_second(measuring):
    flag, pressed = threading.Event(), []

    def press(progress):
        if not flag.is_set():
            flag.set()
            pressed.append(time.monotonic())

    with pytest.raises(Cancelled):
        compare_in_child([Arm("a", _rows)], settings=ENDLESS, on_progress=press, cancelled=flag)
    assert time.monotonic() - pressed[0] < 1  # the promise of the Cancel button, not a speed
    assert not measuring()


def test_an_error_keeps_its_type_and_shows_the_childs_traceback(measuring):
    def build():
        raise KeyError("boo")

    with pytest.raises(KeyError, match="boo") as caught:
        compare_in_child([Arm("a", build)])
    assert "in build" in str(caught.value.__cause__)
    assert not measuring()


def test_a_killed_child_is_one_sentence():
    def build():
        os.kill(os.getpid(), signal.SIGKILL)

    with pytest.raises(RuntimeError, match="ended without a result"):
        compare_in_child([Arm("a", build)])


def test_what_cannot_travel_is_named():
    lock = threading.Lock()
    with pytest.raises(TypeError, match="inside the function that builds the arm"):
        compare_in_child([Arm("a", lambda: lock)])


PARENT = """
import sys
sys.path.insert(0, {tests!r})
from faults.test_isolation import ENDLESS, _rows
from helpers.measure import Arm, compare_in_child
compare_in_child([Arm("a", _rows)], settings=ENDLESS,
    on_progress=lambda progress: print(progress.rounds, flush=True))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals are POSIX's")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_the_child_dies_with_its_parent(how):
    tests = os.path.dirname(os.path.dirname(__file__))
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT.format(tests=tests)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert parent.stdout.readline().strip() == "0"
        family = psutil.Process(parent.pid).children(recursive=True)
        assert family
        parent.send_signal(how)
        parent.wait(20)
        _wait_until(lambda: not any(child.is_running() for child in family))
        assert "leaked" not in parent.stderr.read()
    finally:
        parent.kill()
        parent.communicate()


IN_A_CELL = """
import linecache
from helpers.measure import Arm, Settings, compare_in_child
from helpers.quiet import tf

CELL = '''
def double():
    return lambda k: k * 2

def build():
    return tf.data.Dataset.range(8).map(double())
'''

if __name__ == "__main__":
    name = "/nowhere/ipykernel_1/1.py"
    linecache.cache[name] = (len(CELL), None, CELL.splitlines(True), name)
    exec(compile(CELL, name, "exec"))
    print(len(compare_in_child([Arm("a", build)], settings=Settings.default()).trials) > 0)
"""


def test_a_cell_that_uses_tensorflow_is_quiet_there():
    """TensorFlow's own lines, and AutoGraph's about code whose source it cannot find."""
    done = subprocess.run(
        [sys.executable, "-c", IN_A_CELL], capture_output=True, text=True, timeout=180
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")
