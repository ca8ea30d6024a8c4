"""One measurement at a time: threads, processes, killed holders."""

import subprocess
import sys
import threading

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from helpers.measure import Cancelled
from helpers.measure.turn import WAITING, turn


def hold(taken, leave):
    with turn():
        taken.set()
        leave.wait(30)


def test_the_second_waits_and_says_so_once():
    taken, leave, said, done = (threading.Event() for _ in range(4))
    threading.Thread(target=hold, args=(taken, leave)).start()
    assert taken.wait(10)
    told = []

    def second():
        with turn(lambda words: (told.append(words), said.set())):
            done.set()

    threading.Thread(target=second).start()
    assert said.wait(10)
    assert not done.is_set()
    leave.set()
    assert done.wait(10)
    assert told == [WAITING]


def test_who_has_the_turn_may_ask_again():
    with turn(), turn():
        pass
    with turn(lambda words: pytest.fail("nobody else has it")):
        pass


def test_waiting_can_be_cancelled():
    taken, leave, flag = threading.Event(), threading.Event(), threading.Event()
    threading.Thread(target=hold, args=(taken, leave)).start()
    assert taken.wait(10)
    flag.set()
    with pytest.raises(Cancelled, match="before its turn"), turn(cancelled=flag):
        pass
    leave.set()


HOLDER = "from helpers.measure.turn import turn\nwith turn():\n    print(flush=True)\n    input()"


def test_a_killed_process_leaves_its_turn():
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline()
    told = threading.Event()
    done = threading.Event()

    def second():
        with turn(lambda words: told.set()):
            done.set()

    threading.Thread(target=second).start()
    assert told.wait(10)
    holder.kill()
    holder.communicate()
    assert done.wait(10)


def test_an_interrupt_of_a_cell_that_measures_is_one_sentence():
    shell = InteractiveShell.instance()
    with capture_output() as shown:
        done = shell.run_cell(
            "from helpers.measure.turn import turn\nwith turn():\n    raise KeyboardInterrupt"
        )
    assert isinstance(done.error_in_exec, KeyboardInterrupt)  # so "Run all" ends here
    assert shown.stdout.strip() == "Stopped; nothing of this was kept."
    with turn(lambda words: pytest.fail("its turn has ended")):
        pass


def test_what_ends_a_command_stays_what_it_is():
    class Terminated(KeyboardInterrupt):
        pass

    with pytest.raises(Terminated), turn():
        raise Terminated
