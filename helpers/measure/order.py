"""The order of the arms in each round: over the rounds, each follows every other equally often.

What an arm leaves behind (caches, the allocator, the clock) then touches all others alike.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def balanced(entries: Sequence[T], seed: int, skip: int = 0) -> Iterator[tuple[T, ...]]:
    """Yields the order of one round after the other, without end.

    The rounds are the rows of Williams designs, drawn anew each time that all rows have been used.
    Within a design, each entry has each place, and follows every other, equally often: once in as
    many rounds as there are entries where their number is even, twice in twice as many where it is
    odd.

    Args:
        entries: What is put in order, each once a round.
        seed: Draws which entry takes which part in a design, and the order of its rows.
        skip: Rounds that are left out at the beginning, as another process has done them.
    """
    return islice(_rounds(entries, random.Random(seed)), skip, None)


def _rounds(entries: Sequence[T], draw: random.Random) -> Iterator[tuple[T, ...]]:
    rows = _williams(len(entries))
    while True:
        parts = draw.sample(entries, len(entries))
        for row in draw.sample(rows, len(rows)):
            yield tuple(parts[index] for index in row)


def _williams(count: int) -> list[list[int]]:
    """The rows of a Williams design: two squares, one the mirror of the other, for odd counts."""
    first = [index // 2 + 1 if index % 2 else -(index // 2) for index in range(count)]
    square = [[(index + shift) % count for index in first] for shift in range(count)]
    return square if count % 2 == 0 else [*square, *(row[::-1] for row in square)]
