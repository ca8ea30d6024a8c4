"""Sources behind a handle that must not cross into another process: an HDF5 file, a connection."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any


class Opened:
    """A source that each process opens for itself, when it reads the first item.

    `Opened(lambda: h5py.File(path)["images"])` can be sent to workers; the data set itself cannot.

    Args:
        open_source: Called without arguments; returns something with a length and items.
    """

    def __init__(self, open_source: Callable[[], Any]):
        self._open = open_source
        self._opened: tuple[int, Any] | None = None  # by which process, and what

    @property
    def opened(self) -> Any:
        """What this process has opened."""
        opened = self._opened
        if opened is None or opened[0] != os.getpid():  # a fork shares the file, and its place
            self._opened = opened = os.getpid(), self._open()
        return opened[1]

    @property
    def chunks(self) -> Any:
        """How the file is cut, if the source says so."""
        return self.opened.chunks

    def __len__(self) -> int:
        """Length of the source."""
        return len(self.opened)

    def __getitem__(self, index: Any) -> Any:
        """Gives what the source gives."""
        return self.opened[index]

    def __getstate__(self) -> dict:
        """Leaves out what was opened here."""
        return {**self.__dict__, "_opened": None}
