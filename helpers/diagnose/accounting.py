"""What the rungs of the ladder amount to: the law's coefficients, and where a batch's time goes."""

from __future__ import annotations

import numpy as np

from helpers.diagnose import ladder, law
from helpers.diagnose.diagnosis import Part, Work
from helpers.diagnose.estimate import of_draws
from helpers.measure import this_machine


def coefficients(
    one: dict[str, float],
    work: Work | None,
    guess_ns: float,
    overlapped: bool,
    consumer_held: float = 0.0,
) -> law.Coefficients:
    """Makes the law's coefficients of one draw of the arms' medians.

    Args:
        one: Nanoseconds of a batch in each arm.
        work: What kind of work the generator does.
        guess_ns: Nanoseconds of a batch of bare rows, where no arm measured them.
        overlapped: Whether a prefetch lets data and consumer run at once.
        consumer_held: Share of the consumer's time with the GIL held.
    """
    # a data set contains its generator: what the bare one took more is the noise of a shared core
    generator = min(one.get(ladder.BARE, guess_ns), one.get(ladder.CROSSED, float("inf")))
    crossing = one.get(ladder.REPLAY, 0.0)
    if not crossing and ladder.CROSSED in one:
        crossing = max(0.0, one[ladder.CROSSED] - generator)
    whole = one.get(ladder.PIPELINE)
    nodes = 0.0
    if whole is not None:
        crossed = one.get(ladder.CROSSED, generator + crossing)
        nodes = max(0.0, whole - crossed)
        if whole < 0.5 * crossed:  # a cache, or rows that are repeated: most batches cross nothing
            generator, crossing, nodes = 0.0, 0.0, whole
    held, waiting = (work.held, work.waiting) if work else (1.0, 0.0)
    return law.Coefficients(
        waiting=generator * waiting, held=generator * held,
        freed=generator * max(0.0, 1 - held - waiting), crossing=crossing, nodes=nodes,
        consumer=one.get(ladder.CONSUMER, 0.0),
        consumer_held=consumer_held * one.get(ladder.CONSUMER, 0.0),
        cores=this_machine().cores, overlapped=overlapped,
    )  # fmt: skip


def parts_of(draws: dict[str, np.ndarray]) -> tuple[Part, ...]:
    """Returns where the time of a batch goes, the rungs first and then their differences."""
    names = {
        ladder.CONSUMER: "consumer alone", ladder.BARE: "generator alone",
        ladder.CROSSED: "from_generator and batch", ladder.PIPELINE: "the whole data set",
        ladder.TOGETHER: "data set and consumer", ladder.REPLAY: "crossing of kept rows",
        ladder.TIGHT: "crossing with the signature that fits",
        ladder.BRIDGED: "kept rows by the bridge", ladder.WORKER: "kept rows from a worker",
        ladder.SLICED: "a slice of the sequence",
    }  # fmt: skip
    parts = [Part(text, of_draws(draws[name])) for name, text in names.items() if name in draws]

    def difference(text: str, one: str, two: str) -> None:
        if one in draws and two in draws:
            parts.append(Part(text, of_draws(draws[one] - draws[two]), derived=True))

    difference("crossing, by difference", ladder.CROSSED, ladder.BARE)
    difference("steps of tf.data", ladder.PIPELINE, ladder.CROSSED)
    difference("waiting for data", ladder.TOGETHER, ladder.CONSUMER)
    data = ladder.PIPELINE if ladder.PIPELINE in draws else ladder.CROSSED
    if {ladder.TOGETHER, ladder.CONSUMER, data} <= set(draws):
        best = np.maximum(draws[ladder.CONSUMER], draws[data])
        parts.append(
            Part("that no prefetch hides", of_draws(draws[ladder.TOGETHER] - best), derived=True)
        )
    if {ladder.CROSSED, ladder.BARE, ladder.REPLAY} <= set(draws):
        rest = draws[ladder.CROSSED] - draws[ladder.BARE] - draws[ladder.REPLAY]
        parts.append(Part("not explained", of_draws(rest), derived=True))
    return tuple(parts)
