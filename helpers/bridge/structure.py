"""What a row looks like: its structure, and the shape and type of each component.

Plain Python and NumPy: worker processes use it without TensorFlow.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers.bridge.errors import MismatchError

Leaves = Sequence[Any]  # the components of a row, or of a chunk, in tf.data's flat order


@dataclass(frozen=True)
class Component:
    """One component of a row.

    Attributes:
      name: How messages call it, such as "component ['image']".
      dtype: NumPy type of its values; object for strings.
      shape: Its shape; None for a dimension that is not known.
      guessed: Whether the type is only that of a first item, so that a value which it cannot hold
        is an error, where tf.data would convert it to a type that the user has asked for.
    """

    name: str
    dtype: np.dtype
    shape: tuple[int | None, ...]
    guessed: bool = False

    @property
    def is_text(self) -> bool:
        """Whether it holds strings."""
        return self.dtype.hasobject

    @property
    def is_fixed(self) -> bool:
        """Whether all its dimensions are known."""
        return None not in self.shape

    @property
    def fits_slots(self) -> bool:
        """Whether its values have one size, so that a worker can write them to shared memory."""
        return self.is_fixed and not self.is_text

    @property
    def ragged_rank(self) -> int:
        """Number of ragged dimensions in a batch of `ragged_batch`: all up to the last unknown."""
        unknown = [number for number, size in enumerate(self.shape, 1) if size is None]
        return max(unknown, default=0)

    def convert(self, value: object) -> np.ndarray:
        """Converts a yielded value as tf.data's from_generator does.

        Args:
          value: Anything that NumPy makes an array of.

        Returns:
          An array of the component's type; it may share memory with `value`.

        Raises:
          MismatchError: The value does not have the component's type or shape.
        """
        if self.guessed:
            self.check_held(value)
        try:
            array = _as_array(value, self.dtype)
        except (TypeError, ValueError, OverflowError) as error:
            raise MismatchError(
                f"{self.name}: expected {self.dtype}, found {_short(value)} ({error})"
            ) from error
        if len(array.shape) != len(self.shape) or any(
            size not in (None, found) for size, found in zip(self.shape, array.shape, strict=True)
        ):
            raise MismatchError(
                f"{self.name}: expected shape {self.shape}, found shape {array.shape}"
            )
        return self._plain_text(array) if self.is_text else array

    def check_held(self, value: object) -> None:
        """Raises MismatchError for a value that a guessed type would turn into another one."""
        if self.is_text:
            return
        try:
            found = np.asarray(value)
        except (TypeError, ValueError, OverflowError):  # no array, as `convert` tells
            return
        ranks = _RANKS.get(found.dtype.kind, math.inf), _RANKS[self.dtype.kind]
        held = ranks[0] <= ranks[1] and (
            ranks[1] > _RANKS["i"] or bool((found == found.astype(self.dtype)).all())
        )
        if not held:
            raise MismatchError(
                f"{self.name}: expected {self.dtype}, as in the first item, found {_short(value)}; "
                "say with output_signature what items look like"
            )

    def _plain_text(self, array: np.ndarray) -> np.ndarray:
        """Checks strings; gives those of NumPy as Python's, which keep trailing NULs anywhere."""
        plain = array
        for index, item in enumerate(array.flat):
            if not isinstance(item, (str, bytes)):
                raise MismatchError(f"{self.name}: expected a string, found {_short(item)}")
            if isinstance(item, str):
                self.check_text(item)
            if type(item) not in (str, bytes):
                if plain is array:
                    plain = array.copy()
                plain.flat[index] = as_python(item)
        return plain

    def check_text(self, text: str) -> None:
        """Raises MismatchError for a string that UTF-8, as TensorFlow keeps it, cannot hold."""
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise MismatchError(
                f"{self.name}: expected a string that UTF-8 can hold, found {_short(text)} "
                f"({error.reason}); os.fsencode gives the bytes of a file name"
            ) from None


def as_python(text: str | bytes) -> str | bytes:
    """Gives a string of NumPy, or of another subclass, as Python's."""
    # str(text) would leave out trailing NULs of a numpy.str_.
    return str.__str__(text) if isinstance(text, str) else bytes(text)


_RANKS = {"b": 0, "i": 1, "u": 1, "f": 2, "V": 2, "c": 3}  # V: bfloat16
"""NumPy's kinds of numbers, by which others they can hold; whole numbers up to their range."""


def _as_array(value: object, dtype: np.dtype) -> np.ndarray:
    # As tensorflow/python/util/numpy_compat.py (np_asarray): integers out of range wrap around.
    if dtype.hasobject or dtype == np.bool_:
        return np.asarray(value, dtype, order="C")
    return np.asarray(value, order="C").astype(dtype, copy=False)


def _short(value: object) -> str:
    text = re.sub(r"\s*\n\s*", " ", repr(value))  # what matters stands in the first line
    return f"{text if len(text) <= 60 else text[:57] + '...'} of type {type(value).__name__}"


@dataclass(frozen=True)
class Layout:
    """The structure of a row with its components.

    Attributes:
      template: The structure, with the number of a component in place of each.
      components: The components in tf.data's order: dictionaries by sorted keys.
    """

    template: Any
    components: tuple[Component, ...]

    @classmethod
    def of(cls, signature: Any, component: Callable[[str, Any], Component]) -> Layout:
        """Lays out a signature.

        Args:
          signature: Nested tuples, named tuples and dictionaries.
          component: Called with the name and the leaf; describes it.
        """
        components: list[Component] = []

        def number(name: str, leaf: Any) -> int:
            components.append(component(name, leaf))
            return len(components) - 1

        template = _map(signature, number, "")
        return cls(template, tuple(components))

    def reader(self) -> Callable[[Any], Leaves]:
        """Returns a function that takes a row apart into its components.

        It raises MismatchError for a row of another structure, by tf.data's rules: a list is not
        a tuple, a dictionary has exactly the keys of the signature.
        """
        template = self.template
        if template == 0:
            return lambda row: (row,)

        def slow(row):
            return tuple(_flat(template, row, ""))

        if type(template) is tuple and template == tuple(range(len(template))):
            count = len(template)
            return lambda row: row if type(row) is tuple and len(row) == count else slow(row)
        if type(template) is dict and _is_flat(template):
            return _dictionary_reader(sorted(template), slow)
        return slow

    def pack(self, leaves: Leaves) -> Any:
        """Builds the structure from its components."""
        return _map(self.template, lambda _, number: leaves[number], "")


def _dictionary_reader(keys: list, slow: Callable) -> Callable[[Any], Leaves]:
    count = len(keys)
    get = operator.itemgetter(*keys)

    def read(row):
        if type(row) is dict and len(row) == count:
            try:
                values = get(row)
            except KeyError:
                return slow(row)
            return values if count > 1 else (values,)
        return slow(row)

    return read


def _is_flat(template: Mapping) -> bool:
    return len(template) > 0 and all(isinstance(leaf, int) for leaf in template.values())


def is_nested(structure: Any) -> bool:
    """Whether tf.data takes a value as a structure; a list it takes as a component."""
    return isinstance(structure, (tuple, Mapping))


def children(structure: Any) -> list[tuple[str, Any]]:
    """Gives the parts of a structure in tf.data's order, each with the text of its index."""
    if isinstance(structure, Mapping):
        return [(f"[{key!r}]", structure[key]) for key in sorted(structure)]
    names = getattr(structure, "_fields", None)
    return [
        (f".{names[number]}" if names else f"[{number}]", part)
        for number, part in enumerate(structure)
    ]


def _map(structure: Any, function: Callable[[str, Any], Any], path: str) -> Any:
    if not is_nested(structure):
        return function(f"component {path}" if path else "component", structure)
    parts = [_map(part, function, path + index) for index, part in children(structure)]
    if isinstance(structure, Mapping):
        mapped = dict(zip(sorted(structure), parts, strict=True))
        # In the order of the signature, as TensorFlow gives it back.
        return type(structure)((key, mapped[key]) for key in structure)
    if hasattr(structure, "_fields"):
        return type(structure)(*parts)
    return type(structure)(parts)


def map_structure(function: Callable[[Any], Any], structure: Any) -> Any:
    """Applies a function to each component of a structure."""
    return _map(structure, lambda _, leaf: function(leaf), "")


def leaves_of(structure: Any, path: str = "") -> list[tuple[str, Any]]:
    """Gives the components of a structure in tf.data's order, each with the text of its index."""
    if not is_nested(structure):
        return [(path, structure)]
    return [leaf for index, part in children(structure) for leaf in leaves_of(part, path + index)]


def _flat(template: Any, row: Any, path: str) -> Iterator[Any]:
    if not is_nested(template):
        yield row
        return
    where = f"component {path}" if path else "the row"
    if not isinstance(row, type(template)):
        raise MismatchError(
            f"{where}: expected a {type(template).__name__} of {len(template)} components, "
            f"found {_short(row)}"
        )
    if isinstance(template, Mapping):
        if set(row) != set(template):
            raise MismatchError(
                f"{where}: expected the keys {sorted(template)}, found the keys {list(row)}"
            )
    elif len(row) != len(template):
        raise MismatchError(
            f"{where}: expected {len(template)} components, found {len(row)}: {_short(row)}"
        )
    parts = [row[key] for key in sorted(template)] if isinstance(template, Mapping) else row
    for (index, inner), part in zip(children(template), parts, strict=True):
        yield from _flat(inner, part, path + index)
