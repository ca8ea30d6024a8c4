"""A word about epochs that begin where another one ended."""

from __future__ import annotations

import contextlib
import warnings
import weakref
from collections.abc import Iterator

_ADVICE = "; each epoch calls the generator function anew, which has to return a new iterator"


class Watch:
    """Watches the epochs of a generator, and warns of iterators that are used twice."""

    def __init__(self) -> None:
        self._had_rows = False
        self._last: weakref.ref | None = None

    def opened(self, rows: Iterator) -> None:
        """Warns if an epoch reads the iterator of the one before."""
        if self._last is not None and self._last() is rows:
            warnings.warn(
                "the generator function returned the same iterator as in the epoch before, which "
                f"goes on where that one was left{_ADVICE}",
                stacklevel=2,
            )
        self._last = None
        with contextlib.suppress(TypeError):  # some iterators cannot be referred to weakly
            self._last = weakref.ref(rows)

    def ended(self, has_rows: bool) -> None:
        """Warns if an epoch had no rows, and an earlier one had some."""
        if self._had_rows and not has_rows:
            warnings.warn(
                f"an epoch has no rows, and one before it had some{_ADVICE}", stacklevel=2
            )
        self._had_rows |= has_rows
