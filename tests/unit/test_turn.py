"""One measurement at a time: threads, processes, killed holders."""

import multiprocessing
import threading

import pytest

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


def test_a_killed_process_leaves_its_turn():
    context = multiprocessing.get_context("spawn")
    taken, leave = context.Event(), context.Event()
    holder = context.Process(target=hold, args=(taken, leave))
    holder.start()
    assert taken.wait(30)
    told = threading.Event()
    done = threading.Event()

    def second():
        with turn(lambda words: told.set()):
            done.set()

    threading.Thread(target=second).start()
    assert told.wait(10)
    holder.kill()
    holder.join()
    assert done.wait(10)
