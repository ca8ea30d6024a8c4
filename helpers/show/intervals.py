"""Ratios as rows of an HTML table, each with its interval drawn in line.

The numbers stand beside the drawing, so it is hidden from those who listen to the page; lines and
marks take the page's colours, light or dark.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from helpers.claims import Expectation
from helpers.measure import Measurement, Ratio, percent, times

from .axes import three, us
from .palette import BLACK, styles

WIDTH, HEIGHT = 280, 26
"""Of a drawing, in CSS pixels."""

_EDGE = 14
_LEAST = 1.15
"""The scale reaches at least this factor to either side of 1."""


@dataclass(frozen=True)
class Row:
    """One ratio and what is drawn with it.

    Attributes:
        ratio: The ratio to the baseline; None for the baseline itself.
        floor: The baseline against itself in the same rounds.
        colour: "#rrggbb", or a word of the style sheet such as "supported".
        expects: Where a claim expects the ratio.
        again: The same ratio in a second run.
    """

    ratio: Ratio | None
    floor: Ratio
    colour: str
    expects: Expectation | None = None
    again: Ratio | None = None


class Scale:
    """A log axis that several rows share.

    Attributes:
        low: Its left end.
        high: Its right end.
    """

    def __init__(self, rows: Sequence[Row], width: int = WIDTH) -> None:
        """Finds the ends that hold every interval.

        Args:
            rows: One or more.
            width: Of a drawing, in CSS pixels.
        """
        self._width = width
        held = [ratio for row in rows for ratio in (row.ratio, row.floor, row.again) if ratio]
        bounds = [row.expects.bound for row in rows if row.expects]
        bounds += [1 / row.expects.bound for row in rows if row.expects and _two_sided(row.expects)]
        ends = [end for ratio in held for end in (ratio.low, ratio.high)]
        low, high = min(ends + bounds), max(ends + bounds)
        pad = (high / low) ** 0.04
        self.low = min(low / pad, 1 / _LEAST)
        self.high = max(high * pad, _LEAST)

    def widened(self, other: Scale | None) -> Scale:
        """This scale, stretched to hold all that another one holds."""
        if other is not None:
            self.low, self.high = min(self.low, other.low), max(self.high, other.high)
        return self

    def x(self, value: float) -> float:
        """Where a ratio is, in pixels from the left."""
        share = math.log(value / self.low) / math.log(self.high / self.low)
        return round(_EDGE + share * (self._width - 2 * _EDGE), 1)

    def ticks(self) -> list[float]:
        """Two to six round values within the ends, fewer where there is less room."""
        most = self._width // 45
        if self.high / self.low < 4:  # nearly linear
            for step in (0.05, 0.1, 0.2, 0.5):
                first = math.ceil(self.low / step - 1e-9)
                count = math.floor(self.high / step + 1e-9) - first + 1
                if count < most:
                    break
            return [round((first + index) * step, 2) for index in range(count)]
        decades = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
        for grid in ((1, 2, 5), (1, 3), (1,)):
            found = [step * 10.0**decade for decade in decades for step in grid]
            found = [tick for tick in found if self.low <= tick <= self.high]
            if len(found) <= most:
                break
        return found[:: math.ceil(len(found) / most)]

    def axis(self) -> str:
        """The scale's ticks, for the head of the column."""
        parts = [
            f'<text x="{self.x(tick)}" y="14">{tick:.4g}×</text><path d="M{self.x(tick)} 18v4"/>'
            for tick in self.ticks()
        ]
        return _svg("axis", self._width, 22, parts)

    def draw(self, row: Row) -> str:
        """One row: what is expected, the noise floor, the line at 1×, and the interval."""
        parts = []
        if row.expects is not None:
            low, high = self._expected(row.expects)
            parts.append(_band("expected", low, high))
        parts.append(_band("floor", self.x(row.floor.low), self.x(row.floor.high)))
        parts.append(f'<path class="one" d="M{self.x(1)} 0v{HEIGHT}"/>')
        y = HEIGHT / 2 if row.again is None else HEIGHT / 2 - 4
        if row.again is not None:
            low, centre, high = map(self.x, (row.again.low, row.again.value, row.again.high))
            parts.append(f'<path class="again" d="M{low} {y + 9}H{high}"/>')
            parts.append(f'<circle class="again" cx="{centre}" cy="{y + 9}" r="2.5"/>')
        clear = row.ratio is not None and row.ratio.clear_of(row.floor)
        centre = 1.0
        if row.ratio is not None:
            centre = row.ratio.value
            low, high = self.x(row.ratio.low), self.x(row.ratio.high)
            parts.append(f'<path class="span" d="M{low} {y - 5}v10M{low} {y}H{high}m0 -5v10"/>')
        kind = "mark" if clear or row.ratio is None else "mark hollow"
        parts.append(f'<circle class="{kind}" cx="{self.x(centre)}" cy="{y}" r="4"/>')
        return _svg("interval", self._width, HEIGHT, parts, row.colour)

    def _expected(self, expects: Expectation) -> tuple[float, float]:
        left, right = 0.0, float(self._width)
        if expects.kind == "at least":
            left = self.x(expects.bound)
        elif expects.kind == "at most":
            right = self.x(expects.bound)
        else:
            left, right = self.x(1 / expects.bound), self.x(expects.bound)
        return left, right


def arms_table(measurement: Measurement, title: str, again: Measurement | None = None) -> str:
    """A comparison as a table: one row for each arm.

    Args:
        measurement: The comparison.
        title: What stands above it.
        again: The same comparison in a second run.
    """
    style = styles(measurement.arms)
    floor = measurement.floor()
    rows = {}
    for arm in measurement.arms:
        is_baseline = arm == measurement.baseline
        rows[arm] = Row(
            None if is_baseline else measurement.ratio(arm),
            floor,
            style[arm].colour,
            again=None if is_baseline else same_ratio(again, measurement, arm),
        )
    scale = Scale(list(rows.values()))
    waits = {arm: measurement.stall(arm) for arm in measurement.arms}
    busy = min(waits.values()) < 0.95  # an idle consumer only waits: nothing to tell
    heads = ["per example", "cold start", *(["waiting"] if busy else [])]
    lines = []
    for arm, row in rows.items():
        cells = [us(measurement.ns_per_example(arm)), f"{three(measurement.cold_ns(arm) / 1e6)} ms"]
        cells += [percent(waits[arm])] if busy else []
        said = ""
        if row.ratio is None:
            said = f"1× <small>noise {times(floor.low)} to {times(floor.high)}</small>"
        else:
            kind = measurement.verdict(arm).kind
            shown = "" if kind in ("faster", "slower") else f" <small>{kind}</small>"
            said = interval(row.ratio) + shown
        lines.append(
            f'<tr><th scope="row">{html.escape(arm)}</th><td>{scale.draw(row)}</td>'
            f"<td>{said}</td>" + "".join(f'<td class="n">{cell}</td>' for cell in cells) + "</tr>"
        )
    return (
        f'<table class="arms"><caption>{html.escape(title)} <small>{_rounds(measurement)}</small>'
        f'</caption><thead><tr><th scope="col">arm</th><th scope="col">{scale.axis()}'
        '<span class="unseen">speed, drawn</span></th><th scope="col">speed, 95 % interval</th>'
        + "".join(f'<th scope="col" class="n">{head}</th>' for head in heads)
        + f"</tr></thead><tbody>{''.join(lines)}</tbody></table>"
        + "".join(f"<p><small>{html.escape(said)}</small></p>" for said in measurement.remarks)
    )


def interval(ratio: Ratio) -> str:
    """A ratio with its interval, as HTML."""
    return f"<b>{times(ratio.value)}</b> [{times(ratio.low)}, {times(ratio.high)}]"


def same_ratio(again: Measurement | None, measurement: Measurement, arm: str) -> Ratio | None:
    """The arm's ratio in a second run, if that has the arm with the same baseline."""
    if again is None or again.baseline != measurement.baseline or arm not in again.arms:
        return None
    return again.ratio(arm)


def _rounds(measurement: Measurement) -> str:
    settings = measurement.settings
    why = {
        "precise": f"precise to ±{percent(settings.precision)}",
        "budget": f"ended after {settings.budget_s:.3g} s",
        "rounds": "the most allowed",
        "processes": "",
    }.get(measurement.stopped, measurement.stopped)
    return f"{measurement.basis}, {why}" if why else measurement.basis


def _two_sided(expects: Expectation) -> bool:
    return expects.kind == "about"


def _band(kind: str, low: float, high: float) -> str:
    return f'<path class="{kind}" d="M{low} 0H{high:.1f}V{HEIGHT}H{low}z"/>'


def _svg(kind: str, width: int, height: int, parts: Sequence[str], colour: str = "") -> str:
    if colour.startswith("#"):
        drawn = "" if colour == BLACK else f' style="color:{colour}"'
    else:
        drawn = ""
        kind = f"{kind} {colour}".strip()
    return (
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'aria-hidden="true"{drawn}>{"".join(parts)}</svg>'
    )
