"""From coefficients to a cause: what binds, in a word and in a sentence."""

from __future__ import annotations

from helpers.diagnose.estimate import Estimate
from helpers.diagnose.law import CONSUMER, CORES, GIL, Coefficients, binding, bounds
from helpers.measure import percent

NOTHING_TO_WIN = 0.05
"""When the upper end of the headroom is below this, nothing is advised."""

KINDS = {
    "crossing": "handing rows over to TensorFlow, one at a time, takes most of a batch",
    "holds-gil": "the generator's own Python takes most of a batch, and holds the GIL",
    "waits": "the generator spends most of a batch waiting (files, network, sleep)",
    "frees-gil": "the generator computes for most of a batch, without the GIL",
    "steps": "the steps of tf.data take most of a batch",
    "gil": "generator and consumer share one GIL",
    "cores": "all cores are busy",
    "consumer": "the consumer takes longer than the data: it is what binds",
}


def cause_of(c: Coefficients) -> str:
    """Names what binds: a key of `KINDS`.

    Args:
        c: Coefficients of today's pipeline.
    """
    row = binding(c)
    if row == CONSUMER:
        return "consumer"
    if row == CORES:
        # where one part alone fills the time of a single core, naming it says more
        parts = _parts(c)
        largest = max(parts, key=parts.__getitem__)
        return largest if parts[largest] > 0.7 * bounds(c)[CORES] else "cores"
    if row == GIL and c.consumer_held > 0.2 * bounds(c)[GIL]:
        return "gil"
    parts = _parts(c)
    return max(parts, key=parts.__getitem__)


def _parts(c: Coefficients) -> dict[str, float]:
    kinds = {"holds-gil": c.held, "waits": c.waiting, "frees-gil": c.freed}
    kind = max(kinds, key=kinds.__getitem__)
    return {"crossing": c.crossing, kind: c.generator, "steps": c.nodes}


def sentence_of(
    cause: str, c: Coefficients, batch_ns: float, headroom: Estimate | None, idle: bool
) -> str:
    """Says what binds, with its share, and what it means that no consumer was given.

    Args:
        cause: From `cause_of`.
        c: Coefficients of today's pipeline.
        batch_ns: What a batch takes as it was measured.
        headroom: What could be won behind the consumer at best.
        idle: Whether no consumer was given.
    """
    rows = bounds(c)
    whole = max(rows.values())
    parts = {**_parts(c), "consumer": c.consumer}
    said = f"{KINDS[cause][0].upper()}{KINDS[cause][1:]}"
    if cause in parts:
        said += f" ({percent(parts[cause] / whole)} of {batch_ns / 1e6:.3g} ms)"
    said += "."
    if headroom is not None and not idle:
        ends = (headroom.value, headroom.low, headroom.high)
        most, low, high = (percent(max(0.0, end)) for end in ends)
        said += f" Behind this consumer at most {most} of a batch can be won [{low}, {high}]."
    if idle:
        said += (
            " No consumer was given, so it counts as idle: behind a real training step much of "
            "this may be hidden."
        )
    return said


def nothing_to_win(headroom: Estimate | None) -> bool:
    """Tells whether the stop rule holds."""
    return headroom is not None and headroom.high < NOTHING_TO_WIN


def off_by(off: float) -> str:
    """Writes how far off the law is on today's batch: -0.11 is −11 %."""
    return f"{'−' if off < 0 else '+'}{percent(abs(off))}"
