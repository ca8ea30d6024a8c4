"""What an arm needs and builds once in each process that measures it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Once:
    """Builds something when it is first called, and gives the same from then on.

    A comparison that several processes share sends them its arms. A data set, or an array whose
    place in memory matters, cannot travel; what makes it can.
    """

    def __init__(self, build: Callable[[], Any]) -> None:
        """Builds nothing yet.

        Args:
            build: Called once in each process.
        """
        self._build = build
        self._built: list[Any] = []

    def __call__(self) -> Any:
        """Returns what was built, in the first call of a process after building it."""
        if not self._built:
            self._built.append(self._build())
        return self._built[0]

    def __reduce__(self) -> tuple[type, tuple]:
        """Travels without what was built."""
        return Once, (self._build,)
