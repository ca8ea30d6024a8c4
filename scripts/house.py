"""The rooms of `helpers/`: their floors as CONTRIBUTING.md sets them, what they import in the code.

`tests/unit/test_floors.py` holds the second to the first; `draw_house.py` draws both.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HELPERS = ROOT / "helpers"
CONTRIBUTING = ROOT / "CONTRIBUTING.md"

Imports = dict[str, set[str]]
"""For each file of the house, by its dotted name, the files that it imports from."""


@dataclass(frozen=True)
class Floor:
    """A row of the table of floors.

    Attributes:
        label: What the table calls it.
        rooms: What each room of it is for, by the room's name.
    """

    label: str
    rooms: dict[str, str]


def floors() -> list[Floor]:
    """Returns the floors from the ground up, as the table says.

    Raises:
        ValueError: If a row does not say something of each of its rooms.
    """
    text = CONTRIBUTING.read_text(encoding="utf-8")
    found = []
    for label, names, words in re.findall(r"^\| (\w+) \| (`.+`) \| (.+) \|$", text, re.MULTILINE):
        rooms = [name.removesuffix(".py") for name in re.findall(r"[\w.]+", names)]
        found.append(Floor(label, dict(zip(rooms, words.split("; "), strict=True))))
    return found[::-1]


def levels(house: list[Floor]) -> dict[str, int]:
    """Returns the height of each room, 0 on the ground."""
    return {room: height for height, floor in enumerate(house) for room in floor.rooms}


def imports(helpers: Path = HELPERS) -> Imports:
    """Reads every import of the package's own files, wherever in a file it stands.

    Those within a function and behind TYPE_CHECKING count.
    """
    files = {_name(path, helpers): path for path in sorted(helpers.rglob("*.py"))}
    return {
        name: {_file(other, files) for other in _imported(name, path)} - {name}
        for name, path in files.items()
    }


def _name(path: Path, helpers: Path) -> str:
    parts = path.relative_to(helpers.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(name: str, path: Path) -> set[str]:
    """The dotted names that a file imports from the house, what it takes from each included."""
    package = name.split(".") if path.stem == "__init__" else name.split(".")[:-1]
    top, found = name.split(".")[0], set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names}
    return {other for other in found if other.split(".")[0] == top}


def _file(dotted: str, files: dict[str, Path]) -> str:
    """The file that a dotted name is, or is in."""
    while dotted not in files:
        dotted = dotted.rpartition(".")[0]
    return dotted


def room(file: str) -> str:
    """The room that a file belongs to: a folder, or a file at the top."""
    return [*file.split("."), "__init__"][1]


def between_rooms(found: Imports) -> Imports:
    """Sums the imports up by room, leaving out those within a room and those of the package."""
    rooms: Imports = {room(file): set() for file in found}
    for file, others in found.items():
        rooms[room(file)] |= {room(other) for other in others} - {room(file), "__init__"}
    return rooms


def circle(found: Imports) -> list[str]:
    """Returns files or rooms that import each other in a circle, the first one again at the end.

    An empty list says that there is none.
    """
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []
