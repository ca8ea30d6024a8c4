"""The runs that a panel gathers: as a table, as rows of a ladder, as CSV and as JSON."""

from __future__ import annotations

import csv
import html
import io
import json
from dataclasses import dataclass
from typing import Any

from helpers.measure import Measurement, Ratio, percent, record, times
from helpers.measure.results import to_json

from .axes import three, us
from .rungs import Rung, rung


@dataclass(frozen=True)
class Run:
    """One press of Measure.

    Attributes:
        number: From 1.
        arm: Name of the pipeline that the toggles meant; the baseline's when nothing was changed.
        changes: What differs from the baseline, an entry for each toggle.
        previous: Name of the arm of the run before, if it was measured along.
        step: What differs from the run before.
        setting: What all arms share: rows, consumer.
        options: Of each arm by name, as plain values.
        measurement: The baseline, the arm, and where there is one the arm of the run before, in
            the same rounds.
    """

    number: int
    arm: str
    changes: tuple[str, ...]
    previous: str | None
    step: tuple[str, ...]
    setting: str
    options: dict[str, dict[str, Any]]
    measurement: Measurement

    @property
    def unchanged(self) -> bool:
        """Whether the baseline was measured alone."""
        return self.arm == self.measurement.baseline

    @property
    def ratio(self) -> Ratio:
        """The arm against the baseline, or the baseline against itself."""
        return self.measurement.floor() if self.unchanged else self.measurement.ratio(self.arm)

    @property
    def kind(self) -> str:
        """The verdict in a word or two."""
        return "noise floor" if self.unchanged else self.measurement.verdict(self.arm).kind

    @property
    def paragraphs(self) -> list[str]:
        """What changed and whether the difference is real."""
        measured, floor = self.measurement, self.measurement.floor()
        if self.unchanged:
            said = [f"Nothing differs from the baseline: this is the noise alone, {floor}."]
        else:
            said = [f"Against the baseline ({'; '.join(self.changes)}): "]
            said[0] += measured.verdict(self.arm).sentence
            if self.kind in ("faster", "slower"):
                said[0] += f" The difference is real: the noise alone gives {floor}."
        if self.previous is not None:
            step = measured.verdict(self.arm, self.previous).sentence
            said.append(f"Against the run before ({'; '.join(self.step)}): {step}")
        if measured.settings.quick:
            said.append("This was a quick run: its numbers show nothing.")
        return said


@record
@dataclass(frozen=True)
class Runs:
    """All runs of a session, in order; `helpers.measure.load` reads what JSON was exported."""

    runs: tuple[Run, ...] = ()

    def json(self) -> str:
        """Everything, every trial included."""
        return json.dumps(to_json(self), ensure_ascii=False)

    def csv(self) -> str:
        """A line for each arm of each run."""
        lines = []
        for run in self.runs:
            measured = run.measurement
            floor = measured.floor()
            for row in measured.rows():
                arm = row["arm"]
                lines.append(
                    {
                        "run": run.number,
                        "setting": run.setting,
                        "baseline": measured.baseline,
                        **row,
                        "noise low": floor.low,
                        "noise high": floor.high,
                        "waiting": measured.stall(arm),
                        "changes": "; ".join(run.changes) if arm == run.arm else "",
                        "rounds": measured.rounds,
                        "stopped": measured.stopped,
                        "measured on": measured.provenance,
                    }
                )
        file = io.StringIO()
        if lines:
            writer = csv.DictWriter(file, lines[0], lineterminator="\n")
            writer.writeheader()
            writer.writerows(lines)
        return file.getvalue()

    def ladder(self, most: int = 8) -> list[Rung]:
        """The rows of `plots.ladder` for the latest run and those before with its baseline.

        Args:
            most: Pipelines at most, the latest. Of one measured twice the later run is shown.
        """
        latest = self.runs[-1]
        found: dict[str, Rung] = {}
        for run in self.runs:
            if self._comparable(run, latest) and not run.unchanged:
                found.pop(run.arm, None)
                each = us(run.measurement.ns_per_example(run.arm))
                remark = f"run {run.number}, {each} per example"
                found[run.arm] = rung(run.measurement, run.arm, remark=remark)
        first = rung(latest.measurement, latest.measurement.baseline)
        return [first, *list(found.values())[-most:]]

    @staticmethod
    def _comparable(run: Run, latest: Run) -> bool:
        """Tells whether two runs had the same baseline under the same work."""
        base = latest.measurement.baseline
        return run.measurement.baseline == base and run.options[base] == latest.options[base]

    def table(self) -> str:
        """The runs as an HTML table, the latest first."""
        heads = (
            "run",
            "pipeline",
            "µs per example",
            "waiting",
            "speed",
            "95 % interval",
            "verdict",
        )
        parts = ["<table><thead><tr>", *(f"<th scope='col'>{head}</th>" for head in heads)]
        parts.append("</tr></thead><tbody>")
        setting = None
        for run in reversed(self.runs):
            measured = run.measurement
            if (run.setting, measured.baseline) != setting:
                setting = (run.setting, measured.baseline)
                base = f"{run.setting}; baseline: {measured.baseline}"
                parts.append(
                    f"<tr class='wb-setting'><td colspan='{len(heads)}'>{html.escape(base)}"
                    "</td></tr>"
                )
            cells = (
                str(run.number),
                run.arm + (" (the baseline)" if run.unchanged else ""),
                three(measured.ns_per_example(run.arm) / 1e3),
                f"{percent(measured.stall(run.arm))}",
                "1×" if run.unchanged else times(run.ratio.value),
                f"{times(run.ratio.low)} to {times(run.ratio.high)}",
                run.kind,
            )
            parts += ["<tr>", *(f"<td>{html.escape(cell)}</td>" for cell in cells), "</tr>"]
        parts.append("</tbody></table>")
        return "".join(parts)
