"""What a run of the matrix found: text, Markdown and JSON, without a word about the machine."""

import collections
import dataclasses
import json
import os
import tempfile
from pathlib import Path

EQUAL, REFUSED, DIFFERENT, SKIPPED = "equal", "refused", "different", "skipped"
MARKS = {EQUAL: "=", REFUSED: "R", DIFFERENT: "≠", SKIPPED: "–"}


@dataclasses.dataclass(frozen=True)
class Cell:
    """One way under one use.

    Attributes:
      way: Name of the way.
      family: Part of the table.
      use: Name of the use.
      status: EQUAL, REFUSED, DIFFERENT or SKIPPED.
      text: The sentence of a refusal, what differs, or why it was skipped; with EQUAL the error
        that tf.data raises too.
      seconds: What the cell took.
    """

    way: str
    family: str
    use: str
    status: str
    text: str = ""
    seconds: float = 0.0


@dataclasses.dataclass(frozen=True)
class Result:
    """What a run found.

    Attributes:
      cells: All cells that ran, in the order of the table.
      full: Whether they are the whole matrix.
      tensorflow: Version.
      keras: Version.
    """

    cells: tuple[Cell, ...]
    full: bool
    tensorflow: str
    keras: str

    def count(self, status: str) -> int:
        """Number of cells of a status."""
        return sum(cell.status == status for cell in self.cells)

    def of(self, status: str) -> list[Cell]:
        """The cells of a status."""
        return [cell for cell in self.cells if cell.status == status]

    def headline(self) -> str:
        """The counts in a line."""
        return (
            f"{len(self.cells)} cells: {self.count(EQUAL)} equal to tf.data's own, "
            f"{self.count(REFUSED)} refused in a sentence, {self.count(DIFFERENT)} different"
            + (f", {skipped} skipped" if (skipped := self.count(SKIPPED)) else "")
            + f"; TensorFlow {self.tensorflow}, Keras {self.keras}, "
            + ("whole" if self.full else "a representative part")
        )

    def text(self) -> str:
        """The counts, and every cell that is not equal."""
        lines = [self.headline()]
        for status in (DIFFERENT, REFUSED, SKIPPED):
            for cell in self.of(status):
                lines.append(f"{status}: {cell.way} × {cell.use}: {cell.text}")
        return "\n".join(lines)

    def markdown(self) -> str:
        """The table, a family at a time, and below it what each mark but `=` stands for."""
        ways = list(dict.fromkeys(cell.way for cell in self.cells))
        families = collections.defaultdict(dict)
        for cell in self.cells:
            families[cell.family].setdefault(cell.use, {})[cell.way] = cell
        parts = [
            "# What holds where TensorFlow takes a data set",
            self.headline() + ".",
            "A row is a use, a column a way of Python data into TensorFlow. `=`: the same "
            "elements, sizes, order, specification and cardinality as tf.data's own pipeline under "
            "the same use, or the same class of error; `R`: refused, in the sentence below; `≠`: "
            "different; `–`: skipped.",
        ]
        for family, uses in families.items():
            columns = [way for way in ways if any(way in cells for cells in uses.values())]
            parts.append(f"## {family[0].upper()}{family[1:]}")
            rows = [["use", *columns], ["---", *[":-:"] * len(columns)]]
            for use, cells in uses.items():
                marks = [MARKS[cells[way].status] if way in cells else "" for way in columns]
                rows.append([use, *marks])
            parts.append("\n".join("| " + " | ".join(row) + " |" for row in rows))
        for status, title in (
            (DIFFERENT, "Different"),
            (REFUSED, "Refused"),
            (SKIPPED, "Skipped"),
        ):
            if cells := self.of(status):
                parts.append(f"## {title}")
                parts.append(_listed(cells))
        return "\n\n".join(parts) + "\n"

    def write(self, path: str | Path) -> None:
        """Writes the run as JSON, whole or not at all."""
        write_whole(path, json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n")


def _listed(cells: list[Cell]) -> str:
    """One line a text, with the cells that it stands for."""
    by_text = collections.defaultdict(lambda: collections.defaultdict(list))
    for cell in cells:
        by_text[cell.text][cell.use].append(cell.way)
    lines = []
    for text, uses in by_text.items():
        by_ways = collections.defaultdict(list)
        for use, ways in uses.items():
            by_ways[tuple(ways)].append(use)
        where = "; ".join(
            f"{', '.join(uses)} ({' · '.join(ways)})" for ways, uses in by_ways.items()
        )
        lines.append(f"- {where}: {text.replace('|', chr(92) + '|')}")
    return "\n".join(lines)


def write_whole(path: str | Path, text: str) -> None:
    """Writes a file that is there whole or not at all."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(
        "w", encoding="utf-8", dir=path.parent, prefix=path.name, delete=False
    ) as file:
        try:
            file.write(text)
        except BaseException:
            os.unlink(file.name)
            raise
    os.chmod(file.name, 0o644)
    os.replace(file.name, path)
