"""A room: the results of many machines side by side, as text and as HTML.

Names in it come from other people's files: `shared` lets none through that cannot be printed, and
the HTML escapes them.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np

from helpers.claims.expectation import CANNOT_RUN
from helpers.measure import percent, times

from .outliers import LEAST_MACHINES, Outlier, described
from .shared import Shared
from .spreads import Spread, Tally


@dataclass(frozen=True)
class LeftOut:
    """A file that the room does without.

    Attributes:
        name: Its name.
        reason: Why, in one sentence.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class Room:
    """The machines of a folder, side by side.

    Attributes:
        names: What the machines are called here: their files' names without ending.
        shared: What each gave.
        left_out: The files that could not be used.
        spreads: A row for each ratio that two machines have, or that the only one has.
        tallies: A row for each claim.
        outliers: The machines that are far from the rest, the farthest first.
    """

    names: tuple[str, ...]
    shared: tuple[Shared, ...]
    left_out: tuple[LeftOut, ...]
    spreads: tuple[Spread, ...]
    tallies: tuple[Tally, ...]
    outliers: tuple[Outlier, ...]

    @property
    def quick(self) -> bool:
        """Whether it holds quick runs, and no full one."""
        return any(one.quick for one in self.shared)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the rows come to."""
        count = len(self.shared)
        if not count:
            return ("No machine yet.", *self._left_out())
        kinds = len({one.machine.processor for one in self.shared})
        machines = "1 machine" if count == 1 else f"{count} machines"
        said = [f"{machines} with {kinds} kind{'s' * (kinds > 1)} of processor."]
        if self.quick:
            said.append("All are QUICK runs: their numbers show nothing.")
        said += self._left_out()
        part = sum(not one.whole for one in self.shared)
        if part:
            said.append(f"{part} gave a part of a run only.")
        if not self.spreads and any(one.ratios for one in self.shared):
            said.append("No two machines have a ratio in common.")
        decided = [tally for tally in self.tallies if tally.majority]
        if decided and count > 1:
            one = sum(not tally.against for tally in decided)
            typical = float(np.median([tally.share for tally in decided]))
            said.append(
                f"On {one} of {len(decided)} claims all machines agree; a claim's most frequent "
                f"verdict is that of {percent(typical)} of them in the median."
            )
        if count < LEAST_MACHINES:
            said.append(f"Which machine is far from the rest shows from {LEAST_MACHINES} on.")
        elif not self.outliers:
            said.append("No machine is far from the rest.")
        else:
            far = "1 machine is" if len(self.outliers) == 1 else f"{len(self.outliers)} are"
            said.append(f"{far} far from the rest.")
        if len({one.code for one in self.shared}) > 1:
            said.append("The runs were made by different versions of the measuring code.")
        return tuple(said)

    def _left_out(self) -> list[str]:
        count = len(self.left_out)
        return [f"{count} file{'s are' if count > 1 else ' is'} left out."] if count else []

    def by_spread(self) -> tuple[Spread, ...]:
        """The ratios, from the one in which the machines differ most."""

        def width(spread: Spread) -> float:
            low, high = spread.middle_half
            return high / low

        return tuple(sorted(self.spreads, key=width, reverse=True))

    def __str__(self) -> str:
        return "\n".join(_text(self))

    def _repr_html_(self) -> str:
        return "".join(_html(self))


_DRAWN = 24
"""Characters of a drawn distribution."""

_BARS = "▁▂▃▄▅▆▇█"

_MOST = 6
"""Names in a line; of more, the number is told."""

DRAWN_WIDTH, DRAWN_HEIGHT = 240, 18
"""Of a drawn distribution on the page, in CSS pixels."""


def outlier_lines(room: Room) -> list[str]:
    """Each outlier with its name, its machine and what sets it apart."""
    lines = []
    for one in room.outliers:
        spread = room.spreads[one.far[0]]
        said = described(one, f"{spread.arm} ({spread.place})")
        lines.append(f"{room.names[one.place]}, {room.shared[one.place].machine.line}: {said}")
    return lines


def _text(room: Room) -> Iterator[str]:
    yield from room.sentences
    yield from _listed("Far from the rest", outlier_lines(room))
    yield from _listed("Left out", [f"{one.name}: {one.reason}" for one in room.left_out])
    if room.tallies:
        rows = [_tally_cells(room, tally) for tally in room.tallies]
        yield from ("", *_columns([TALLY_HEADS, *rows], right=(2,)))
    if room.spreads:
        rows = [[_drawn(spread), *_spread_cells(room, spread)] for spread in room.spreads]
        heads = ("lowest to highest", *SPREAD_HEADS)
        yield from ("", *_columns([heads, *rows], right=(1, 2, 3)))


def _listed(title: str, lines: Sequence[str]) -> Iterator[str]:
    if lines:
        yield from ("", f"{title}:", *(f"  {line}" for line in lines))


def _columns(rows: Sequence[Sequence[str]], right: Sequence[int]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()


TALLY_HEADS = ("claim", "most frequent verdict", "share", "all verdicts", "who says otherwise")


def _tally_cells(room: Room, tally: Tally) -> list[str]:
    counts = [f"{count} {verdict}" for verdict, count in tally.counts.items()]
    counts += [f"{tally.could_not} {CANNOT_RUN}"] if tally.could_not else []
    return [
        tally.claim,
        tally.majority or ("two lead" if tally.counts else "–"),
        percent(tally.share) if tally.share is not None else "–",
        ", ".join(counts),
        _some(room, tally.against),
    ]


SPREAD_HEADS = ("median", "lowest", "highest", "machines", "arm", "against", "where", "far off")


def _spread_cells(room: Room, spread: Spread) -> list[str]:
    return [
        times(spread.median),
        times(spread.low),
        times(spread.high),
        str(len(spread.values)),
        spread.arm,
        spread.baseline,
        spread.place,
        _some(room, spread.far),
    ]


def _some(room: Room, places: Sequence[int]) -> str:
    """The first few names; those that are outliers anyway come last."""
    known = {one.place for one in room.outliers}
    ordered = sorted(places, key=lambda place: place in known)
    if len(ordered) > _MOST:
        return f"{len(ordered)} machines"
    return ", ".join(room.names[place] for place in ordered)


def _drawn(spread: Spread) -> str:
    """How many machines lie where between the lowest and the highest, on a log scale."""
    if spread.high / spread.low < 1.0001:
        return "▁" * (_DRAWN // 2 - 1) + "█" + "▁" * (_DRAWN // 2)
    counts, _ = np.histogram(np.log(spread.values), bins=_DRAWN)
    most = max(counts)
    return "".join(
        _BARS[math.ceil(count / most * len(_BARS)) - 1] if count else " " for count in counts
    )


def _html(room: Room) -> Iterator[str]:
    yield "".join(f"<p>{escape(sentence)}</p>" for sentence in room.sentences)
    for title, lines in (
        ("Far from the rest", outlier_lines(room)),
        ("Left out", [f"{one.name}: {one.reason}" for one in room.left_out]),
    ):
        if lines:
            items = "".join(f"<li>{escape(line)}</li>" for line in lines)
            yield f"<h3>{title}</h3><ul>{items}</ul>"
    if room.tallies:
        rows = (map(escape, _tally_cells(room, tally)) for tally in room.tallies)
        yield _table("Verdicts of the machines", TALLY_HEADS, rows)
    if room.spreads:
        ends = _ends(room)
        rows = (
            [_svg(spread, *ends), *map(escape, _spread_cells(room, spread))]
            for spread in room.spreads
        )
        drawn = f"each machine a dot, {times(ends[0])} to {times(ends[1])}, line at 1×"
        yield _table("Ratios over the machines", (drawn, *SPREAD_HEADS), rows)


def _table(title: str, heads: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """A table whose cells are HTML already."""
    left = ' style="text-align:left"'
    first = "".join(f'<th scope="col"{left}>{head}</th>' for head in heads)
    lines = "".join(
        "<tr>" + "".join(f"<td{left}>{cell}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f'<div style="overflow-x:auto"><table><caption style="text-align:left;font-weight:bold">'
        f"{title}</caption><thead><tr>{first}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _ends(room: Room) -> tuple[float, float]:
    """The ends of a scale that holds every ratio and 1."""
    low = min(1 / 1.15, *(spread.low for spread in room.spreads))
    return low, max(1.15, *(spread.high for spread in room.spreads))


def _svg(spread: Spread, low: float, high: float) -> str:
    """Each machine as a dot of one path, which keeps the page of a large room small."""

    def x(value: float) -> float:
        share = math.log(value / low) / math.log(high / low)
        return round(4 + share * (DRAWN_WIDTH - 8), 1)

    y = DRAWN_HEIGHT / 2
    dots = "".join(f"M{x(value)} {y}h0" for value in spread.values)
    return (
        f'<svg viewBox="0 0 {DRAWN_WIDTH} {DRAWN_HEIGHT}" width="{DRAWN_WIDTH}" '
        f'height="{DRAWN_HEIGHT}" aria-hidden="true" fill="none" stroke="currentColor">'
        f'<path d="M{x(1)} 0v{DRAWN_HEIGHT}" opacity=".4"/>'
        f'<path d="{dots}" stroke-width="6" stroke-linecap="round" opacity=".35"/>'
        f'<path d="M{x(spread.median)} 2v{DRAWN_HEIGHT - 4}" stroke-width="2"/></svg>'
    )
