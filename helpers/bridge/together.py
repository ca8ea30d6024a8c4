"""Several sources as one.

It is read in workers, which must not need TensorFlow for it: importing that takes seconds.
"""

from __future__ import annotations

from typing import Any

from helpers.bridge.structure import leaves_of, map_structure


class Together:
    """Several sources of one length as one, whose items are structures.

    Args:
      parts: Structure of sources.
    """

    def __init__(self, parts: Any):
        self.parts = parts

    def __len__(self) -> int:
        """Length of each of the sources.

        Raises:
          ValueError: They have different ones.
        """
        lengths = {name: len(part) for name, part in leaves_of(self.parts)}
        if len(set(lengths.values())) > 1:
            found = ", ".join(f"source{name}: {length}" for name, length in lengths.items())
            raise ValueError(f"the parts of a source must have one length; found {found}")
        return next(iter(lengths.values()))

    def __getitem__(self, index: Any) -> Any:
        """Gives an item or a slice of each source."""
        return map_structure(lambda part: part[index], self.parts)
