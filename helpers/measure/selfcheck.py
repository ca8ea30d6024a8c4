"""Whether this machine, with this protocol, tells a real difference from none."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from .machine import Machine, this_machine
from .measurement import Measurement, together
from .processes import Processes
from .results import record
from .settings import Settings
from .statistics import percent
from .timing import Arm, compare

SLOWDOWN = 0.05
"""The planted delay, as a share of the arm's own time."""

MOST_FALSE = 0.05
"""Share of comparisons of an arm with itself that may be called different."""

LEAST_FOUND = 0.90
"""Share of planted delays that must be found."""

PRECISION = 0.012
"""The half-width asked of the intervals: those of the arm and of the noise must leave room."""

HEADS = ("", "must be", "rounds and intervals", "one pass each, as the article times")
"""What stands above the columns of `SelfCheck.rows`."""


@record
@dataclass(frozen=True)
class SelfCheck:
    """How often the protocol, and one pass each, were right on this machine.

    Attributes:
        machine: What ran it.
        repeats: Comparisons of either kind.
        false_protocol: Comparisons of an arm with itself that the protocol called different.
        false_single: The same, judged by one pass of each.
        found_protocol: Planted delays that the protocol found.
        found_single: Planted delays that one pass of each showed.
        slowdown: The planted delay, as a share of the arm's own time.
        processes: How many processes took part in each comparison.
        least: The least delay, as a share, that would have been found in half of the comparisons.
    """

    machine: Machine
    repeats: int
    false_protocol: int
    false_single: int
    found_protocol: int
    found_single: int
    slowdown: float = 0.10
    processes: int = 1
    least: float | None = None

    @property
    def noticed(self) -> float:
        """Difference at which a reader of two single passes would call one of them faster."""
        return self.slowdown / 2

    @property
    def passed(self) -> bool:
        """Whether the protocol kept both rates."""
        return (
            self.false_protocol <= MOST_FALSE * self.repeats
            and self.found_protocol >= LEAST_FOUND * self.repeats
        )

    def rows(self) -> list[tuple[str, str, str, str]]:
        """The table: what was tried, what must be, the protocol, one pass each."""

        def share(count: int) -> str:
            return f"{count} of {self.repeats} ({percent(count / self.repeats)})"

        rows = [
            (
                "an arm against itself, called different",
                f"at most {percent(MOST_FALSE)}",
                share(self.false_protocol),
                share(self.false_single),
            ),
            (
                f"a planted delay of {percent(self.slowdown)}, found",
                f"at least {percent(LEAST_FOUND)}",
                share(self.found_protocol),
                share(self.found_single),
            ),
        ]
        if self.least is not None:
            rows.append(("the least delay that is found", "", f"{100 * self.least:.1f}\u00a0%", ""))
        return rows

    def __str__(self) -> str:
        lines = []
        for what, wanted, protocol, single in self.rows():
            said = f"{wanted}; rounds and intervals {protocol}; one pass each {single}"
            lines.append(f"{what}: {said if wanted else protocol}")
        return "\n".join([*lines, self.machine.line])

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{cell}</th>" for cell in HEADS)
        body = "".join(
            "<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in self.rows()
        )
        return f"<table><tr>{head}</tr>{body}</table><p><small>{self.machine.line}</small></p>"


def selfcheck(
    repeats: int = 40,
    *,
    budget_s: float = 12.0,
    on_progress: Callable[[int, int], None] | None = None,
    clock: Callable[[], int] = time.perf_counter_ns,
    arm: Arm | None = None,
    processes: Processes | None = None,
) -> SelfCheck:
    """Compares an arm with itself and with itself slowed down, again and again.

    The arm is plain Python, so that what is judged is the protocol on this machine. A pipeline of
    TensorFlow's threads varies more from pass to pass, needs more rounds, and says so.

    Args:
        repeats: Comparisons; each holds the arm, the same arm again, and the arm with a delay.
        budget_s: Seconds that one comparison may take.
        on_progress: Called with the comparisons done and their number.
        clock: Returns nanoseconds.
        arm: What to slow down; 40 elements of some 0.1 ms of Python each unless given.
        processes: Where each comparison is made, as for what is published; here unless given.

    Raises:
        ValueError: If there are no repeats.
    """
    if repeats < 1:
        raise ValueError(f"repeats must be 1 or more, not {repeats}.")
    arm = arm or Arm("arm", _elements)
    delay = _delay_ns(arm, clock)
    arms = [
        replace(arm, name="arm"),
        replace(arm, name="same"),
        replace(arm, name="delayed", consume=partial(_wait, delay, clock)),
    ]
    counts = dict.fromkeys(("false_protocol", "false_single", "found_protocol", "found_single"), 0)
    least = []
    for repeat in range(repeats):
        settings = Settings(seed=repeat, budget_s=budget_s, precision=PRECISION, max_rounds=400)
        if processes is None:
            measured = compare(arms, settings=settings, clock=clock)
        else:
            measured = together(processes.each(compare, arms, settings=settings), settings)
        counts["false_protocol"] += measured.verdict("same").kind in ("faster", "slower")
        counts["found_protocol"] += measured.verdict("delayed").kind == "slower"
        counts["false_single"] += abs(_single_pass(measured, "same")) > SLOWDOWN / 2
        counts["found_single"] += _single_pass(measured, "delayed") > SLOWDOWN / 2
        ratio, floor = measured.ratio("delayed"), measured.floor()
        least.append((1 + ratio.precision) * (1 + floor.precision) - 1)
        if on_progress is not None:
            on_progress(repeat + 1, repeats)
    return SelfCheck(
        machine=this_machine(), repeats=repeats, **counts, slowdown=SLOWDOWN,
        processes=1 if processes is None else processes.count, least=statistics.median(least),
    )  # fmt: skip


def _elements() -> Iterator[int]:
    for _ in range(40):
        yield sum(range(6000))


def _delay_ns(arm: Arm, clock: Callable[[], int]) -> float:
    """The planted delay an element: a share of the arm's own steady time, measured beforehand."""
    settings = Settings(min_rounds=10, max_rounds=10)
    return SLOWDOWN * compare([arm], settings=settings, clock=clock).ns_per_example(arm.name)


def _wait(ns: float, clock: Callable[[], int], element: int) -> None:
    """Keeps the core busy: a sleep would take far longer than it is told."""
    end = clock() + ns
    while clock() < end:
        pass


def _single_pass(measured: Measurement, name: str) -> float:
    """How much slower an arm looked than the baseline in the first counted round alone."""
    first, other = (measured.trials_of(arm)[0].single_pass_ns for arm in ("arm", name))
    return other / first - 1
