"""Where the values of one chunk gather, component by component.

Rows are copied as they come, because a generator may refill the array that it yielded; only values
that cannot change wait to be converted many at a time.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from helpers.bridge.buffers import Pool
from helpers.bridge.errors import MismatchError
from helpers.bridge.structure import Component, Leaves

# Values of these types cannot change after they were yielded, and converting many of them at a time
# gives what converting each would give. By the kind of the component's NumPy type.
_INTEGERS = frozenset((bool, int, np.bool_, *(np.dtype(code).type for code in "bBhHiIlLqQ")))
_REALS = _INTEGERS | {float, np.float16, np.float32, np.float64}
SAFE_TYPES = {
    "i": _INTEGERS,
    "u": _INTEGERS,
    "b": _REALS,
    "f": _REALS,
    "V": _REALS,  # bfloat16
    "c": _REALS | {complex, np.complex64, np.complex128},
    "O": frozenset((str, bytes)),
}


class NewShapeError(Exception):
    """A row that matches the signature has another shape than the rows before it in the chunk."""


class Column:
    """Gathers one component of the rows of a chunk.

    Args:
      component: The component.
      number: Its place among the components of a row.
      pool: Where its buffers come from.
    """

    def __init__(self, component: Component, number: int, pool: Pool):
        self.component = component
        self.number = number
        self._pool = pool

    def lease(self, shape: tuple[int, ...]) -> np.ndarray:
        """Lends an array of the component's type."""
        if self.component.is_text:  # TensorFlow always copies strings
            return np.empty(shape, object)
        return self._pool.lease(shape, self.component.dtype)

    def check(self, row: Any) -> None:
        """Raises MismatchError if a row of this one component does not match."""
        self.component.convert(row)

    def convert(self, rows: int) -> tuple[int, None]:
        """Does nothing: rows are converted as they come."""
        return rows, None


class DenseColumn(Column):
    """Copies rows of one shape straight into an aligned buffer."""

    def open(self, rows: int) -> None:
        """Begins a chunk of up to `rows` rows."""
        self.filled = 0
        self._rows = rows
        self._shape = self._buffer = None
        if self.component.is_fixed:
            self._take(self.component.shape)

    def _take(self, shape: tuple[int, ...]) -> None:
        self._shape = shape
        self._buffer = self.lease((self._rows, *shape))

    def put(self, index: int, value: Any) -> None:
        """Copies the value of row `index`.

        Raises:
          MismatchError: The value does not match the component.
          NewShapeError: It does, and has another shape than those before it.
        """
        if (
            type(value) is np.ndarray
            and value.shape == self._shape
            and value.dtype == self.component.dtype
        ):
            self._buffer[index] = value
            return
        array = self.component.convert(value)
        if self._shape is None:
            self._take(array.shape)
        elif array.shape != self._shape:
            raise NewShapeError(
                f"{self.component.name}: expected shape {self._shape}, like the batch's first row, "
                f"found shape {array.shape}; varying='pad' or varying='ragged' batches such rows"
            )
        self._buffer[index] = array

    def fill(self, rows: Iterable) -> None:
        """Copies more rows of this one component; `filled` says how many, after an error too."""
        index, value = self.filled, None
        buffer, shape, dtype, array_type = (
            self._buffer,
            self._shape,
            self.component.dtype,
            np.ndarray,
        )
        try:
            for value in rows:
                # The loop of `put` again: the call costs as much as copying a row of 1 KB. Types
                # are compared by value: what was pickled has an object of its own.
                if type(value) is array_type and value.shape == shape and value.dtype == dtype:
                    buffer[index] = value
                else:
                    self.put(index, value)
                    buffer, shape = self._buffer, self._shape
                index += 1
        except NewShapeError as error:
            error.row = value
            raise
        finally:
            self.filled = index

    def close(self, rows: int) -> np.ndarray:
        """Ends the chunk after its first `rows` rows and hands it over."""
        buffer, self._buffer = self._buffer, None  # nothing here may hold on to the lease
        return buffer if rows == self._rows else buffer[:rows]


class ScalarColumn(Column):
    """Collects values of shape (), and converts a chunk of them at a time."""

    def __init__(self, component: Component, number: int, pool: Pool):
        super().__init__(component, number, pool)
        self.safe = SAFE_TYPES[component.dtype.kind]
        if component.guessed and component.dtype.kind in "biu":
            # Numbers of Python that are out of range raise, those of NumPy would wrap around.
            python = {bool} if component.dtype.kind == "b" else {bool, int}
            self.safe = frozenset(
                kind
                for kind in self.safe
                if kind in python or np.can_cast(np.dtype(kind), component.dtype)
            )

    def settle(self, value: Any) -> Any:
        """Makes a value of any type (a list, an array of rank 0) one that cannot change.

        Raises:
          MismatchError: The value does not match the component.
        """
        return value if type(value) in self.safe else self.component.convert(value)[()]

    def open(self, rows: int) -> None:
        """Begins a chunk of up to `rows` rows."""
        self.filled = 0
        self._values: list = []

    def fill(self, rows: Iterable) -> None:
        """Collects more rows of this one component; `filled` says how many, after an error too."""
        values, safe = self._values, self.safe
        append = values.append
        try:
            for value in rows:
                append(value if type(value) in safe else self.settle(value))
        finally:
            self.filled = len(values)

    def convert(
        self, rows: int, values: Sequence | None = None
    ) -> tuple[int, MismatchError | None]:
        """Converts the first `rows` values.

        Args:
          rows: How many.
          values: The values; None for those that `fill` collected.

        Returns:
          How many of them are good, and what is wrong with the one after them.
        """
        values = (self._values if values is None else values)[:rows]
        self._array, self._values = self.lease((rows,)), []
        try:
            if self.component.is_text:
                _check_texts(values)
            self._array[:] = values
        except (OverflowError, TypeError, ValueError):  # out of range: one at a time
            for index, value in enumerate(values):
                try:
                    self._array[index] = self.component.convert(value)[()]
                except MismatchError as mismatch:
                    return index, mismatch
        return rows, None

    def close(self, rows: int) -> np.ndarray:
        """Ends the chunk after its first `rows` rows and hands it over."""
        array, self._array = self._array, None
        return array[:rows]


def _check_texts(values: Sequence[str | bytes]) -> None:
    """Raises UnicodeEncodeError if UTF-8 cannot hold all of the strings."""
    try:
        joined = "".join(values)
    except TypeError:  # bytes among them
        joined = "".join(value for value in values if type(value) is str)
    if not joined.isascii():
        joined.encode()


class ScalarColumns:
    """Collects the scalars of a row together.

    Args:
      columns: A column for each, one or more.
    """

    def __init__(self, columns: Sequence[ScalarColumn]):
        self.columns = columns
        self._get = operator.itemgetter(*(column.number for column in columns))
        self._known: set[tuple[type, ...]] = set()  # types of rows that need no conversion

    def open(self, rows: int) -> None:
        """Begins a chunk of up to `rows` rows."""
        # One list of them all: tuples that stay would make Python look for garbage again and again.
        self._gathered: list = []

    def put(self, leaves: Leaves) -> None:
        """Takes over the scalars of the next row.

        Raises:
          MismatchError: A value does not match its component.
        """
        values = self._get(leaves) if len(self.columns) > 1 else (self._get(leaves),)
        types = tuple(map(type, values))
        if types not in self._known:
            if all(t in column.safe for t, column in zip(types, self.columns, strict=True)):
                self._known.add(types)
            else:
                values = tuple(map(ScalarColumn.settle, self.columns, values))
        self._gathered.extend(values)

    def convert(self, rows: int) -> tuple[int, MismatchError | None]:
        """Converts the first `rows` rows; see `ScalarColumn.convert`."""
        first_bad, error = rows, None
        for place, column in enumerate(self.columns):
            good, mismatch = column.convert(rows, self._gathered[place :: len(self.columns)])
            if good < first_bad:
                first_bad, error = good, mismatch
        self._gathered = []
        return first_bad, error
