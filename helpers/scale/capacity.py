"""How many workers feed a consumer, and what is the limit: arithmetic on what one worker costs."""

from __future__ import annotations

import heapq
import math
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

from helpers.measure import percent

WORTH = 0.07
"""One more worker is worth it while the rate gains more than this."""

SPARED = 0.03
"""One less is, while the rate loses less than this."""

MOST = 1024
"""Workers that are thought of."""

AHEAD = 2
"""Elements that the client has ready for the consumer."""


@dataclass(frozen=True)
class Limit:
    """What so many workers give.

    Attributes:
        workers: How many.
        rate: Elements a second.
        by: What does not allow more: "workers", "cores", "client", "network", "dispatcher" or
            "consumer".
    """

    workers: int
    rate: float
    by: str

    def __str__(self) -> str:
        several = "s" if self.workers > 1 else ""
        return f"{self.workers} worker{several}: {self.rate:.4g} elements/s, limited by {self.by}"


@dataclass(frozen=True)
class Capacity:
    """What an element costs each who takes part, measured with one worker.

    Each works beside the others, so that the slowest sets the rate. That is exact where all take
    the same time for every element; `simulated` tells how much is lost where they do not.

    Attributes:
        worker_s: Seconds from one element of a worker to its next, with nothing else at work.
        busy_s: Seconds of those that need a core; waiting for a disk or a network needs none.
        client_s: Seconds that the client takes for an element that is ready, decompression and
            deserialisation among them: its own ceiling. They need a core.
        consumer_s: Seconds of a step, by the elements that it takes; 0 for none.
        consumer_busy_s: Seconds of those that need a core of the same machine; none on a GPU.
        dispatcher_s: Seconds that the dispatcher takes for an element, where it hands out work.
        element_bytes: Of an element on its way.
        network_bytes_s: Bytes a second between workers and client.
        cores: That workers, client and consumer share on one machine; None where each worker has a
            machine of its own.
    """

    worker_s: float
    busy_s: float
    client_s: float
    consumer_s: float = 0.0
    consumer_busy_s: float = 0.0
    dispatcher_s: float = 0.0
    element_bytes: float = 0.0
    network_bytes_s: float = math.inf
    cores: int | None = None

    def __post_init__(self) -> None:
        if not self.worker_s > 0:
            raise ValueError(f"worker_s must be above 0; found {self.worker_s!r}.")
        if not 0 <= self.busy_s <= self.worker_s:
            raise ValueError(f"busy_s must be from 0 to worker_s; found {self.busy_s!r}.")
        if not 0 <= self.consumer_busy_s <= self.consumer_s:
            raise ValueError(
                f"consumer_busy_s must be from 0 to consumer_s; found {self.consumer_busy_s!r}."
            )
        if min(self.client_s, self.dispatcher_s, self.element_bytes) < 0:
            raise ValueError("client_s, dispatcher_s and element_bytes must be 0 or more.")
        if not self.network_bytes_s > 0:
            raise ValueError(f"network_bytes_s must be above 0; found {self.network_bytes_s!r}.")
        if self.cores is not None and self.cores < 1:
            raise ValueError(f"cores must be 1 or more, or None; found {self.cores!r}.")

    def limits(self, workers: int) -> dict[str, float]:
        """Elements a second that each of them allows, were it the only one.

        Args:
            workers: 1 or more.
        """
        if workers < 1:
            raise ValueError(f"there must be a worker or more; found {workers!r}.")
        return {
            "workers": workers / self.worker_s,
            "cores": math.inf if self.cores is None else _per_second(self._cores_s, self.cores),
            "client": _per_second(self.client_s),
            "network": _per_second(self.element_bytes, self.network_bytes_s),
            "dispatcher": _per_second(self.dispatcher_s),
            "consumer": _per_second(self.consumer_s),
        }

    def at(self, workers: int) -> Limit:
        """What so many workers give, and what is the limit then.

        Workers that share cores wait for one now and then, long before all cores are taken; the
        rate is lower by what that costs.
        """
        limits = self.limits(workers)
        by = min(limits, key=limits.__getitem__)
        return Limit(workers, min(limits[by], limits["workers"] * self.undelayed(workers)), by)

    def undelayed(self, workers: int) -> float:
        """Share of the workers' rate that is left where each may wait for a core.

        The machine-repair model of queueing theory: each worker waits elsewhere for a while, then
        needs one of the cores, and queues where all are taken (L. Kleinrock, Queueing Systems,
        volume 1, 1975, chapter 3: finite population, several servers).
        """
        cores_s, elsewhere_s = self._cores_s, self.worker_s - self.busy_s
        if self.cores is None or not cores_s or workers <= self.cores:
            return 1.0
        if not elsewhere_s:
            return self.cores / workers
        at_cores = np.arange(workers + 1)
        served = np.minimum(at_cores, self.cores)
        steps = np.log((workers - at_cores[:-1]) * cores_s / elsewhere_s / served[1:])
        likely = np.concatenate([[0.0], np.cumsum(steps)])
        busy = math.exp(logsumexp(likely[1:], b=served[1:]) - logsumexp(likely))
        return busy / cores_s * (elsewhere_s + cores_s) / workers

    @property
    def _cores_s(self) -> float:
        return self.busy_s + self.client_s + self.consumer_busy_s

    def gain(self, workers: int) -> float:
        """What one more brings, as a share of the rate."""
        return self.at(workers + 1).rate / self.at(workers).rate - 1

    def cost(self, workers: int) -> float:
        """Seconds of a worker's machine that an element costs."""
        return workers / self.at(workers).rate

    @property
    def advised(self) -> int:
        """Workers to have: added while each brings more than 7 %, dropped while one costs < 3 %."""
        workers = 1
        while workers < MOST and self.gain(workers) > WORTH:
            workers += 1
        while workers > 1 and 1 - self.at(workers - 1).rate / self.at(workers).rate < SPARED:
            workers -= 1
        return workers

    def feeding(self) -> int | None:
        """The fewest workers that keep the consumer busy; None where none do."""
        enough = (n for n in range(1, MOST + 1) if self.at(n).by == "consumer")
        return next(enough, None)

    def simulated(
        self,
        workers: int,
        *,
        elements: int = 2000,
        spread: float = 0.3,
        buffer: int = 2,
        seed: int = 0,
    ) -> float:
        """Elements a second of a simulated run, in which no two elements take the same time.

        Workers fill buffers of their own, the client takes what is ready first, and the consumer
        what the client has ready. Shared cores slow all that need them alike.

        Args:
            workers: How many.
            elements: Of the run.
            spread: Standard deviation of the logarithm of what a worker and the consumer take.
            buffer: Elements that a worker has ready.
            seed: Of the random times.
        """
        slower = max(1.0, self.crowding(workers))
        delay_s = self.worker_s / self.undelayed(workers) - self.worker_s
        at_core_s = max(self.busy_s * slower, self.busy_s + delay_s)
        random = np.random.default_rng(seed)
        factors = np.exp(random.normal(-(spread**2) / 2, spread, (2, elements + workers)))
        makes = factors[0] * (at_core_s + self.worker_s - self.busy_s)
        step_s = self.consumer_busy_s * slower + self.consumer_s - self.consumer_busy_s
        steps = factors[1] * step_s
        hands_s = max(
            self.client_s * slower, self.element_bytes / self.network_bytes_s, self.dispatcher_s
        )
        made = iter(makes)
        ready = [(next(made), worker) for worker in range(workers)]
        heapq.heapify(ready)
        taken = [deque([0.0] * buffer, buffer) for _ in range(workers)]
        done: deque[float] = deque([0.0] * AHEAD, AHEAD)
        free = 0.0
        for number in range(elements):
            at, worker = heapq.heappop(ready)
            free = max(free, at, done[0]) + hands_s
            taken[worker].append(free)
            done.append(max(done[-1], free) + steps[number])
            heapq.heappush(ready, (max(at, taken[worker][0]) + next(made), worker))
        return elements / done[-1]

    def crowding(self, workers: int) -> float:
        """How many times over the cores are asked for by so many workers; 0 with own machines."""
        if self.cores is None:
            return 0.0
        limits = self.limits(workers)
        wanted = min(rate for name, rate in limits.items() if name != "cores")
        return wanted / limits["cores"]

    def errors(self, measured: Mapping[int, float]) -> dict[int, float]:
        """By how much the rates are off that were measured, as a share of each.

        Args:
            measured: Elements a second by the number of workers.
        """
        return {workers: self.at(workers).rate / rate - 1 for workers, rate in measured.items()}

    def __str__(self) -> str:
        best = self.at(self.advised)
        more = f"one more brings {percent(self.gain(best.workers))}"
        return f"{best}; {more}."


def _per_second(cost: float, available: float = 1.0) -> float:
    return available / cost if cost > 0 else math.inf
