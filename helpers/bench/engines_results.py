"""What the benchmark of the distributed engines leaves behind, and the proof that it amounts to."""

from __future__ import annotations

from dataclasses import dataclass

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from helpers.measure import Machine, Measurement, Ratio, percent, record, times


@dataclass(frozen=True)
class Kills:
    """Processes of one route that were killed at random moments, and what came all the same.

    Attributes:
        route: What was read.
        killed: How many processes.
        epochs: Read meanwhile.
        rows: Of all epochs, as they should be.
        lost: Rows that did not come.
        doubled: Rows that came more than once.
    """

    route: str
    killed: int
    epochs: int
    rows: int
    lost: int
    doubled: int


@dataclass(frozen=True)
class Rate:
    """What so many workers gave.

    Attributes:
        work: What a row of theirs does: "waits" or "computes".
        workers: How many.
        measured: Elements a second.
        predicted: The same by `Capacity`, from the measurement with one worker.
        simulated: The same by its simulation.
    """

    work: str
    workers: int
    measured: float
    predicted: float
    simulated: float

    @property
    def error(self) -> float:
        """How far the prediction is off, as a share of what was measured."""
        return self.predicted / self.measured - 1


@dataclass(frozen=True)
class Paid:
    """Writing rows once, against making them in each epoch.

    Attributes:
        once_s: Seconds of writing.
        predicted: Epochs after which it should have paid, by `Payback`.
        measured: Epochs after which it had, in a run of both; None if it had not.
    """

    once_s: float
    predicted: int | None
    measured: int | None


@record
@dataclass(frozen=True)
class EnginesBench:
    """A run of `workbook bench engines`.

    Attributes:
        machine: What ran it.
        quick: Whether it was shortened for a test.
        versions: Of engines that are extras, by name.
        up_s: Seconds until a cluster of two workers served, each time.
        compared: Comparisons by the name of their step.
        rates: By workers.
        paid: None if that step was not run.
        kills: By route.
        missing: Steps that could not run, with the reason.
        interrupted: Whether it was ended before it was done.
    """

    machine: Machine
    quick: bool
    versions: dict[str, str]
    up_s: tuple[float, ...]
    compared: dict[str, Measurement]
    rates: tuple[Rate, ...]
    paid: Paid | None
    kills: tuple[Kills, ...]
    missing: dict[str, str]
    interrupted: bool

    def ratio(self, step: str, arm: str) -> Ratio | None:
        """The speed of an arm as a multiple of the first one's; None if it was not measured."""
        return self.compared[step].ratio(arm) if step in self.compared else None

    def rows(self) -> list[tuple[str, str, str]]:
        """What must be reached, and what was."""
        found = []
        if self.up_s:
            found.append(("cluster of two workers up", "< 15 s", f"{max(self.up_s):.1f} s at most"))
        for step, arm, said, wanted in (
            ("native", "service", "a native pipeline through the service", ""),
            ("hosted", "two workers", "5 ms of Python a row in two service workers", "≥ 1.4×"),
            ("hosted", "bridge, two workers", "the same in two workers of the bridge", ""),
            ("stored", "stored", "rows of 40 KB read back", "≥ 0.9×"),
            ("ray", "Ray", "5 ms of Python a row on Ray", ""),
        ):
            if (ratio := self.ratio(step, arm)) is not None:
                base = self.compared[step].baseline
                interval = f"[{times(ratio.low)}, {times(ratio.high)}]"
                found.append((said, wanted, f"{times(ratio.value)} {interval} of {base}"))
        for rate in self.rates[1:]:
            if rate.workers > 1:
                said = f"{rate.workers} workers, work that {rate.work}"
                off = f"{percent(rate.error)} off, simulated {percent(self._simulated(rate))}"
                found.append((said, "within 10 %", off))
        if self.paid is not None:
            found.append(
                ("writing pays after", "as predicted",
                 f"{self.paid.measured} epochs, predicted {self.paid.predicted}")
            )  # fmt: skip
        for kills in self.kills:
            found.append(
                (f"{kills.killed} kills: {kills.route}", "0 lost, 0 doubled",
                 f"{kills.lost} lost, {kills.doubled} doubled of {kills.rows}")
            )  # fmt: skip
        return found

    @staticmethod
    def _simulated(rate: Rate) -> float:
        return rate.simulated / rate.measured - 1

    @property
    def provenance(self) -> str:
        """What ran it, in one line."""
        mode = "QUICK run, numbers show nothing" if self.quick else "full run"
        more = "".join(f", {name} {version}" for name, version in self.versions.items())
        return f"{self.machine.line}{more}, {mode}"


def engines_table(bench: EnginesBench) -> RenderableType:
    """The proof as a table, what could not run, and what ran it."""
    table = Table("", "must reach", "reached", box=box.SIMPLE_HEAD, padding=(0, 1))
    for row in bench.rows():
        table.add_row(*row)
    parts: list[RenderableType] = [table]
    parts += [Text(f"{name}: {why}", style="dim") for name, why in bench.missing.items()]
    if bench.interrupted:
        parts.append(Text("Interrupted: what was finished is here.", style="yellow"))
    return Group(*parts, Text(bench.provenance))
