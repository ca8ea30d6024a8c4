"""One colour and one marker for each pipeline, the same in every figure and every notebook."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

BLACK, ORANGE, SKY, GREEN = "#000000", "#C28100", "#3E97D1", "#009E73"
OLIVE, BLUE, VERMILLION, PURPLE = "#8A8500", "#0072B2", "#C44E00", "#BF5F95"
"""Eight colours that colour-blind readers tell apart too, after Okabe and Ito. The light ones are
darker than theirs, so that a mark has a contrast of 3 or more on white and on a dark page.
Source: https://jfly.uni-koeln.de/color/"""

INK, GREY = "#000000", "#6E6E6E"
"""Of text; GREY also of thin lines."""

MID = "#8A8A8A"
"""Of marks that stand for no pipeline, such as waiting."""

BAND = "#E4E4E4"
"""Of areas behind the marks, whose edges are drawn."""

_ORDER = (BLUE, ORANGE, GREEN, VERMILLION, PURPLE, SKY, BLACK, OLIVE)
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


_PIPELINES: dict[Style, tuple[str, ...]] = {
    # the article's ladder: by the names in `study.EXAMPLES`, by their labels, as notebooks say it
    Style(BLACK): ("article_baseline", "from_tensor_slices", "Python loop over slices"),
    Style(VERMILLION): (
        "inefficient",
        "generator + sleep 10 µs + rand",
        "Example 1",
        "Example 1: sleep, rand",
        "1: sleep, no prefetch",
    ),
    Style(ORANGE, "s"): (
        "inefficient_prefetched",
        "generator + sleep 10 µs + rand + prefetch",
        "inefficient, prefetched",
        "prefetch added, alone",
    ),
    Style(BLUE): (
        "better",
        "generator + rand",
        "sleep removed, alone",
        "Example 2 without prefetch",
        "NumPy array",
        "none written",
    ),
    Style(SKY, "s"): (
        "better_prefetched",
        "generator + rand + prefetch",
        "Example 2",
        "both: Example 2",
        "2: no sleep, prefetch",
        "array, prefetch (Example 2)",
        "prefetch(AUTOTUNE)",
    ),
    Style(PURPLE): ("constant", "generator + rand + tf.constant", "tf.constant"),
    Style(GREEN, "s"): (
        "constant_prefetched",
        "generator + rand + tf.constant + prefetch",
        "Example 3",
        "3: tf.constant, prefetch",
        "tf.constant, prefetch (Example 3)",
    ),
    # a generator that only hands rows over, and its ways over the bridge
    Style(OLIVE, "^"): (
        "generator",
        "from_generator",
        "from_generator().batch",
        "crossing, nothing else",
        "work taken out",
    ),
    Style(BLUE, "D"): ("bridge", "bridge, rows", "rows over the fast bridge"),
    Style(SKY, "D"): ("bridge, 1 worker",),
    Style(PURPLE, "D"): ("bridge, 2 workers",),
    Style(GREEN, "D"): (
        "bridge, slices",
        "bridge, sliceable source",
        "a source that can be sliced",
    ),
    Style(ORANGE, "v"): ("bare Python loop", "the generator alone", "its generator alone"),
    # the parts of a crossing
    Style(ORANGE): ("the generator", "the generator's next()", "the random numbers"),
    Style(OLIVE): ("the sleep",),
    Style(SKY): ("loop and iterator", "the Python loop"),
    Style(PURPLE, "s"): ("crossing", "the crossing", "the crossing into TensorFlow"),
}
_given = {name: style for style, names in _PIPELINES.items() for name in names}
_lock = threading.Lock()  # a panel draws in its own thread

LANES = {
    "generator": ORANGE,
    "crossing": PURPLE,
    "tf.data": SKY,
    "waiting": MID,
    "consumer": BLUE,
}
"""The lanes of a timeline, from the source on."""


def styles(names: Sequence[str]) -> dict[str, Style]:
    """Returns each name's style, the same on every call in this process.

    The pipelines that several notebooks show have theirs fixed. Any other name gets, when it is
    first seen, the first colour that no other of these names has.

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
