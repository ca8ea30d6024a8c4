"""Draw docs/house.svg: the rooms of `helpers/` by floor, and what each imports.

    python scripts/draw_house.py

Rooms and their words come from CONTRIBUTING.md, arrows from the code, the same bytes each time. An
arrow that follows from others is left out. `make house` calls this.
"""

from __future__ import annotations

import html
import textwrap
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise

from house import HELPERS, ROOT, Floor, Imports, between_rooms, floors, imports, levels

SVG = ROOT / "docs" / "house.svg"

WIDTH, MARGIN = 960, 76
BAND, BOX = 108, 64
"""Height of a floor, and of a room in it."""

WIDEST = 210
"""Width of a room where there is space for it."""

LETTER = 6.1
"""What a letter of a room's words takes, about."""

STYLE = """
text { font: 12px sans-serif; fill: #333; }
.name { font: bold 14px monospace; fill: #111; }
.floor { font: 12px sans-serif; fill: #666; }
.even { fill: #f3f4f6; }
.odd { fill: #fafafa; }
.room { fill: #fff; stroke: #444; }
.tocome { stroke-dasharray: 5 4; stroke: #888; }
.arrow { fill: none; stroke: #0072b2; stroke-width: 1.5; marker-end: url(#head); }
"""

HEAD = """<defs>
<marker id="head" viewBox="0 0 8 8" refX="6" refY="4" orient="auto"
  markerWidth="7" markerHeight="7">
<path d="M0,0 L8,4 L0,8 z" fill="#0072b2"/>
</marker>
</defs>"""


@dataclass(frozen=True)
class Box:
    """A room's place on the page, in pixels."""

    left: float
    top: float
    width: float

    @property
    def middle(self) -> float:
        """Halfway from left to right."""
        return self.left + self.width / 2


def needed(found: Imports) -> Imports:
    """Leaves out an import of what another import leads to already."""
    reached: Imports = {}

    def reach(name: str) -> set[str]:
        if name not in reached:
            reached[name] = found[name].union(*map(reach, found[name]))
        return reached[name]

    return {
        name: {one for one in others if not any(one in reach(other) for other in others)}
        for name, others in found.items()
    }


def places(house: list[Floor]) -> dict[str, Box]:
    """Puts every room on its floor, the ground at the bottom."""
    found = {}
    for height, floor in enumerate(house):
        top = (len(house) - 1 - height) * BAND + (BAND - BOX) / 2
        share = (WIDTH - MARGIN) / len(floor.rooms)
        width = min(WIDEST, share - 24)
        for place, name in enumerate(floor.rooms):
            found[name] = Box(MARGIN + (place + 0.5) * share - width / 2, top, width)
    return found


def arrows(found: Imports, boxes: dict[str, Box]) -> list[str]:
    """Draws each import from below one room to the top of another, past the rooms between."""
    pairs = [(name, other) for name, others in found.items() for other in others]
    pairs.sort(key=lambda pair: [boxes[name].middle for name in pair])
    starts = _spread(pairs, boxes)
    ends = _spread([(other, name) for name, other in pairs], boxes)
    taken: Counter[tuple[float, float]] = Counter()
    drawn = []
    for name, other in pairs:
        x, y = starts[name, other], boxes[name].top + BOX
        path = f"M{x:.0f},{y:.0f}"
        end, last = ends[other, name], boxes[other].top - 5
        for top in sorted({box.top for box in boxes.values() if y < box.top < boxes[other].top}):
            gap = _gap([box for box in boxes.values() if box.top == top], end)
            through = gap + 9 * taken[gap, top]
            taken[gap, top] += 1
            path += f"{_bend(x, y, through, top)} V{top + BOX:.0f}"
            x, y = through, top + BOX
        drawn.append(f'<path class="arrow" d="{path}{_bend(x, y, end, last)}"/>')
    return drawn


def _spread(pairs: list[tuple[str, str]], boxes: dict[str, Box]) -> dict[tuple[str, str], float]:
    """Where on the first room's edge each line begins, in the order of where they lead."""
    found = {}
    for name in {name for name, _ in pairs}:
        others = sorted((o for n, o in pairs if n == name), key=lambda other: boxes[other].middle)
        for place, other in enumerate(others, 1):
            found[name, other] = boxes[name].left + boxes[name].width * place / (len(others) + 1)
    return found


def _gap(row: list[Box], x: float) -> float:
    """The middle of the gap between rooms of one floor that is nearest."""
    row = sorted(row, key=lambda box: box.left)
    gaps = [(one.left + one.width + two.left) / 2 for one, two in pairwise(row)]
    gaps += [row[0].left - 14, row[-1].left + row[-1].width + 14]
    return min(gaps, key=lambda gap: abs(gap - x))


def _bend(x: float, y: float, end: float, last: float) -> str:
    """A curve that leaves and arrives upright."""
    half = (y + last) / 2
    return f" C{x:.0f},{half:.0f} {end:.0f},{half:.0f} {end:.0f},{last:.0f}"


def svg() -> str:
    """The whole picture."""
    house, found = floors(), between_rooms(imports())
    height, boxes = len(house) * BAND, places(house)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'width="{WIDTH}" height="{height}" role="img">',
        "<title>The rooms of helpers/ by floor, and what each imports</title>",
        f"<style>{STYLE}</style>",
        HEAD,
    ]
    for level, floor in enumerate(house):
        top = (len(house) - 1 - level) * BAND
        kind = "odd" if level % 2 else "even"
        lines.append(f'<rect class="{kind}" y="{top}" width="{WIDTH}" height="{BAND}"/>')
        label = f"floor {floor.label}" if floor.label.isdigit() else floor.label
        lines.append(f'<text class="floor" x="12" y="{top + BAND / 2 + 4:.0f}">{label}</text>')
    lines += arrows(needed({name: found.get(name, set()) for name in levels(house)}), boxes)
    for floor in house:
        for name, words in floor.rooms.items():
            lines += _room(name, words, boxes[name], name in found)
    return "\n".join([*lines, "</svg>", ""])


def _room(name: str, words: str, box: Box, built: bool) -> list[str]:
    kind = "room" if built else "room tocome"
    title = f"{name}/" if not (HELPERS / f"{name}.py").exists() else f"{name}.py"
    found = [
        f'<rect class="{kind}" x="{box.left:.0f}" y="{box.top:.0f}" width="{box.width:.0f}" '
        f'height="{BOX}" rx="5"/>',
        f'<text class="name" x="{box.left + 10:.0f}" y="{box.top + 20:.0f}">{title}</text>',
    ]
    letters = int((box.width - 20) / LETTER)
    for place, line in enumerate(textwrap.wrap(words.replace("`", ""), letters)):
        y = box.top + 38 + 16 * place
        found.append(f'<text x="{box.left + 10:.0f}" y="{y:.0f}">{html.escape(line)}</text>')
    return found


if __name__ == "__main__":
    SVG.write_text(svg(), encoding="utf-8", newline="\n")
    print(f"Made {SVG.name}.")
