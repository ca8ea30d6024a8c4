"""What the doctor says, as text, HTML and JSON."""

from __future__ import annotations

import html
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from helpers.diagnose import law, verdict
from helpers.diagnose.advice import Advice
from helpers.diagnose.estimate import Estimate
from helpers.diagnose.guard import Failure
from helpers.diagnose.hazards import DATA, NOTE, Hazard
from helpers.diagnose.profile import Line
from helpers.diagnose.signature import SignatureReport
from helpers.diagnose.xray import Node
from helpers.measure import Machine, percent, record, times
from helpers.measure.results import write_text
from helpers.measure.turn import turn

if TYPE_CHECKING:
    from helpers.diagnose.trying import Tried


@dataclass(frozen=True)
class Part:
    """A time of one batch.

    Attributes:
        name: What takes it.
        ns: Nanoseconds.
        derived: Whether it is a difference of two measured times.
    """

    name: str
    ns: Estimate
    derived: bool = False


@dataclass(frozen=True)
class Work:
    """What kind of work the generator does.

    Attributes:
        held: Share of its time with the GIL held.
        waiting: Share that it waits.
        freed: Share that it runs without the GIL.
        source: What this rests on, in a sentence.
        known: Whether it is known what holds the GIL of the time that it runs; half of it counts
            as held if not.
    """

    held: float
    waiting: float
    freed: float
    source: str
    known: bool = True


@dataclass(frozen=True)
class Bound:
    """A row of the law.

    Attributes:
        name: "serial", "GIL", "cores", "consumer" or "hand-over".
        ns: Nanoseconds of a batch that it allows at best.
        binds: Whether it is the one that binds.
    """

    name: str
    ns: float
    binds: bool


@record
@dataclass(frozen=True, repr=False)
class Diagnosis:
    """The answer of `examine`.

    Attributes:
        subject: What was examined.
        kind: "generator", "object", "sequence", "batches" or "pipeline".
        file: Name of the user's file; "" if unknown.
        consumer: What it feeds; "idle" if nothing was given.
        batch_size: Rows in a batch.
        seen: How far the doctor could see, in a sentence.
        signature: What is said of the signature; None if nothing can be.
        parts: Where the time of a batch goes.
        work: What kind of work the generator does; None if that is not known.
        lines: The user's lines that cost the time.
        nodes: The steps of the data set, as TensorFlow counts them.
        bounds: The rows of the law.
        cause: What comes first: a hazard's name, or what binds.
        sentence: The same in a sentence.
        headroom: The share of a batch that could be won at best behind this consumer; None if that
            was not measured.
        misfit: How far off the law is on today's batch; None if that is not known.
        hazards: Those that change or lose data first.
        advice: The largest gain first.
        remarks: What else has to be known about these numbers.
        failure: The exception in the user's code; None without.
        rounds: Rounds of the stall ladder.
        seconds: How long it took.
        machine: What ran it.
        quick: Whether it was shortened for a test.
        speedscope: The profile as a speedscope file; "" without.
    """

    subject: str
    kind: str
    file: str
    consumer: str
    batch_size: int
    seen: str
    signature: SignatureReport | None
    parts: tuple[Part, ...]
    work: Work | None
    lines: tuple[Line, ...]
    nodes: tuple[Node, ...]
    bounds: tuple[Bound, ...]
    cause: str
    sentence: str
    headroom: Estimate | None
    misfit: float | None
    hazards: tuple[Hazard, ...]
    advice: tuple[Advice, ...]
    remarks: tuple[str, ...]
    failure: Failure | None
    rounds: int
    seconds: float
    machine: Machine
    quick: bool
    speedscope: str = ""

    @property
    def healthy(self) -> bool:
        """Whether there is nothing to change: the data does not bind, no hazard but notes."""
        return (
            self.failure is None
            and self.cause not in ("unseen", *DATA_IS_SLOW)
            and not self.advice
            and all(hazard.level == NOTE for hazard in self.hazards)
        )

    @property
    def first(self) -> str:
        """What has to be dealt with first: an exception, lost data, or else what binds."""
        if self.failure is not None:
            return self.cause
        serious = [hazard.name for hazard in self.hazards if hazard.level == DATA]
        return serious[0] if serious else self.cause

    @property
    def code(self) -> int:
        """What the command ends with: 0 healthy, 1 findings, 2 when it could not run."""
        if self.failure is not None or self.cause == "unseen":
            return 2
        return 0 if self.healthy else 1

    @property
    def provenance(self) -> str:
        """What ran it, in one line."""
        mode = "QUICK run, numbers show nothing" if self.quick else "full run"
        rounds = f"{self.rounds} round{'s' if self.rounds != 1 else ''}"
        return f"{self.machine.line}, {rounds}, {self.seconds:.0f} s, {mode}"

    def try_fix(
        self, number: int, changed: Any = None, *, budget_s: float = 15, **how: Any
    ) -> Tried:
        """Measures a piece of advice against the original, in interleaved rounds.

        Args:
            number: Which one, from 1.
            changed: A callable that returns the changed data set, for advice that the doctor
                cannot apply by itself.
            budget_s: Seconds for the rounds.
            **how: `cancelled` and `on_progress`, as for `measure.compare`.

        Raises:
            ValueError: If there is no such advice, the diagnosis was read back from a file, or the
                changed data set is missing.
        """
        if not isinstance(number, int) or not 1 <= number <= len(self.advice):
            have = f"1 to {len(self.advice)}" if self.advice else "none"
            raise ValueError(f"there is no advice {number!r}; there is {have}.")
        trial: Callable[..., Tried] | None = getattr(self, "_trial", None)
        if trial is None:
            raise ValueError("this diagnosis was read back and has no generator: examine it anew.")
        one = self.advice[number - 1]
        if changed is None and not one.automatic:
            raise ValueError(
                f"the doctor cannot make this change by itself ({one.title}): give try_fix a "
                "function, too, that returns the changed data set."
            )
        with turn(cancelled=how.get("cancelled")):
            return trial(
                one, changed, budget_s=budget_s,
                predicted=one if one.tried or not self.unsure else None,
                fault=next((each.title for each in self.hazards if each.level == DATA), ""), **how,
            )  # fmt: skip

    def save_html(self, path: str | Path) -> Path:
        """Writes it as one self-contained HTML file and returns the path."""
        head = f"<!doctype html><meta charset='utf-8'><title>{html.escape(self.subject)}</title>"
        style = "<style>body{font:15px sans-serif;max-width:60em;margin:2em auto}</style>"
        return write_text(path, head + style + self._repr_html_())

    def save_speedscope(self, path: str | Path) -> Path:
        """Writes the profile for speedscope.app and returns the path.

        Raises:
            ValueError: If there is no profile.
        """
        if not self.speedscope:
            raise ValueError("there is no profile: " + " ".join(self.remarks))
        return write_text(path, self.speedscope)

    def sections(self) -> list[tuple[str, list[str], list[list[str]]]]:
        """Heading, sentences and table of each part of the answer, what matters most first."""
        found: list[tuple[str, list[str], list[list[str]]]] = []
        if self.failure is not None:
            where = f" at {self.failure.where}" if self.failure.where else ""
            asked = f"Element {self.failure.index} was asked for{where}."
            said = [asked] if self.failure.index >= 0 else []
            found.append(("An exception in your code", [*said, self.failure.traceback], []))
        warnings = [hazard for hazard in self.hazards if hazard.level == DATA]
        if warnings:
            found.append(("Changes or loses data", [], _hazard_rows(warnings)))
        found.append(("What binds", [self.sentence, self.seen], []))
        if self.advice:
            found.append(("What to do", *self._advice()))
        if self.parts:
            enough = self.rounds >= law.FEWEST_ROUNDS
            rows = [
                [part.name, _ms(part.ns.value),
                 f"{_ms(part.ns.low)} to {_ms(part.ns.high)}" if enough else "–",
                 "difference" if part.derived else "measured"]
                for part in self.parts
            ]  # fmt: skip
            table = [["per batch", "ms", "90 % interval", ""], *rows]
            found.append(("Where the time goes", self._work(), table))
        if self.lines:
            rows = [
                [f"{line.file}:{line.line}", line.text[:60], percent(line.share),
                 percent(line.held), percent(line.waiting), percent(line.freed)]
                for line in self.lines if line.share >= 0.02
            ]  # fmt: skip
            heads = ["line", "", "of next()", "holds the GIL", "waits", "runs without"]
            found.append(("Your lines", [], [heads, *rows]))
        if self.bounds:
            rows = [[one.name, _ms(one.ns), "binds" if one.binds else ""] for one in self.bounds]
            said = []
            if self.misfit is not None:
                said.append(f"The law is {verdict.off_by(self.misfit)} off today.")
            found.append(("What each row allows", said, [["row", "ms per batch", ""], *rows]))
        others = [hazard for hazard in self.hazards if hazard.level != DATA]
        if others:
            found.append(("Also seen", [], _hazard_rows(others)))
        if self.signature is not None and self.signature.proposed:
            found.append(
                ("Signature", [f"output_signature={self.signature.proposed}",
                               *self.signature.problems, *self.signature.looseness], [])
            )  # fmt: skip
        if self.remarks:
            found.append(("Remarks", list(self.remarks), []))
        return found

    @property
    def unsure(self) -> bool:
        """Whether what was not tried cannot be predicted: too few rounds, or no law that fits."""
        return law.unsure(self.rounds, self.misfit)

    def _work(self) -> list[str]:
        if self.work is None:
            return []
        if not self.work.known:
            running = self.work.held + self.work.freed
            return [
                f"The generator runs for {percent(running)} of its time and waits for "
                f"{percent(self.work.waiting)} ({self.work.source})."
            ]
        return [
            f"The generator holds the GIL for {percent(self.work.held)} of its time, waits for "
            f"{percent(self.work.waiting)} and runs without it for {percent(self.work.freed)} "
            f"({self.work.source})."
        ]

    def _advice(self) -> tuple[list[str], list[list[str]]]:
        rows = [["change", "gain", "costs", "needs", "code"]]
        for place, one in enumerate(self.advice, 1):
            gain = f"{times(one.gain.value)} [{times(one.gain.low)}, {times(one.gain.high)}]"
            gain += ", tried" if one.tried else ", by the law"
            if self.unsure and one.tried is None:
                gain = "not known: it was not tried, and the law is not to be trusted here"
            rows.append([f"{place}. {one.title}", gain, one.costs, one.needs, one.code])
        how = "try_fix(1)" if self.advice[0].automatic else "try_fix(1, your_changed_data_set)"
        return [f"In Python, {how} of the diagnosis puts the first to the test."], rows

    def __str__(self) -> str:
        lines = [f"{self.subject} ({self.kind}), batches of {self.batch_size}, "
                 f"consumer: {self.consumer}"]  # fmt: skip
        for heading, sentences, table in self.sections():
            lines += ["", heading.upper()]
            lines += [f"  {line}" for one in sentences for line in one.splitlines()]
            lines += _as_list(table) if heading in _LISTED else _as_table(table)
        return "\n".join([*lines, "", self.provenance])

    def __repr__(self) -> str:
        """Says the answer, where a dataclass would list its profile too."""
        return f"Diagnosis of {self.subject}: {self.sentence}"

    def _repr_html_(self) -> str:
        parts = [f"<div style='{_WIDE}'><h3>{html.escape(self.subject)}: {self.first}</h3>"]
        for heading, sentences, table in self.sections():
            parts.append(f"<h4>{html.escape(heading)}</h4>")
            for one in sentences:
                tag = "pre" if "\n" in one or one.startswith("output_signature") else "p"
                parts.append(f"<{tag} style='text-align:left'>{html.escape(one)}</{tag}>")
            if table:
                parts.append(_html_table(table))
        parts.append(f"<p><small>{html.escape(self.provenance)}</small></p></div>")
        return "".join(parts)


_WIDE = "text-align:left;max-width:100%;overflow-x:auto"
"""What is wider than its place can be moved sideways, and is not cut."""

DATA_IS_SLOW = ("crossing", "holds-gil", "waits", "frees-gil", "gil")
"""Causes that are findings, whether or not the doctor knows a fix."""

_LISTED = ("Changes or loses data", "Also seen", "What to do")


def _hazard_rows(hazards: list[Hazard]) -> list[list[str]]:
    rows = [[one.title, one.where, one.why, one.fix] for one in hazards]
    return [["what", "where", "why", "instead"], *rows]


def _ms(nanoseconds: float) -> str:
    value = nanoseconds / 1e6
    return (f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}").replace("-", "−")


def _as_table(table: list[list[str]]) -> list[str]:
    widths = (
        [max(len(row[place]) for row in table) for place in range(len(table[0]))] if table else []
    )
    return [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def _as_list(table: list[list[str]]) -> list[str]:
    heads, *rows = table
    lines: list[str] = []
    for row in rows:
        for place, (head, cell) in enumerate(zip(heads, row, strict=True)):
            if not cell:
                continue
            mark = "- " if place == 0 else "  "
            label = f"{head}: " if head and place else ""
            lines += [f"  {mark if not number else '      '}{label if not number else ''}{part}"
                      for number, part in enumerate(cell.splitlines())]  # fmt: skip
    return lines


def _html_table(table: list[list[str]]) -> str:
    """A table; code stands below its row, as wide as the table."""
    heads, *rows = table
    cell = "style='text-align:left;vertical-align:top'"
    narrow = [name for name in heads if name != "code"]
    head = "".join(f"<th {cell}>{html.escape(one)}</th>" for one in narrow)
    body = []
    for row in rows:
        named = dict(zip(heads, row, strict=True))
        code = named.pop("code", "")
        cells = "".join(f"<td {cell}>{html.escape(one)}</td>" for one in named.values())
        body.append(f"<tr>{cells}</tr>")
        if code:
            style = "margin:0;white-space:pre-wrap;overflow-wrap:anywhere"
            pre = f"<pre style='{style}'>{html.escape(code)}</pre>"
            body.append(f"<tr><td {cell} colspan='{len(narrow)}'>{pre}</td></tr>")
    return f"<table><thead><tr>{head}</tr></thead>{''.join(body)}</table>"
