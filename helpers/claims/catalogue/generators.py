"""What the generator itself does: the article's first example, and lean generators."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from helpers.measure import Arm
from helpers.quiet import tf

from ..arms import (
    CLEAR,
    Then,
    behind_device,
    generated,
    generator_arm,
    options,
    own,
    rows_taken,
    side_by_side,
    taking,
)
from ..claim import Checked, Claim, Finding, Timed
from ..expectation import GAIN, about, at_least, at_most
from ..rows import B_4, KB_40, KB_600, Work, after, compute, sleep, spin, stored

NOTEBOOK = "02-inefficient-generator"

SLEEP = {
    "without the sleep": {"work": "random"},
    "with the sleep": {"work": "sleep+random", "work_us": 10},
}
NUMBER = tf.TensorSpec((), tf.int64)


def pausing(waits: dict[str, Work], us: float, take: int) -> tuple[Arm, Arm]:
    """Plain loops, without TensorFlow, that do something of a given length each time.

    Args:
        waits: Name and function of the baseline, then of the arm; a function takes microseconds.
        us: The length.
        take: Turns.
    """

    def turns(wait: Work) -> Iterator[int]:
        for turn in range(rows_taken(take)):
            wait(us)
            yield turn

    baseline, arm = (Arm(name, partial(turns, wait)) for name, wait in waits.items())
    return baseline, arm


def working(sources: int, take: int = 40) -> tuple[Arm, Arm]:
    """Generators that sleep or compute for 2 ms before each row, so many side by side."""
    count = rows_taken(take) // sources
    rows = stored(KB_40, count)

    def build(wait: Work) -> tf.data.Dataset:
        generator = after(wait, 2000, rows)
        if sources == 1:
            return generated(generator, KB_40)
        return side_by_side(generator, KB_40, sources)

    return (
        Arm("2 ms of sleep", partial(build, sleep)),
        Arm("2 ms of Python", partial(build, compute)),
    )


def new_rows(
    shape: tuple[int, ...],
    then: Then = None,
    consume: Callable | None = None,
    take: int = 100,
) -> tuple[Arm, Arm]:
    """Rows made anew: in float64 and converted, as in the article, or in float32 at once."""
    count = rows_taken(take)
    rng = np.random.default_rng(0)

    def converted() -> Iterator[np.ndarray]:
        for _ in range(count):
            yield np.random.rand(*shape).astype(np.float32)

    def direct() -> Iterator[np.ndarray]:
        for _ in range(count):
            yield rng.random(shape, dtype=np.float32)

    return (
        generator_arm("rand().astype(float32)", converted, shape, then, consume=consume),
        generator_arm("random(dtype=float32)", direct, shape, then, consume=consume),
    )


class Source:
    """An iterator class over two inner iterators; the second is shorter than it believes."""

    def __init__(self) -> None:
        """Opens the inner iterators."""
        self._outer = iter(range(6))
        self._inner = iter(range(2))

    def __iter__(self) -> Source:
        """Returns itself, as iterators do."""
        return self

    def __next__(self) -> np.int64:
        """Returns the next of six; from the third on the inner iterator is spent."""
        next(self._outer)
        return np.int64(next(self._inner))  # its StopIteration gets out


def source_function() -> Iterator[np.int64]:
    """The same in a generator function."""
    inner = iter(range(2))
    for _ in range(6):
        yield np.int64(next(inner))


def reports_the_accident(source) -> Finding:
    """Reads a source whose third of six elements fails on a spent inner iterator."""
    dataset = generated(source, NUMBER)
    try:
        count = len(list(dataset))
    except tf.errors.OpError as error:
        return Finding(True, f"{type(error).__name__} is raised")
    return Finding(False, f"{count} of 6 elements come, and no error")


def fresh() -> Iterator[np.int64]:
    """Six numbers."""
    for number in range(6):
        yield np.int64(number)


def second_epoch(source) -> Finding:
    """Counts what the second of two epochs yields; six are meant."""
    dataset = generated(source, NUMBER)
    first, second = len(list(dataset)), len(list(dataset))
    return Finding(second == 6, f"{first} elements in the first epoch, {second} in the second")


def same_object_twice() -> Finding:
    """Gives from_generator a function that returns one generator object again and again."""
    spent = fresh()
    return second_epoch(lambda: spent)


CLAIMS = (
    Claim(
        id="sleep-slows-the-pipeline",
        statement="A sleep of 10 µs for each row makes the pipeline significantly slower.",
        source="article",
        detail='example 1: "significantly slower because of that time.sleep call"',
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "behind an idle consumer",
                options(SLEEP),
                at_most(0.93),
                precision=0.06,
                budget_s=14.0,
            ),
            Timed(
                "behind a device that takes 4 ms for each row",
                options(SLEEP, **behind_device(4000, take=28)),
                at_most(0.93),
            ),
        ),
        supports="With the sleep the pipeline has 0.93× the speed or less.",
        refutes="The consumer does not notice the sleep.",
        varies="how long the consumer takes for a row",
    ),
    Claim(
        id="small-pause-costs-its-length",
        statement="time.sleep costs the time that it is told, so a small one is a small pause.",
        source="article",
        detail='example 1: "even though that\'s a small pause"',
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "for a pause of 10 µs",
                own(pausing, {"10 µs on the clock": spin, "sleep of 10 µs": sleep}, 10, 200),
                at_least(0.8),
                **CLEAR,
            ),
            Timed(
                "for a pause of 2 ms",
                own(pausing, {"2 ms on the clock": spin, "sleep of 2 ms": sleep}, 2000, 40),
                at_least(0.8),
                **CLEAR,
            ),
        ),
        supports="A loop that sleeps has 0.8× the speed of one that watches the clock, or more.",
        refutes="A sleep takes far longer than it is told: the timer wakes late.",
        varies="the length of the pause: what the timer adds is always the same",
    ),
    Claim(
        id="sleep-stands-for-work",
        statement="A sleep in the generator shows what a transformation in Python would cost.",
        source="article",
        detail='example 1: "emulates a scenario where you may be performing data transformation"',
        notebook=NOTEBOOK,
        conditions=(
            Timed("for one generator", own(working, 1), about(1.4)),
            Timed("for four generators side by side", own(working, 4), about(1.4)),
        ),
        supports="Rows that take 2 ms of either come at the same speed, to within 1.4×.",
        refutes="A sleep leaves core and GIL to others, and Python work keeps both.",
        varies="whether something else wants the core or the GIL meanwhile",
    ),
    Claim(
        id="lean-generator",
        statement="A generator without needless computation makes the pipeline faster.",
        source="article",
        detail='"Generator Optimization: … as streamlined as possible"',
        notebook=NOTEBOOK,
        conditions=(
            Timed("for rows of 600 KB", own(new_rows, KB_600, take=40), at_least(GAIN)),
            Timed("for rows of 4 B", own(new_rows, B_4, take=200), at_least(GAIN)),
            Timed(
                "behind a device that takes 4 ms for each row of 600 KB",
                own(
                    new_rows,
                    KB_600,
                    lambda dataset: dataset.prefetch(4),
                    taking(sleep, 4000),
                    take=28,
                ),
                at_least(GAIN),
            ),
        ),
        supports="Rows made in float32 at once come 1.3× as fast as rows converted from float64.",
        refutes="What is saved is small beside the crossing, or hidden behind the consumer.",
        varies="how much is saved, and whether anybody waits for it",
    ),
    Claim(
        id="accident-raises",
        statement="A StopIteration by accident in the source is reported as an error.",
        source="ourselves",
        detail="traps in generators",
        notebook=NOTEBOOK,
        conditions=(
            Checked("in a generator function", partial(reports_the_accident, source_function)),
            Checked("in an iterator class", partial(reports_the_accident, Source)),
        ),
        supports="Reading the data set raises.",
        refutes="The data set ends early, as if the data were over.",
        varies="how the source is written: only generator functions turn it into an error",
    ),
    Claim(
        id="every-epoch-starts-anew",
        statement="Each epoch of a from_generator data set reads all the data again.",
        source="ourselves",
        detail="traps in generators",
        notebook=NOTEBOOK,
        conditions=(
            Checked("for a generator function", partial(second_epoch, fresh)),
            Checked("for a function that returns one generator object", same_object_twice),
        ),
        supports="The second epoch has as many elements as the first.",
        refutes="The second epoch is empty.",
        varies="whether the callable makes a new iterator each time",
    ),
)
