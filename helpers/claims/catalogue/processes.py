"""More than one generator at a time: interleave, and the tf.data service."""

from __future__ import annotations

import subprocess
import sys
import time
import traceback
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import numpy as np

from helpers.measure import Arm
from helpers.quiet import tf

from ..arms import generated, generator_arm, own, rows_taken, side_by_side
from ..claim import CannotRun, Checked, Claim, Finding, Timed
from ..expectation import GAIN, at_least
from ..rows import KB_40, Work, after, aligned, compute, sleep, stored

NOTEBOOK = "08-many-processes"

WORK_US = 3000
"""Length of the work for a row: many crossings, so that it is what a second generator shares."""

QUIET_S = 10.0
"""Seconds that workers may take to let go of what they were reading."""

SETTLE_S = 0.5
"""Seconds from a worker's last task on its list to the end of what that task was reading.

A worker takes a task off its list before it closes the task's generator, for which it needs the
GIL, and nothing tells when that is done. Stopped in between, on a busy machine, it hangs for ever.
"""

service = tf.data.experimental.service

Generator = Callable[[], Iterator[np.ndarray]]


def hypot(us: float) -> None:
    """NumPy work of roughly that length, without the GIL."""
    np.hypot(_NUMBERS[: int(us * 165)], 1.0)


_NUMBERS = np.ones(165 * WORK_US)


def whole_and_half(work: Work, take: int) -> tuple[Generator, Generator]:
    """A generator of all rows and one of half of them, each row after some work."""
    half = rows_taken(take) // 2
    whole, part = (after(work, WORK_US, stored(KB_40, count)) for count in (2 * half, half))
    return whole, part


def interleaved(work: Work, take: int = 28) -> tuple[Arm, Arm]:
    """One generator of all rows, and two of half of them each, interleaved in parallel."""
    whole, half = whole_and_half(work, take)
    return (
        generator_arm("one generator", whole, KB_40),
        Arm("two, interleaved in parallel", partial(side_by_side, half, KB_40, 2)),
    )


@contextmanager
def local_service(workers: int) -> Iterator[str]:
    """A dispatcher and workers in this process, on loopback; yields the service's address.

    Stopping a worker waits for its generators with the GIL held, which they need to end. So the
    data sets are let go first, and the servers only once no worker has a task.
    """
    running = []
    try:
        # Soon after the last reader is gone the workers hear of it, and close what they read.
        dispatcher = service.DispatchServer(
            service.DispatcherConfig(port=0, job_gc_check_interval_ms=50, job_gc_timeout_ms=100)
        )
        address = dispatcher.target.partition("://")[2]
        for _ in range(workers):
            config = service.WorkerConfig(
                dispatcher_address=address, port=0, heartbeat_interval_ms=50
            )
            running.append(service.WorkerServer(config))
    except (tf.errors.OpError, RuntimeError, AttributeError) as error:
        raise CannotRun(f"the tf.data service does not start: {error}") from error
    try:
        yield dispatcher.target
    except BaseException as error:
        traceback.clear_frames(error.__traceback__)  # they hold iterators, and iterators hold tasks
        raise
    finally:
        _wait_until_idle(running)
        running.clear()
        del dispatcher


def _wait_until_idle(workers: list) -> None:
    end = time.monotonic() + QUIET_S
    while any(worker._num_tasks() for worker in workers):
        if time.monotonic() > end:
            raise RuntimeError(
                "the workers of the tf.data service still read after their readers have gone: "
                "start this process anew."
            )
        time.sleep(0.01)
    time.sleep(SETTLE_S)


def _distributed(dataset: tf.data.Dataset, address: str) -> tf.data.Dataset:
    return dataset.apply(service.distribute(processing_mode="parallel_epochs", service=address))


@contextmanager
def served(work: Work, take: int = 40) -> Iterator[tuple[Arm, Arm]]:
    """One generator read directly, and two workers of this process that read half of it each."""
    whole, half = whole_and_half(work, take)
    with local_service(2) as address:
        yield (
            generator_arm("read directly", whole, KB_40),
            generator_arm(
                "two workers of this process",
                half,
                KB_40,
                lambda dataset: _distributed(dataset, address),
            ),
        )


def numbers() -> Iterator[np.int64]:
    """Twenty numbers."""
    for number in range(20):
        yield np.int64(number)


def reads_through(address: str) -> Finding:
    """Reads twenty elements of a from_generator through the service at that address."""
    dataset = generated(numbers, tf.TensorSpec((), tf.int64))
    try:
        seen = sorted(int(number) for number in _distributed(dataset, address))
    except tf.errors.OpError as error:
        return Finding(False, _reason(str(error)))
    return Finding(seen == list(range(20)), f"{len(set(seen))} of 20 elements arrive")


def _reason(text: str) -> str:
    """The part of TensorFlow's message that says why."""
    start = text.find("Could not find callback")
    return (text[start:] if start >= 0 else text).splitlines()[0].rstrip(". ")


def works_in_this_process() -> Finding:
    """Reads through a worker of this process."""
    with local_service(1) as address:
        return reads_through(address)


WORKER = """
import sys
import tensorflow as tf
service = tf.data.experimental.service
config = service.WorkerConfig(
    dispatcher_address=sys.argv[1], port=0, heartbeat_interval_ms=50)
worker = service.WorkerServer(config)
print("ready", flush=True)
sys.stdin.read()
"""


def works_in_another_process() -> Finding:
    """Reads through a worker of another process, as one on another machine would be."""
    with local_service(0) as address, _worker_process(address.partition("://")[2]):
        return reads_through(address)


@contextmanager
def _worker_process(dispatcher: str) -> Iterator[None]:
    """A worker that ends when its standard input does, and so with this process."""
    try:
        child = subprocess.Popen(
            [sys.executable, "-c", WORKER, dispatcher],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
    except OSError as error:
        raise CannotRun(f"no process can be started: {error.strerror}") from error
    try:
        if child.stdout.readline().strip() != b"ready":
            raise CannotRun("the worker process ended before it was ready")
        yield
    finally:
        child.kill()
        child.communicate()


def holds_everything(then: Callable[[tf.data.Dataset], tf.data.Dataset]) -> Finding:
    """Counts how many of 64 yielded arrays are alive at once while the data set is read."""
    alive, most = 0, 0

    def gone() -> None:
        nonlocal alive
        alive -= 1

    def generator() -> Iterator[np.ndarray]:
        nonlocal alive, most
        for _ in range(64):
            array = aligned(KB_40)  # aligned, so that the tensor keeps the array itself
            weakref.finalize(array, gone)
            alive += 1
            most = max(most, alive)
            yield array

    for _ in then(generated(generator, KB_40)):
        pass
    return Finding(most > 32, f"at most {most} of 64 rows were in memory at once")


def _as_it_is(dataset: tf.data.Dataset) -> tf.data.Dataset:
    return dataset


def _cached(dataset: tf.data.Dataset) -> tf.data.Dataset:
    return dataset.cache()


CLAIMS = (
    Claim(
        id="interleave-parallelises-generators",
        statement="A parallel interleave runs several generators side by side.",
        source="TensorFlow guide",
        detail="Better performance with the tf.data API, Parallelizing data extraction",
        notebook=NOTEBOOK,
        conditions=(
            Timed("for generators that sleep", own(interleaved, sleep), at_least(GAIN)),
            Timed("for work that frees the GIL", own(interleaved, hypot), at_least(GAIN)),
            Timed("for work that holds the GIL", own(interleaved, compute), at_least(GAIN)),
        ),
        supports="Two generators of half the rows are 1.3× as fast as one of all.",
        refutes="They take turns.",
        varies="whether the generators leave the GIL, and whether there are cores for them",
    ),
    Claim(
        id="service-takes-generators",
        statement="The tf.data service distributes a from_generator pipeline over machines.",
        source="article",
        detail='"useful … where your source data is distributed across different machines"',
        notebook=NOTEBOOK,
        conditions=(
            Checked("for a worker of the same process", works_in_this_process),
            Checked("for a worker of another process", works_in_another_process),
        ),
        supports="All elements arrive.",
        refutes="The worker does not have the generator: a Python function cannot be sent to it.",
        varies="where the worker runs",
    ),
    Claim(
        id="service-is-faster",
        statement="Two workers of the tf.data service read generators faster than one reader.",
        source="article",
        detail='"look at using … tf.data.experimental.service"',
        notebook=NOTEBOOK,
        conditions=(
            Timed("for generators that sleep", partial(served, sleep), at_least(GAIN)),
            Timed("for work that holds the GIL", partial(served, compute), at_least(GAIN)),
        ),
        supports="Two workers of this process are 1.3× as fast as reading directly.",
        refutes="They share one GIL, and take turns.",
        varies="whether the generators leave the GIL",
    ),
    Claim(
        id="large-data-need-the-service",
        statement="Data larger than one machine's memory need the tf.data service.",
        source="article",
        detail='"data that is too large to fit into the memory of a single machine"',
        notebook=NOTEBOOK,
        conditions=(
            Checked("for data that are read once", partial(holds_everything, _as_it_is)),
            Checked("for data that are cached in memory", partial(holds_everything, _cached)),
        ),
        supports="More than half of the rows are in memory at once.",
        refutes="A few rows are in memory at a time, however many there are.",
        varies="whether anything keeps the rows",
    ),
)
