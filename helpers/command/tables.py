"""Results as tables in the terminal."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from helpers.measure import Ratio
from helpers.measure.selfcheck import HEADS, SelfCheck
from helpers.reproduce import Comparison, RatioRow, Run

VERDICTS = {
    "supported": "green",
    "refuted": "red",
    "depends": "yellow",
    "inconclusive": "bright_black",
    "cannot run here": "bright_black",
}
"""Every verdict with its colour in the terminal, in the order in which they are listed."""


def verdict(name: str | None) -> Text:
    """A verdict in its colour."""
    return Text(name or "–", style=VERDICTS.get(name or "", ""))


def run_table(run: Run) -> RenderableType:
    """A run in short: each claim with its verdict, each notebook with its measurements."""
    parts: list[RenderableType] = []
    if run.claims:
        table = Table("claim", "verdict", "s", title="Claims", title_justify="left")
        table.columns[2].justify = "right"
        for id_, result in run.claims.items():
            table.add_row(id_, verdict(result.verdict), f"{run.seconds.get(id_, 0):.0f}")
        counts = Counter(result.verdict for result in run.claims.values())
        listed = (f"{counts[name]} {name}" for name in VERDICTS if counts[name])
        parts += [table, Text(", ".join(listed))]
    books = {name: seconds for name, seconds in run.seconds.items() if name not in run.claims}
    if books:
        total = sum(books.values())
        parts.append(
            Text(f"{len(books)} notebooks, {len(run.measurements)} comparisons, {total:.0f} s")
        )
    parts.append(Text(f"{run.machine.line}; {run.mode}"))
    return Group(*parts)


def claims_table(rows: list[dict[str, Any]], run: Run | None) -> Table:
    """The ledger: each claim with its source, its notebook and its verdict.

    Args:
        rows: From `helpers.claims.listing`.
        run: The reference run that the verdicts are from, if there is one.
    """
    caption = f"Verdicts: {run.machine.line}" if run else "No reference run is there."
    table = Table("claim", "source", "notebook", "verdict", caption=caption, show_lines=True)
    table.columns[0].min_width = max(len(row["id"]) for row in rows)
    for row in rows:
        claim = Text.assemble((row["id"], "bold"), "\n", row["statement"])
        said = verdict(row["verdict"]) if row["verdict"] else Text("not measured yet", style="dim")
        table.add_row(claim, Text(row["source"]), Text(row["notebook"][:2]), said)
    return table


def comparison_tables(comparison: Comparison) -> RenderableType:
    """Runs side by side: how far they agree, what misses, drawn, and then all there is."""
    letters = [chr(ord("A") + index) for index in range(len(comparison.runs))]
    parts: list[RenderableType] = [
        Text(f"{letter}: {name}: {run.machine.line}; {run.mode}")
        for letter, name, run in zip(letters, comparison.names, comparison.runs, strict=True)
    ]
    parts += map(Text, comparison.sentences)
    if comparison.apart:
        parts.append(_apart_table(comparison.apart, letters))
    if comparison.verdicts:
        table = Table("claim", *letters, "", title="Verdicts", title_justify="left")
        for row in comparison.verdicts:
            table.add_row(row.claim, *map(verdict, row.verdicts), _mark(row.same))
        parts.append(table)
    if comparison.ratios:
        title = "Speed as a multiple of the baseline's, with 95 % intervals"
        table = Table("", "arm", *letters, "", title=title, title_justify="left")
        before = ""
        for row in comparison.ratios:
            place = f"{row.where}: {row.what}"
            cells = (str(ratio) if ratio else "–" for ratio in row.ratios)
            table.add_row(
                Text(place if place != before else ""), Text(row.arm), *map(Text, cells),
                _mark(row.agree),
            )  # fmt: skip
            before = place
        parts.append(table)
    return Group(*parts)


_DRAWN = 30
"""Characters of a drawn interval."""


def _apart_table(rows: Sequence[RatioRow], letters: Sequence[str]) -> Table:
    """The ratios that miss, with the intervals of all runs on one scale."""
    title = "Ratios whose intervals share no point"
    table = Table("arm", "", "", title=title, title_justify="left", show_lines=True)
    table.columns[1].min_width = _DRAWN + 2
    for row in rows:
        pairs = zip(letters, row.ratios, strict=True)
        found = [(letter, ratio) for letter, ratio in pairs if ratio]
        low = min(ratio.low for _, ratio in found)
        high = max(ratio.high for _, ratio in found)
        drawn = (f"{letter} {_drawn(ratio, low, high)}" for letter, ratio in found)
        table.add_row(
            Text(f"{row.arm}\n{row.where}: {row.what}"), Text("\n".join(drawn), no_wrap=True),
            Text("\n".join(str(ratio) for _, ratio in found), no_wrap=True),
        )  # fmt: skip
    return table


def _drawn(ratio: Ratio, low: float, high: float) -> str:
    """An interval and its middle as a line of characters, on a log scale."""

    def place(value: float) -> int:
        return round((_DRAWN - 1) * math.log(value / low) / math.log(high / low))

    left, middle, right = map(place, (ratio.low, ratio.value, ratio.high))
    line = [" "] * left + ["─"] * (right - left + 1)
    line[left], line[right] = "├", "┤"
    line[middle] = "●"
    return "".join(line).ljust(_DRAWN)


def selfcheck_table(result: SelfCheck) -> Table:
    """What the self-check tried, what must be, and what came."""
    table = Table(*HEADS)
    for row in result.rows():
        table.add_row(*row)
    return table


def _mark(same: bool) -> Text:
    return Text("same", style="dim") if same else Text("differs", style="bold red")
