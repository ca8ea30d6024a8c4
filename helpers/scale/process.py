"""The process of one server of a cluster: started, told what to be, asked how it is, ended."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from .nursery import NurseryError, start

START_S = 180.0
"""How long a server may take to come up: it imports TensorFlow, slowly where much else runs."""

_ANSWER_S = 5.0
_POLL_S = 0.05


class ClusterError(RuntimeError):
    """A server did not start, or is gone."""


class Process:
    """A server's process, as whoever started it sees it.

    Attributes:
        port: Where it serves; 0 before.
    """

    def __init__(self, name: str, log: Path, shim: Path | None) -> None:
        """Starts it; it waits to be told what to be.

        Args:
            name: What messages call it.
            log: Takes what it writes.
            shim: A library that keeps it on loopback; None for all interfaces.

        Raises:
            ClusterError: TensorFlow did not come up.
        """
        self._name = name
        theirs_in, ours_in = os.pipe()
        ours_out, theirs_out = os.pipe()
        self._input, self._output = os.fdopen(ours_in, "wb"), os.fdopen(ours_out, "rb")
        try:
            with log.open("ab") as written:
                self._process = start((theirs_in, theirs_out, written.fileno()), shim)
        except BaseException as error:
            self._close()
            if isinstance(error, NurseryError):
                raise ClusterError(str(error)) from None
            raise
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._asking = threading.Lock()
        threading.Thread(target=_forward, args=(self._output, self._answers), daemon=True).start()
        self.port = 0

    def serve(self, told: dict[str, Any]) -> int:
        """Tells it what to be and waits; see `wait`."""
        self.tell(told)
        return self.wait()

    def tell(self, told: dict[str, Any]) -> None:
        """Tells it what to be."""
        self._write(json.dumps(told))

    def wait(self) -> int:
        """Waits until it serves; gives its port.

        Raises:
            ClusterError: It does not come up.
        """
        answer = self._answer(START_S)
        if answer is None:
            self.kill()
            raise ClusterError(f"the {self._name} did not come up within {START_S:.0f} s.")
        if "error" in answer:
            self.kill()
            raise ClusterError(f"the {self._name} did not start: {answer['error']}")
        self.port = answer["port"]
        return self.port

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        try:
            zombie = self._process.status() == psutil.STATUS_ZOMBIE
            return self._process.is_running() and not zombie
        except psutil.NoSuchProcess:
            return False

    def count(self) -> int | None:
        """Of a dispatcher, its workers; of a worker, its tasks; None without an answer."""
        with self._asking:
            if not self.alive or not self._write("health"):
                return None
            answer = self._answer(_ANSWER_S)
        return answer and answer.get("count")  # it may just have ended

    def kill(self) -> None:
        """Ends it at once."""
        with contextlib.suppress(psutil.NoSuchProcess):
            self._process.kill()
        self._process.wait()
        self._close()

    def _close(self) -> None:
        for pipe in (self._input, self._output):
            with contextlib.suppress(OSError):
                pipe.close()

    def _write(self, line: str) -> bool:
        try:
            self._input.write(line.encode() + b"\n")
            self._input.flush()
        except (OSError, ValueError):
            return False
        return True

    def _answer(self, seconds: float) -> dict[str, Any] | None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                line = self._answers.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if not line:
                return {"error": "it ended without a word"}
            return json.loads(line)
        return None


def _forward(pipe: Any, answers: queue.SimpleQueue[bytes]) -> None:
    with contextlib.suppress(OSError, ValueError):
        for line in pipe:
            answers.put(line)
    answers.put(b"")
