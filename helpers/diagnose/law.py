"""The bottleneck law: the rows that bound the rate of a pipeline. Arithmetic and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

CROSSING_HELD = 0.45
"""Share of a crossing that holds the GIL: 40 to 65 µs of Python in 110 to 250 (shared facts,
measured again by notebook 02)."""

SERIAL, GIL, CORES, CONSUMER, HANDOVER = "serial", "GIL", "cores", "consumer", "hand-over"

MISFIT = 0.25
"""The law is not trusted when it predicts the rate of today further off than this."""

FEWEST_ROUNDS = 3
"""Fewer give no interval, and so no prediction."""


@dataclass(frozen=True)
class Coefficients:
    """What a batch costs, in nanoseconds.

    Attributes:
        waiting: Of the generator, neither running nor holding the GIL.
        held: Of the generator, with the GIL held.
        freed: Of the generator, running without the GIL.
        crossing: Handing the rows over to TensorFlow.
        nodes: The steps of tf.data that follow the generator in its own turn.
        consumer: The consumer alone.
        consumer_held: The part of it that holds the GIL.
        handover: What this process does for a batch that workers made.
        cores: Cores.
        streams: Generators that run at the same time.
        processes: Python processes that they run in; 0 for this one.
        overlapped: Whether a prefetch lets generator and consumer run at once.
    """

    waiting: float
    held: float
    freed: float
    crossing: float
    nodes: float
    consumer: float
    consumer_held: float
    cores: int
    handover: float = 0.0
    streams: int = 1
    processes: int = 0
    overlapped: bool = True

    @property
    def generator(self) -> float:
        """Nanoseconds of the generator alone."""
        return self.waiting + self.held + self.freed


def bounds(c: Coefficients) -> dict[str, float]:
    """Returns for each row of the law the nanoseconds that a batch takes at least.

    Args:
        c: The coefficients.
    """
    serial = (c.generator + c.crossing + c.nodes) / c.streams
    held = c.held / max(1, c.processes)
    if not c.processes:
        held = c.held + CROSSING_HELD * c.crossing + c.consumer_held
    work = c.held + c.freed + c.crossing + c.nodes + c.handover + c.consumer
    found = {SERIAL: serial, GIL: held, CORES: work / c.cores, CONSUMER: c.consumer}
    if c.processes:
        found[HANDOVER] = c.handover
    return found


def batch_ns(c: Coefficients) -> float:
    """Returns the nanoseconds of a batch that the law predicts: its smallest rate.

    Without a prefetch the generator and its consumer take turns, and their times add up.
    """
    rows = bounds(c)
    if c.overlapped:
        return max(rows.values())
    return max(rows[SERIAL] + c.consumer, rows[GIL], rows[CORES])


def binding(c: Coefficients) -> str:
    """Names the row that binds. Where two are equal, the more particular one."""
    rows = bounds(c)
    if c.consumer > 0 and rows[CONSUMER] >= 0.95 * max(rows.values()):
        return CONSUMER
    return max(rows, key=lambda name: (rows[name], name == SERIAL))


def workers_for(wanted_ns: float, c: Coefficients, most: int) -> int:
    """Returns the fewest worker processes that make a batch in the time wanted, `most` at most.

    Args:
        wanted_ns: Nanoseconds of a batch that are soon enough.
        c: Coefficients of one generator.
        most: How many are thought of at most.
    """
    alone = c.generator + c.nodes
    return max(1, min(most, int(-(-(alone / max(wanted_ns, 1) - 0.1) // 1))))


def trusted(off: float) -> bool:
    """Tells whether the law fits today's batch.

    Args:
        off: How far off it is: 0.1 is 10 % too long.
    """
    return abs(off) <= MISFIT


def unsure(rounds: int, off: float | None) -> bool:
    """Tells whether it is better to keep quiet about changes that were not tried.

    Args:
        rounds: That were measured.
        off: As for `trusted`; None if it is not known.
    """
    return rounds < FEWEST_ROUNDS or (off is not None and not trusted(off))
