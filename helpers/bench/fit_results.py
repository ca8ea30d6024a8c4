"""What a run of the benchmark of training leaves behind, and its table."""

from __future__ import annotations

from dataclasses import dataclass

from rich.console import Group, RenderableType
from rich.text import Text

from helpers.bench.table import plain_table
from helpers.measure import Machine, Measurement, Ratio, Share, record, times

LEGEND = (
    "speed: as a multiple of the same model's on one cached batch, the ceiling, in the same "
    "rounds, with its 95 % interval. law: what the law of notebook 10 allows at best. waits: "
    "share of a step that the loop waits for its batch. behind: share by which a step is longer "
    "than at the ceiling. slowed: share by which the rest of it is longer than there, because the "
    "data wants the same cores and memory."
)


@dataclass(frozen=True)
class Fed:
    """One way of feeding a model.

    Attributes:
        way: Its name.
        step_ms: A step, data and model, median over the rounds.
        ratio: Speed as a multiple of the ceiling's in the same rounds, median.
        low: Lower end of its 95 % interval.
        high: Upper end.
        waiting: The share of a step that the loop waits.
        behind: The share by which a step is longer than at the ceiling.
        slowed: The share by which the rest of the step is longer than there.
        allowed: The ratio that the law allows at best.
        first_batch_ms: From the call of `fit` to the first batch, median over later epochs.
        loss: Of an epoch from the same weights.
    """

    way: str
    step_ms: float
    ratio: float
    low: float
    high: float
    waiting: Share
    behind: Share
    slowed: float
    allowed: float
    first_batch_ms: float
    loss: float


@dataclass(frozen=True)
class FitWorkload:
    """One model, fed in every way.

    Attributes:
        workload: Its name.
        description: In words.
        batch_size: Rows in a batch.
        steps: Steps in an epoch.
        ceiling_ms: A step on one cached batch.
        row_us: A row of the bare generator, in the same rounds.
        noise: The ceiling against itself.
        fed: The ways.
        measurement: Every trial.
        seconds: How long it took.
    """

    workload: str
    description: str
    batch_size: int
    steps: int
    ceiling_ms: float
    row_us: float
    noise: Ratio
    fed: tuple[Fed, ...]
    measurement: Measurement
    seconds: float


@record
@dataclass(frozen=True)
class FitBench:
    """A run of `workbook bench fit`.

    Attributes:
        machine: What ran it.
        quick: Whether it was shortened for a test.
        threads: Cores that an operation of the model may use; 0 for all.
        workloads: Those that were finished.
        interrupted: Whether it was ended before it was done.
    """

    machine: Machine
    quick: bool
    threads: int
    workloads: tuple[FitWorkload, ...]
    interrupted: bool

    @property
    def provenance(self) -> str:
        """What ran it, in one line."""
        mode = "QUICK run, numbers show nothing" if self.quick else "full run"
        model = "the model on all cores" if not self.threads else f"the model on {self.threads}"
        return f"{self.machine.line}, {model}, {mode}"


def fit_tables(bench: FitBench) -> RenderableType:
    """A table for each workload, and what ran them; it fits 80 columns."""
    parts: list[RenderableType] = []
    for result in bench.workloads:
        title = (
            f"{result.workload}: {result.description}; a step is {result.ceiling_ms:.1f} ms, "
            f"a row {result.row_us:.3g} µs"
        )
        heads = ("way", "speed", "interval", "law", "waits", "behind", "slowed")
        made = plain_table(title, *heads, left=1)
        for fed in result.fed:
            shares = (fed.waiting.value, fed.behind.value, fed.slowed)
            made.add_row(
                fed.way, times(fed.ratio), f"{times(fed.low)[:-1]}–{times(fed.high)}",
                times(fed.allowed), *(f"{100 * share:.0f} %" for share in shares),
            )  # fmt: skip
        parts.append(made)
    if bench.interrupted:
        parts.append(Text("Interrupted: what was finished is here.", style="yellow"))
    return Group(*parts, Text(LEGEND, style="dim"), Text(bench.provenance))
