"""Measuring processes of one program that serve another one for a while.

A run of all notebooks starts its processes once: each notebook's kernel would otherwise spend as
long on importing TensorFlow in processes of its own as on a comparison.
"""

from __future__ import annotations

import contextlib
import os
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Client, Listener

import psutil

from .isolation import Child, answer

FOLDER = "WORKBOOK_PROCESSES"
"""Environment variable that names the folder of the sockets by which processes are lent."""

GRACE_S = 2.0
"""How long a process may take to notice that whoever borrowed it has gone; then it is ended."""


class Borrowed(Child):
    """A process that another program started; to end it early is to kill it.

    It goes back with the end of this program, or with this object.
    """

    def __init__(self, address: str) -> None:
        """Connects to it.

        Args:
            address: Of its socket.

        Raises:
            OSError: If it is lent already, or gone.
        """
        self._here = Client(address, "AF_UNIX")
        self._process = _Elsewhere(self._here.recv())


class _Elsewhere:
    """As much of a process' handle as `Child` needs, of one that is nobody's child here."""

    exitcode = None

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._process = psutil.Process(pid)

    def is_alive(self) -> bool:
        with contextlib.suppress(psutil.NoSuchProcess):
            return self._process.status() != psutil.STATUS_ZOMBIE
        return False

    def join(self) -> None:
        with contextlib.suppress(psutil.TimeoutExpired):
            self._process.wait(GRACE_S)  # its own parent sees to the rest


def borrow(place: int) -> Child:
    """Gives a process that is lent to this program, or else starts one.

    Args:
        place: Which of those that are lent.
    """
    folder = os.environ.get(FOLDER)
    if folder:
        with contextlib.suppress(OSError, EOFError, psutil.NoSuchProcess):
            return Borrowed(os.path.join(folder, str(place)))
    return Child()


@contextlib.contextmanager
def lent(children: Sequence[Child]) -> Iterator[None]:
    """Has processes serve the program that is started within, and no other one.

    Those that it ends, or leaves in the midst of a call, are gone afterwards.

    Args:
        children: Alive; nothing else may call them within.
    """
    if not hasattr(socket, "AF_UNIX"):  # on Windows programs have processes of their own
        yield
        return
    enough = threading.Event()
    with (
        tempfile.TemporaryDirectory(prefix="workbook-lent-") as folder,
        ThreadPoolExecutor(len(children)) as threads,
    ):
        calls, doors = [], []
        for place, child in enumerate(children):
            address, opened = os.path.join(folder, str(place)), threading.Event()
            doors.append(address)
            calls.append(
                threads.submit(
                    child.call, _serve, address, on_progress=opened.set, cancelled=enough
                )
            )
            while not (opened.wait(0.1) or calls[-1].done()):
                pass
        before = os.environ.get(FOLDER)
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            if before is None:
                del os.environ[FOLDER]
            else:
                os.environ[FOLDER] = before
            for address in doors:
                with contextlib.suppress(OSError):  # nobody came
                    Client(address, "AF_UNIX").close()
            stopping = threading.Timer(GRACE_S, enough.set)
            stopping.start()
            for call in calls:
                call.exception()  # one that was ended is not alive, and says so
            stopping.cancel()


def _serve(address: str, *, on_progress: Callable[[], None]) -> None:
    """Runs in the process: makes the calls of the one program that connects, until it goes."""
    with Listener(address, "AF_UNIX") as door:
        on_progress()
        there = door.accept()
    with there, contextlib.suppress(EOFError, OSError):
        there.send(os.getpid())
        while True:
            answer(there, there.recv_bytes())
