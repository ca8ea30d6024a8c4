"""Sources read as a function of the epoch's seed and of a row's place in the epoch."""

from __future__ import annotations

import collections
import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from helpers.bridge import errors
from helpers.bridge.errors import GeneratorError, MismatchError, WorkerError

MOST_READERS = 4  # that go on where they are, when a data set has several iterators at once
REMEMBERED = 16  # places of readers that were given up

_ERRORS = (GeneratorError, MismatchError, WorkerError)
_KINDS = (RuntimeError, *errors.KINDS)


class Reader(Protocol):
    """An iterator over chunks that knows with which row it would go on."""

    resumes_at: int

    def __next__(self) -> list: ...


class Reading:
    """Reads chunks of a source at any row of any epoch.

    What is read is a function of the epoch's seed and of the row, so nothing depends on who reads.
    A reader that has just given the chunk before a row goes on there; another one would first have
    to find the place, or start worker processes.

    Args:
      open_at: Opens a reader, given a seed and the number of the row to begin with.
      nothing: The components of a chunk without rows, for the end and for errors.
    """

    END, CHUNK = 0, 1  # from CHUNK + 1 on: errors

    def __init__(self, open_at: Callable[[int, int], Reader], nothing: Sequence[np.ndarray]):
        self._open_at = open_at
        self._nothing = nothing
        self._lock = threading.Lock()
        self._readers: collections.OrderedDict[tuple[int, int], Reader] = collections.OrderedDict()
        # An iterator that is gone does not say so. Only one reader is kept, until a place that
        # was given up is asked for after all: there are iterators that live at the same time.
        self._most = 1
        self._given_up: collections.deque[tuple[int, int]] = collections.deque(maxlen=REMEMBERED)

    def read(self, seed: int, row: int) -> list[Any]:
        """Reads a chunk.

        Args:
          seed: Seed of the epoch.
          row: Number of the row in the epoch.

        Returns:
          The components of the chunk, flat; the number of the row after it; END, CHUNK or the
          state of an error; the text of the error.
        """
        reader = self._take(seed, row)
        try:
            parts = next(reader)
        except StopIteration:
            return [*self._nothing, np.int64(row), np.int64(self.END), b""]
        except (GeneratorError, MismatchError, WorkerError) as error:
            if not isinstance(error, WorkerError):
                self._keep(seed, reader)
            row = max(row + 1, reader.resumes_at)
            return [*self._nothing, np.int64(row), np.int64(_state(error)), str(error).encode()]
        self._keep(seed, reader)
        flat = [array for part in parts for array in (part if isinstance(part, tuple) else (part,))]
        return [*flat, np.int64(reader.resumes_at), np.int64(self.CHUNK), b""]

    @staticmethod
    def error(state: int, text: str) -> Exception:
        """Gives the error that a state stands for."""
        number, kind = divmod(state - Reading.CHUNK - 1, len(_KINDS))
        return errors.as_kind(_ERRORS[number], _KINDS[kind])(text)

    def _take(self, seed: int, row: int) -> Reader:
        place = seed, row
        with self._lock:
            reader = self._readers.pop(place, None)
            if reader is None and place in self._given_up:
                self._given_up.remove(place)
                self._most = min(self._most + 1, MOST_READERS)
            given_up = self._make_room(self._most - 1)
        for old in given_up:
            _close(old)
        return self._open_at(seed, row) if reader is None else reader

    def _keep(self, seed: int, reader: Reader) -> None:
        with self._lock:
            given_up = self._make_room(self._most - 1)
            self._readers[seed, reader.resumes_at] = reader
        for old in given_up:
            _close(old)

    def _make_room(self, left: int) -> list[Reader]:
        given_up = []
        while len(self._readers) > left:
            place, reader = self._readers.popitem(last=False)
            self._given_up.append(place)
            given_up.append(reader)
        return given_up


def _close(reader: Any) -> None:
    if hasattr(reader, "close"):
        reader.close()


def _state(error: Exception) -> int:
    number = next(index for index, kind in enumerate(_ERRORS) if isinstance(error, kind))
    kind = _KINDS.index(errors.kind_of(error))
    return Reading.CHUNK + 1 + number * len(_KINDS) + kind
