"""Bare loops side by side: each row is read once an epoch, and nothing is left of them."""

import multiprocessing
import os
import signal

import pytest

from helpers.bench.loops import Loops


class Noted:
    """Rows that note in a file that they were read, and by which process."""

    def __init__(self, path, count):
        self.path, self.count = path, count

    def __len__(self):
        return self.count

    def __getitem__(self, number):
        with open(self.path, "a") as file:
            file.write(f"{number} {os.getpid()}\n")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "read"


def test_each_row_is_read_once_an_epoch_by_the_two_in_turn(path):
    loops = Loops(Noted(path, 70), 16)
    try:
        for _ in range(2):
            path.write_text("")
            blocks = list(loops)
            assert [number for block in blocks for number in block] == list(range(70))
            readers = dict(map(str.split, path.read_text().splitlines()))
            assert len(path.read_text().splitlines()) == 70
            assert sorted(map(int, readers)) == list(range(70))
            assert len(set(readers.values())) == 2 and str(os.getpid()) not in readers.values()
            assert readers["0"] == readers["32"] != readers["16"] == readers["48"]
    finally:
        loops.close()
    assert not multiprocessing.active_children()


def test_a_killed_one_is_an_error_and_no_silence(path):
    loops = Loops(Noted(path, 8), 2)
    try:
        list(loops)
        os.kill(loops._processes[1].pid, signal.SIGKILL)
        loops._processes[1].join()
        with pytest.raises((EOFError, OSError)):
            list(loops)
    finally:
        loops.close()
    assert not multiprocessing.active_children()
