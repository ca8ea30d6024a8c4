"""A data set of an HDF5 file as a source, whose errors say which file they come from."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helpers.sources.opened import Opened


class Stored(Opened):
    """A data set of an HDF5 file, which each process opens for itself.

    Args:
        path: The file.
        name: Name of the data set in it.
    """

    def __init__(self, path: str | os.PathLike, name: str):
        self._path, self._name = Path(path).absolute(), name
        super().__init__(self._open_file)

    def _open_file(self) -> Any:
        import h5py

        if not self._path.is_file():
            raise FileNotFoundError(f"there is no file {self._path}")
        with self._told():
            file = h5py.File(self._path)
        if self._name not in file:
            raise ValueError(
                f"{self._path}: there is no data set {self._name!r}; there are {', '.join(file)}"
            )
        return file[self._name]

    def __getitem__(self, index: Any) -> Any:
        """Gives what the data set gives."""
        stored = self.opened
        with self._told():
            return stored[index]

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        """HDF5 says what is wrong, and not with which file."""
        try:
            yield
        except OSError as error:
            raise OSError(f"{self._path}: {error}") from error
