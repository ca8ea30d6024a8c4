"""One colour and one marker for each arm, the same in every figure."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

BLACK, ORANGE, SKY, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
"""The eight colours of Okabe and Ito, told apart by colour-blind readers too.
Source: https://jfly.uni-koeln.de/color/"""

GREY = "#6E6E6E"
PALE = "#BDBDBD"
_ORDER = (BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY, BLACK, YELLOW)
_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "*")


@dataclass(frozen=True)
class Style:
    """How an arm is drawn.

    Attributes:
        colour: As "#rrggbb".
        marker: As matplotlib names it; it tells two arms of one colour apart.
    """

    colour: str
    marker: str = "o"


_KNOWN = {
    # the article's ladder, by the names in `study.EXAMPLES`, by their labels, and by its own names
    "article_baseline": BLACK,
    "from_tensor_slices": BLACK,
    "inefficient": VERMILLION,
    "Example 1": VERMILLION,
    "generator + sleep 10 µs + rand": VERMILLION,
    "inefficient_prefetched": ORANGE,
    "generator + sleep 10 µs + rand + prefetch": ORANGE,
    "better": BLUE,
    "generator + rand": BLUE,
    "better_prefetched": SKY,
    "Example 2": SKY,
    "generator + rand + prefetch": SKY,
    "constant": PURPLE,
    "generator + rand + tf.constant": PURPLE,
    "constant_prefetched": GREEN,
    "Example 3": GREEN,
    "generator + rand + tf.constant + prefetch": GREEN,
    # the lanes of a timeline and the parts of a pass
    "generator": ORANGE,
    "waiting": PALE,
    "consumer": BLUE,
}
_given = {name: Style(colour) for name, colour in _KNOWN.items()}
_lock = threading.Lock()  # a panel draws in its own thread


def styles(names: Sequence[str]) -> dict[str, Style]:
    """Returns each name's style, the same on every call in this process.

    The arms of the article have theirs fixed. Any other name gets, when it is first seen, the
    first colour that no other of these names has.

    Args:
        names: The arms of one figure.
    """
    with _lock:
        for name in names:
            if name not in _given:
                _given[name] = _free([_given[other] for other in names if other in _given])
        return {name: _given[name] for name in names}


def _free(taken: Sequence[Style]) -> Style:
    for marker in _MARKERS:
        used = {style.colour for style in taken if style.marker == marker or marker == "o"}
        for colour in _ORDER:
            if colour not in used:
                return Style(colour, marker)
    return Style(GREY)
