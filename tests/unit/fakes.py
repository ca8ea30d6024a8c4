"""A machine whose clock only moves when an arm works, at a speed that may drift."""

from __future__ import annotations

import math
import random

from helpers.measure import Arm


class FakeMachine:
    """A clock in nanoseconds, and arms that spend it."""

    def __init__(self, drift: float = 0.0, noise: float = 0.0, seed: int = 0) -> None:
        self.now = 0
        self.drift, self.noise = drift, noise
        self.random = random.Random(seed)
        self.log_speed = 0.0

    def clock(self) -> int:
        return self.now

    def spend(self, ns: float) -> None:
        """Lets time pass; the speed wanders within the 1.7× that shared machines show."""
        step = self.random.gauss(0, self.drift) if self.drift else 0.0
        self.log_speed = max(-0.27, min(0.27, self.log_speed + step))
        jitter = self.random.gauss(0, self.noise) if self.noise else 0.0
        self.now += round(ns * math.exp(self.log_speed + jitter))

    def arm(
        self,
        name: str,
        per_element: float,
        *,
        elements: int = 5,
        build: float = 0,
        open_: float = 0,
        step: float | None = None,
        examples: int = 1,
        **options: object,
    ) -> Arm:
        """An arm that costs what it is told: all arguments in nanoseconds."""

        def make():
            self.spend(build)

            def run():
                self.spend(open_)
                for index in range(elements):
                    self.spend(per_element)
                    yield [index] * examples

            return run()

        consume = None if step is None else (lambda element: self.spend(step))
        return Arm(name, make, examples=len, consume=consume, **options)
