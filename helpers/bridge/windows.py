"""Shuffled rows of a file that is stored in chunks, each chunk read once for many rows.

A row of a compressed HDF5 data set costs its whole chunk. So rows are read ahead, a window of the
epoch's order at a time, in the order in which they lie in the file, and put where they belong. The
order itself does not change: it is as uniform as if each row were read by itself.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from helpers.bridge.chunks import Chunks, Plan
from helpers.bridge.errors import GeneratorError, MismatchError
from helpers.bridge.slices import Slices
from helpers.bridge.structure import Component, leaves_of
from helpers.bridge.together import Together

WINDOW_BYTES = 64 << 20  # rows read ahead: each chunk is read once for so many bytes of rows
GROWTH = (
    16  # a window against the one before, so that the first batch does not wait for a whole one
)
PIECE_BYTES = 1 << 20  # how much of neighbouring chunks is read at a time
CONTIGUOUS_BYTES = 64 << 10  # what is taken for a chunk in a file that has none
TEXT_BYTES = 128  # what a text is taken for


def has_chunks(source: Any) -> bool:
    """Whether a source says how its file is cut: `chunks`, as h5py and Zarr have it.

    That is the shape of a chunk, its rows first, or None where the rows lie side by side. Arrays
    may stand beside such a source.
    """
    parts = _parts(source)
    return any(map(_is_chunked, parts)) and all(
        _is_chunked(part) or isinstance(part, np.ndarray) for part in parts
    )


def _parts(source: Any) -> list[Any]:
    parts = source.parts if isinstance(source, Together) else source
    return [part for _, part in leaves_of(parts)]


def _is_chunked(part: Any) -> bool:
    chunks = getattr(part, "chunks", ())
    return chunks is None or (
        isinstance(chunks, Sequence) and len(chunks) > 0 and isinstance(chunks[0], int)
    )


class Shuffled:
    """The slices of a source in another order.

    Args:
      source: A source that gives slices and `has_chunks`.
      order: Where the rows stand in the source.
      plan: What a row is made of, and how many make a batch.
    """

    def __init__(self, source: Any, order: np.ndarray, plan: Plan):
        self._parts = _parts(source)
        self._order = order
        self._layout = plan.layout
        self._row_bytes = max(1, sum(map(_bytes, plan.layout.components)))
        self._most = max(1, WINDOW_BYTES // self._row_bytes)
        self._rows = self._least = plan.batch_size  # of the next window
        self._start = self._end = 0  # of the window that is held
        self._window: list[np.ndarray] = []

    def __getitem__(self, rows: slice) -> Any:
        """Gives the rows of a slice, a structure of arrays that stay good until the next one."""
        start, stop = rows.start, rows.stop
        if not self._start <= start < self._end:
            self._read(start, stop)
        held = self._held(start, stop)
        if stop > self._end:
            begun = [array.copy() for array in held]
            self._read(self._end, stop)
            rest = self._held(self._start, stop)
            held = [np.concatenate(parts) for parts in zip(begun, rest, strict=True)]
        return self._layout.pack(held)

    def _held(self, start: int, stop: int) -> list[np.ndarray]:
        held = slice(start - self._start, min(stop, self._end) - self._start)
        return [array[held] for array in self._window]

    def _read(self, start: int, stop: int) -> None:
        places = self._order[start : start + max(min(self._rows, self._most), stop - start)]
        count = len(places)
        if not self._window or len(self._window[0]) < count:
            self._window = []  # there is never more than one
            self._window = [np.empty((count, *c.shape), c.dtype) for c in self._layout.components]
        self._start = self._end = 0
        self._rows = self._least  # if it fails
        ranks = np.argsort(places)
        windows = iter(self._window)
        for part in self._parts:
            _gather(part, places[ranks], ranks, windows, self._row_bytes)
        self._start, self._end = start, start + count
        self._rows = GROWTH * count


def _bytes(component: Component) -> int:
    size = TEXT_BYTES if component.is_text else component.dtype.itemsize
    return size * math.prod(component.shape)


def _gather(
    part: Any, rows: np.ndarray, places: np.ndarray, windows: Iterator, row_bytes: int
) -> None:
    """Reads rows of one part of a source.

    Args:
      part: The part.
      rows: Numbers of the rows, ascending.
      places: Where in the window each of them belongs.
      windows: Gives the window of each component; those of this part are taken.
      row_bytes: Bytes of a row.
    """
    targets = None
    for begin, end in _pieces(part, rows, row_bytes):
        low, high = int(rows[begin]), int(rows[end - 1]) + 1
        picked = rows[begin:end] - low
        arrays = [array for _, array in leaves_of(part[low:high])]
        if targets is None:
            targets = [next(windows) for _ in arrays]
        for target, array in zip(targets, arrays, strict=True):
            if np.shape(array) != (high - low, *target.shape[1:]):
                raise ValueError(
                    f"rows {low} to {high - 1} of the source have shape {np.shape(array)}"
                )
            target[places[begin:end]] = array[picked]


def _pieces(part: Any, rows: np.ndarray, row_bytes: int) -> Iterator[tuple[int, int]]:
    """Cuts rows into what is read at a time: rows of neighbouring chunks, and not too many."""
    if isinstance(part, np.ndarray):
        return iter([(0, len(rows))])
    chunk_rows = part.chunks[0] if part.chunks else -(-CONTIGUOUS_BYTES // row_bytes)
    together = max(1, PIECE_BYTES // (chunk_rows * row_bytes))
    chunks = rows // chunk_rows
    cuts = (np.diff(chunks) > 1) | (np.diff(chunks // together) > 0)
    return itertools.pairwise([0, *(np.flatnonzero(cuts) + 1).tolist(), len(rows)])


class Windowed:
    """Iterator over chunks of shuffled rows, read along the chunks of a file.

    Where that fails, a batch is read row by row: what arrives then, and what messages say, is what
    it would be without windows.

    Args:
      open_slices: Opens what reads windows, at a row of the epoch.
      open_items: Opens what reads row by row.
      first: Number of the row with which to begin.
    """

    def __init__(
        self, open_slices: Callable[[int], Slices], open_items: Callable[[int], Chunks], first: int
    ):
        self._slices = open_slices(first)
        self._open_items = open_items
        self._items: Chunks | None = None
        self._until = first  # where the reading row by row ends

    @property
    def resumes_at(self) -> int:
        """Number of the row with which the next chunk begins."""
        return (self._slices if self._items is None else self._items).resumes_at

    def __iter__(self) -> Windowed:
        """Returns itself."""
        return self

    def __next__(self) -> list:
        """Reads the next chunk."""
        if self._items is None:
            start = self._slices.resumes_at
            try:
                return next(self._slices)
            except (GeneratorError, MismatchError):
                self._items, self._until = self._open_items(start), self._slices.resumes_at
        try:
            return next(self._items)
        finally:
            if self._items.resumes_at >= self._until:
                self._slices.resumes_at, self._items = self._items.resumes_at, None
