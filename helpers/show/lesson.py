"""A sentence for the reader, as a cell shows it."""

from __future__ import annotations

from dataclasses import dataclass

from . import page


@dataclass(frozen=True)
class Told:
    """A sentence for the reader, with a coloured edge in a notebook.

    Attributes:
        text: The sentence.
        good: Whether the reader was right, or None where nobody answered.
    """

    text: str
    good: bool | None = None

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        kind = {True: "good", False: "open", None: "plain"}[self.good]
        return page.STYLE + page.note(self.text, kind=kind)
