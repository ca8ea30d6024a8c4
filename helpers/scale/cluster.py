"""A tf.data service of real processes on this machine."""

from __future__ import annotations

import contextlib
import html
import os
import shutil
import socket
import tempfile
import threading
import warnings
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from . import loopback
from .hosted import Hosted
from .process import ClusterError, Process

OPEN = (
    "tf.data service asks nobody for a password: whoever reaches its ports can run code on its "
    "workers. Have a firewall or a private network around it."
)


@dataclass(frozen=True)
class Server:
    """How one server is.

    Attributes:
        name: "dispatcher" or "worker" and a number.
        address: Host and port.
        pid: Of its process.
        alive: Whether it runs.
        count: Of a dispatcher, its workers; of a worker, its tasks. None if it does not answer.
    """

    name: str
    address: str
    pid: int
    alive: bool
    count: int | None

    def __str__(self) -> str:
        if not self.alive:
            return f"{self.name}: gone"
        what = "worker" if self.name == "dispatcher" else "task"
        what += "" if self.count == 1 else "s"
        at_work = "does not answer" if self.count is None else f"{self.count} {what}"
        return f"{self.name}: {self.address}, {at_work}"


@dataclass(frozen=True)
class Health:
    """How the servers of a cluster are."""

    servers: tuple[Server, ...]

    @property
    def good(self) -> bool:
        """Whether all of them run and answer."""
        return all(server.alive and server.count is not None for server in self.servers)

    def __str__(self) -> str:
        return "\n".join(map(str, self.servers))

    def _repr_html_(self) -> str:
        lines = "".join(f"<li>{html.escape(str(server))}</li>" for server in self.servers)
        return f"<ul>{lines}</ul>"


class Cluster:
    """A dispatcher and workers, each a process; a context manager.

    A client waits for a worker that is gone until one serves on its port again; `revive` sees to
    that. What the worker had taken and not sent is lost then.

    Everything is gone when it is closed or dropped, also after an error or Ctrl-C, and when this
    process is killed: the servers end with the pipe to it.

    Attributes:
        target: What `tf.data.experimental.service.distribute` takes as its service.
    """

    def __init__(
        self,
        workers: int = 2,
        *,
        hosted: Sequence[Hosted] = (),
        host: str | None = None,
        port: int = 0,
        work_dir: str | os.PathLike[str] | None = None,
        dispatcher: str | None = None,
        worker_timeout_s: float = 10.0,
    ) -> None:
        """Starts the servers and waits until the dispatcher knows all workers.

        Args:
            workers: Number of worker processes; 0 for a dispatcher whose workers are elsewhere.
            hosted: Pipelines with Python in them that the workers build before they serve.
            host: This machine's name or address for other machines. By default the servers
                listen on loopback only, where a C compiler is at hand to see to it.
            port: The dispatcher's; 0 for a free one.
            work_dir: Folder of the dispatcher's journal, from which it can be restarted; by default
                a temporary one.
            dispatcher: Host and port of one elsewhere, which the workers join; none is started
                then.
            worker_timeout_s: After how many seconds of silence a worker counts as gone.

        Raises:
            ValueError: Too few workers, or an address, port, time or folder that is none.
            TypeError: What is hosted was not made by `host`.
            ClusterError: A server did not come up; the message says why.
        """
        least = 0 if dispatcher is None else 1
        if not isinstance(workers, int) or workers < least:
            raise ValueError(
                f"workers must be a whole number of {least} or more; found {workers!r}."
            )
        if not isinstance(port, int) or not 0 <= port <= 65535:
            raise ValueError(f"port must be a whole number from 0 to 65535; found {port!r}.")
        if not worker_timeout_s > 0:
            raise ValueError(f"worker_timeout_s must be above 0; found {worker_timeout_s!r}.")
        if not all(isinstance(one, Hosted) for one in hosted):
            raise TypeError("hosted must be what helpers.scale.host returns, each.")
        if dispatcher is not None and not dispatcher.rpartition(":")[2].isdigit():
            raise ValueError(f"dispatcher must be host:port; found {dispatcher!r}.")
        if host is not None:
            warnings.warn(OPEN, stacklevel=2)
        self._hosted = [one.packed() for one in hosted]
        self._host = host or "127.0.0.1"
        self._folder = Path(tempfile.mkdtemp(prefix="workbook-cluster-"))
        self._workers: list[Process] = []
        self._dispatcher: Process | None = None
        self._spawned: list[Process] = []
        self._end = weakref.finalize(self, _end, self._spawned, self._folder)
        self._work_dir = Path(work_dir or self._folder / "journal")
        self._timeout_ms = round(worker_timeout_s * 1000)
        self._shim = loopback.shim(self._folder) if host is None else None
        self._lock = threading.RLock()
        self._port = port
        self._elsewhere = dispatcher
        try:
            try:
                self._work_dir.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise ValueError(f"{work_dir} cannot be written: {error.strerror}.") from error
            spawned = [self._spawn(f"worker-{number}") for number in range(workers)]
            self._workers += spawned
            if dispatcher is None:
                self._start_dispatcher()
            self._join(spawned)
            if host is None and self._shim is None:
                warnings.warn(
                    f"without a C compiler the servers listen on every interface. {OPEN}",
                    stacklevel=2,
                )
        except BaseException:
            self.close()
            raise

    @property
    def target(self) -> str:
        """The service's address, with its protocol."""
        return f"grpc://{self._address}"

    @property
    def _address(self) -> str:
        return self._elsewhere or f"{self._host}:{self._port}"

    @property
    def workers(self) -> int:
        """Number of workers that run."""
        return sum(worker.alive for worker in self._workers)

    def add_worker(self) -> None:
        """Starts one more worker, which joins what is being read."""
        with self._lock:
            worker = self._spawn(f"worker-{len(self._workers)}")
            self._workers.append(worker)
            self._join([worker])

    def kill_worker(self, number: int) -> None:
        """Ends a worker as a failing machine would: at once, with what it has not sent."""
        self._worker(number).kill()

    def restart_worker(self, number: int) -> None:
        """Starts a worker again on the port that it had, which is what its clients wait for."""
        with self._lock:
            self.kill_worker(number)
            port = self._worker(number).port
            self._workers[number] = self._spawn(f"worker-{number}")
            self._join([self._workers[number]], port)

    def revive(self) -> list[str]:
        """Starts again what is gone; gives the names."""
        with self._lock:
            gone = []
            if self._dispatcher is not None and not self._dispatcher.alive:
                self.restart_dispatcher()
                gone.append("dispatcher")
            for number, worker in enumerate(self._workers):
                if not worker.alive:
                    self.restart_worker(number)
                    gone.append(f"worker {number}")
        return gone

    def kill_dispatcher(self) -> None:
        """Ends the dispatcher at once."""
        if self._dispatcher is None:
            raise ClusterError("this cluster has no dispatcher of its own.")
        self._dispatcher.kill()

    def restart_dispatcher(self) -> None:
        """Starts the dispatcher again, on the same port and from its journal."""
        self.kill_dispatcher()
        self._start_dispatcher()

    @property
    def cpu_s(self) -> float:
        """Seconds of a core that the servers which run now have used so far."""
        used = 0.0
        for server in filter(None, (self._dispatcher, *self._workers)):
            with contextlib.suppress(psutil.NoSuchProcess):
                used += sum(psutil.Process(server.pid).cpu_times()[:2])
        return used

    def health(self) -> Health:
        """Asks each server how it is."""
        named = [("dispatcher", self._dispatcher)] if self._dispatcher else []
        named += [(f"worker {number}", one) for number, one in enumerate(self._workers)]
        return Health(
            tuple(
                Server(name, f"{self._host}:{one.port}", one.pid, one.alive, one.count())
                for name, one in named
            )
        )

    def log(self) -> str:
        """What the servers have written, TensorFlow's lines among it."""
        return "\n".join(
            path.read_text(encoding="utf-8", errors="replace")
            for path in sorted(self._folder.glob("*.log"))
        )

    def close(self) -> None:
        """Ends the servers; again does nothing."""
        with self._lock:
            self._end()
            self._workers, self._dispatcher = [], None

    def __enter__(self) -> Cluster:
        if not self._end.alive:
            raise ClusterError("this cluster is closed; make a new one.")
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start_dispatcher(self) -> None:
        told = {
            "role": "dispatcher",
            "port": self._port,
            "work_dir": str(self._work_dir),
            "worker_timeout_ms": self._timeout_ms,
            "forget_ms": 10_000,
        }
        if self._port and not _is_free(self._port):
            raise ClusterError(
                f"port {self._port} is taken; choose another one, or 0 for a free one."
            )
        self._dispatcher = self._spawn("dispatcher")
        self._port = self._dispatcher.serve(told)

    def _join(self, workers: Sequence[Process], port: int = 0) -> None:
        told = {
            "role": "worker",
            "port": port,
            "host": self._host,
            "dispatcher": self._address,
            "heartbeat_ms": 200,
            "patience_ms": 60_000,
            "hosted": self._hosted,
        }
        for worker in workers:
            worker.tell(told)
        for worker in workers:
            worker.wait()

    def _spawn(self, name: str) -> Process:
        if not self._end.alive:
            raise ClusterError("this cluster is closed; make a new one.")
        made = Process(name, self._folder / f"{name}.log", self._shim)
        self._spawned.append(made)
        return made

    def _worker(self, number: int) -> Process:
        if not 0 <= number < len(self._workers):
            raise ValueError(f"there is no worker {number}; there are {len(self._workers)}.")
        return self._workers[number]


def _end(spawned: list[Process], folder: Path) -> None:
    for one in spawned:
        one.kill()
    shutil.rmtree(folder, ignore_errors=True)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
