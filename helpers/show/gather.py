"""The runs that a panel gathers: as a table, as CSV and as JSON, and kept for the next session."""

from __future__ import annotations

import base64
import csv
import html
import io
import json
import zlib
from dataclasses import dataclass
from typing import Any

from helpers.measure import Measurement, Ratio, Verdict, mine, record, times
from helpers.measure.results import from_json, to_json
from helpers.study import PipelineOptions

from .axes import three

KIND = "runs"
"""What `mine` calls them."""


@dataclass(frozen=True)
class Run:
    """One press of Measure.

    Attributes:
        number: From 1.
        when: When it ended, as "2026-11-27 23:40:05".
        name: What makes the pipeline another, in a few words.
        against: The number of the run that it was compared with; None for the panel's baseline.
        changes: What differs from what it was compared with, an entry for each toggle.
        setting: What both share: rows, consumer.
        options: Of the pipeline, as plain values.
        measurement: What it was compared with, and the pipeline, in the same rounds.
    """

    number: int
    when: str
    name: str
    against: int | None
    changes: tuple[str, ...]
    setting: str
    options: dict[str, Any]
    measurement: Measurement

    @property
    def title(self) -> str:
        """Its number and name."""
        return f"Run {self.number}, {self.name}"

    @property
    def pipeline(self) -> PipelineOptions:
        """The options, which JSON gives back with a list for the shape."""
        return PipelineOptions(**{**self.options, "shape": tuple(self.options["shape"])})

    @property
    def arm(self) -> str:
        """The measurement's name of the pipeline; the baseline's if nothing was changed."""
        return self.measurement.arms[-1]

    @property
    def unchanged(self) -> bool:
        """Whether the baseline was measured alone."""
        return len(self.measurement.arms) == 1

    @property
    def ratio(self) -> Ratio:
        """The pipeline against the baseline, or the baseline against itself."""
        return self.measurement.floor() if self.unchanged else self.measurement.ratio(self.arm)

    @property
    def verdict(self) -> Verdict | None:
        """The only verdict there is on it, by its own noise; None if nothing was changed."""
        return None if self.unchanged else self.measurement.verdict(self.arm)

    @property
    def kind(self) -> str:
        """The verdict in a word or two."""
        return self.verdict.kind if self.verdict else "noise alone"

    @property
    def words(self) -> str:
        """The verdict as a reader is told it: a quick run has none."""
        return "quick run" if self.measurement.settings.quick else self.kind

    @property
    def sentence(self) -> str:
        """The verdict in a line."""
        floor, verdict = self.measurement.floor(), self.verdict
        base = "the baseline" if self.against is None else f"run {self.against}"
        if self.measurement.settings.quick:
            said = f"{self.ratio} of {base}, in a quick run, whose numbers show nothing."
        elif verdict is None:
            said = f"nothing differs from the baseline, so this is the noise alone: {floor}."
        elif verdict.kind in ("faster", "slower"):
            said = f"{verdict.kind} than {base}, {self.ratio}; the noise alone is {floor}."
        elif verdict.kind == "no difference":
            said = f"no difference from {base} is seen, {self.ratio}; the noise alone is {floor}."
        else:
            said = f"inconclusive against {base}, {self.ratio}; {verdict.settle}."
        return f"{self.title}: {said}"


@record
@dataclass(frozen=True)
class Runs:
    """The runs of a panel, in order; `helpers.measure.load` reads what JSON was exported."""

    runs: tuple[Run, ...] = ()

    def numbered(self, number: int) -> Run:
        """The run of a number."""
        return next(run for run in self.runs if run.number == number)

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
                        "ended": run.when,
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

    def table(self) -> str:
        """The runs as an HTML table, the latest first."""
        heads = (
            "run",
            "pipeline",
            "against",
            "speed",
            "95 % within this run",
            "verdict",
            "µs per example",
        )
        parts = ["<table><thead><tr>", *(f"<th scope='col'>{head}</th>" for head in heads)]
        parts.append("</tr></thead><tbody>")
        for run in reversed(self.runs):
            cells = (
                str(run.number),
                run.name,
                "baseline" if run.against is None else f"run {run.against}",
                "1×" if run.unchanged else times(run.ratio.value),
                f"{times(run.ratio.low)} to {times(run.ratio.high)}",
                run.words,
                three(run.measurement.ns_per_example(run.arm) / 1e3),
            )
            parts += ["<tr>", *(f"<td>{html.escape(cell)}</td>" for cell in cells), "</tr>"]
        parts.append("</tbody></table>")
        return "".join(parts)

    def keep(self, key: str) -> None:
        """Keeps them beside the notebook.

        Args:
            key: Of the panel.
        """
        packed = base64.b64encode(zlib.compress(self.json().encode())).decode()
        said = [run.sentence for run in self.runs]
        mine.keep(KIND, key, {"said": said, "packed": packed} if self.runs else None)


def kept(key: str) -> Runs:
    """The runs that a panel kept; none where there are none, or what is there cannot be read."""
    try:
        packed = base64.b64decode(mine.read(KIND)[key]["packed"])
        found = from_json(json.loads(zlib.decompress(packed)))
        _ = [run.pipeline for run in found.runs]
    except Exception:  # an older workbook's, or damaged: a reader goes on without
        return Runs()
    return found
