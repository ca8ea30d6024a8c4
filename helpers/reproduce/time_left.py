"""How long the rest of a run should take, from how long its steps took before."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping


class TimeLeft:
    """Estimates as the steps go by.

    The steps that are done tell how this machine compares with what was expected.
    """

    def __init__(
        self, expected: Mapping[str, float], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Prepares for steps that are all still to do.

        Args:
            expected: Seconds that each step should take, by its name.
            clock: Returns seconds.
        """
        self._expected = dict(expected)
        self._took: dict[str, float] = {}
        self._now: tuple[str, float] | None = None
        self._clock = clock

    def begin(self, step: str) -> None:
        """Notes that a step begins now."""
        self._now = step, self._clock()

    def end(self) -> None:
        """Notes that the step that began last is over."""
        step, began = self._now
        self._took[step] = self._clock() - began
        self._now = None

    @property
    def seconds(self) -> float:
        """What is left, the step under way included."""
        took = list(self._took.items())  # at once: another thread adds to it
        expected = sum(self._expected[step] for step, _ in took)
        pace = sum(seconds for _, seconds in took) / expected if expected else 1.0
        running, began = self._now or (None, 0.0)
        done = {step for step, _ in took}
        rest = sum(
            seconds
            for step, seconds in self._expected.items()
            if step not in done and step != running
        )
        left = rest * pace
        if running is not None:
            left += max(0.0, self._expected[running] * pace - (self._clock() - began))
        return left

    def __str__(self) -> str:
        seconds = self.seconds
        if seconds > 90:
            return f"about {seconds / 60:.0f} min left"
        return f"about {max(5, 5 * round(seconds / 5))} s left"
