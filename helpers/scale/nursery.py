"""A process that has imported TensorFlow, from which the servers of a cluster are forked.

An import takes seconds, and on two cores three of them take three times as long. It is paid once
here. Forking is safe as long as TensorFlow has only been imported and nothing has run in it, which
is all that this process does. It ends with whoever started it, and when it was idle for a minute.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import psutil

IDLE_S = 60.0
"""After how long without a request it ends; the next request starts another one."""

START_S = 180.0
"""How long the import may take, where much else runs."""

_PROGRAM = f"""import socket, sys
from {__name__} import main
main(socket.socket(fileno=int(sys.argv[1])))
"""


class NurseryError(RuntimeError):
    """It did not come up."""


class Nursery:
    """The process, as whoever asks it for servers sees it."""

    def __init__(self) -> None:
        """Starts nothing yet."""
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._started_by = 0

    def fork(self, files: tuple[int, int, int], environment: dict[str, str]) -> psutil.Process:
        """Forks a server; gives its process.

        Args:
            files: Descriptors of its standard input, output and error; they stay the caller's.
            environment: Of the server. What has to be there from its first moment, as a library
                that is preloaded, is as it was when the first one was forked.

        Raises:
            NurseryError: The process that forks did not come up.
        """
        with self._lock:
            for _ in range(2):  # it may have been idle for too long just now
                pid = self._ask(files, environment)
                if pid:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        return psutil.Process(pid)
        raise NurseryError("the process that forks the servers ended.")

    def _ask(self, files: tuple[int, int, int], environment: dict[str, str]) -> int:
        if self._socket is None or self._started_by != os.getpid():
            self._start(environment)
        told = {"path": sys.path, "folder": os.getcwd(), "environment": environment}
        request = json.dumps(told).encode()
        try:
            socket.send_fds(self._socket, [len(request).to_bytes(4, "big")], files)
            self._socket.sendall(request)
            answer = _said(self._socket, 4)
        except OSError:
            answer = b""
        except BaseException:  # Ctrl-C: its answer must not be taken for the next one's
            self._forget()
            raise
        if not answer:
            self._forget()
        return int.from_bytes(answer, "big")

    def _start(self, environment: dict[str, str]) -> None:
        ours, theirs = socket.socketpair()
        ours.settimeout(START_S)
        with tempfile.TemporaryDirectory(prefix="workbook-nursery-") as folder, theirs:
            log = Path(folder) / "log"
            with log.open("wb") as written:
                self._process = subprocess.Popen(
                    [sys.executable, "-c", _PROGRAM, str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=written,
                    stderr=written,
                    pass_fds=[theirs.fileno()],
                    env=environment,
                    start_new_session=True,  # the terminal's Ctrl-C goes to the parent alone
                )
            theirs.close()
            # Idle, it ends when nobody looks: without somebody who waits it would stay a zombie.
            threading.Thread(target=self._process.wait, daemon=True).start()
            self._socket, self._started_by = ours, os.getpid()
            try:
                if not _said(ours, 1):
                    last = log.read_text(errors="replace").strip().rpartition("\n")[2]
                    raise NurseryError(f"TensorFlow did not come up for the servers: {last}")
            except BaseException:
                self._forget()
                raise

    def _forget(self) -> None:
        """Ends it; the servers that it forked go on."""
        if self._socket is not None:
            self._socket.close()
        if self._process is not None and self._started_by == os.getpid():
            self._process.kill()
            self._process.wait()
        self._socket = self._process = None


_NURSERIES = {preloads: Nursery() for preloads in (False, True)}


def start(files: tuple[int, int, int], shim: Path | None) -> psutil.Process:
    """Starts a server, forked where that is safe.

    Args:
        files: Descriptors of its standard input, output and error.
        shim: A library that keeps it on loopback; None for all interfaces.

    Raises:
        NurseryError: The process that forks did not come up.
    """
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    if shim is not None:
        preload = filter(None, [str(shim), os.environ.get("LD_PRELOAD")])
        environment["LD_PRELOAD"] = os.pathsep.join(preload)
    if _forks():
        return _NURSERIES[shim is not None].fork(files, environment)
    stdin, stdout, stderr = files
    return psutil.Popen(
        [sys.executable, "-m", "helpers.scale.server"],
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        env=environment,
        start_new_session=True,
    )


def _forks() -> bool:
    """Whether servers can be forked: on Linux, where TensorFlow has opened no GPU's driver."""
    from helpers.quiet import tf

    return sys.platform == "linux" and not tf.config.list_physical_devices("GPU")


def main(ours: socket.socket) -> None:
    """Imports TensorFlow and forks a server for each request, until nobody can ask any more."""
    from helpers.bridge.sharding import seed_everything
    from helpers.scale import server

    server.prepare()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for them: none is a zombie
    ours.sendall(b"+")
    while True:
        ours.settimeout(IDLE_S)
        try:
            length, files, _, _ = socket.recv_fds(ours, 4, 3)
        except TimeoutError:
            return
        ours.settimeout(None)
        if len(length) < 4:
            return
        request = json.loads(_said(ours, int.from_bytes(length, "big")))
        pid = os.fork()
        if not pid:
            ours.close()
            _become(request, files)
            seed_everything(int.from_bytes(os.urandom(4), "big"))
            try:
                server.main()
            finally:
                os._exit(1)
        for file in files:
            os.close(file)
        ours.sendall(pid.to_bytes(4, "big"))


def _become(request: dict[str, Any], files: list[int]) -> None:
    """Makes of the fork what a process would be that was started by who asks."""
    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for place, file in enumerate(files):
        os.dup2(file, place)
        os.close(file)
    with contextlib.suppress(OSError):
        os.chdir(request["folder"])
    sys.path[:] = request["path"]
    os.environ.clear()
    os.environ.update(request["environment"])


def _said(here: socket.socket, size: int) -> bytes:
    """Receives as many bytes; none at all where the other end has gone or is silent too long."""
    parts = bytearray()
    while len(parts) < size:
        try:
            part = here.recv(size - len(parts))
        except OSError:
            part = b""
        if not part:
            return b""
        parts += part
    return bytes(parts)
