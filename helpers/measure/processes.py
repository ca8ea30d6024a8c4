"""One comparison in several fresh processes, one after the other, each with its share of the time.

What is published comes from several: chance gives each process other places in memory and other
hashes, so that one alone cannot tell how far the next one would be from it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from .isolation import Child
from .lending import borrow, lent
from .settings import Settings
from .timing import Flag

PROCESSES = 4
"""How many take part. More would narrow the intervals further, and each costs a start and a round
that warms it up; with fewer, the difference between processes is hardly known."""


class Processes:
    """Fresh processes that serve one comparison after the other; all end with this one."""

    def __init__(self, count: int = PROCESSES) -> None:
        """Prepares them; they start when they are first needed.

        Args:
            count: How many, 2 or more.
        """
        self.count = count
        self._children: list[Child] = []

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def each(
        self,
        function: Callable[..., Any],
        *args: Any,
        settings: Settings,
        on_progress: Callable[..., None] | None = None,
        cancelled: Flag | None = None,
        **kwargs: Any,
    ) -> list[Any]:
        """Calls a function that compares arms in each of the processes in turn.

        Args:
            function: Called as `compare` may be: with `settings`, its share of them; with `done`,
                the rounds of the processes before it; and with `on_progress`.
            *args: Its arguments; they travel by cloudpickle.
            settings: What is asked of all processes together.
            on_progress: Called with the number of processes that are done, and with what the one
                under way reports.
            cancelled: As for `Child.call`.
            **kwargs: More of its arguments.

        Returns:
            What each returned.

        Raises:
            Exception: As `Child.call`.
        """
        share = settings.share(self.count)
        self._start(function, args, kwargs)
        found = []
        for place, child in enumerate(self._children):

            def tell(*progress: Any, place: int = place) -> None:
                if on_progress is not None:
                    on_progress(place, *progress)

            found.append(
                child.call(
                    function, *args, settings=share, done=place * share.min_rounds,
                    on_progress=tell, cancelled=cancelled, **kwargs,
                )
            )  # fmt: skip
        return found

    def _start(self, *call: Any) -> None:
        """Starts those that are missing; side by side they import what the call needs."""
        alive = [child for child in self._children if child.alive]
        new = [borrow(place) for place in range(self.count - len(alive))]
        self._children = alive + new
        with ThreadPoolExecutor(self.count) as threads:
            for _ in threads.map(lambda child: child.call(_import, *call), new):
                pass

    @contextlib.contextmanager
    def lent(self) -> Iterator[None]:
        """Lends the processes to a program that is started within, as a notebook is."""
        self._start()
        with lent(self._children):
            yield

    def end(self) -> None:
        """Ends the processes; the next call would start others."""
        for child in self._children:
            child.end()
        self._children = []


def _import(*call: Any, on_progress: Callable[..., None]) -> None:
    """Does nothing: what the call needs was imported when it was unpacked."""
