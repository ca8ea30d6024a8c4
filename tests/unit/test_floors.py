"""Imports run down the floors of the house; measuring and bridging know nothing of each other."""

import ast
from pathlib import Path

import pytest

import helpers

ROOT = Path(helpers.__file__).parent
FLOORS = {
    "quiet": 0,
    "measure": 1,
    "bridge": 1,
    "study": 2,
    "diagnose": 2,
    "show": 4,
    "command": 5,
    "__main__": 6,
}
OTHERS = 3  # what runs, keeps and judges: claims, notebooks, reproduce, …
FILES = sorted(ROOT.rglob("*.py"))


def _room(parts: tuple[str, ...]) -> str:
    return parts[1] if len(parts) > 1 else "__init__"


def _imported(path: Path) -> set[str]:
    """The rooms of the house that a file imports from, wherever in it the import stands."""
    parts = ("helpers", *path.relative_to(ROOT).with_suffix("").parts)
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(parts[: -node.level]) if node.level else ""
            module = ".".join(filter(None, (base, node.module)))
            names = [
                f"{module}.{alias.name}" if module == "helpers" else module for alias in node.names
            ]
        found |= {_room(tuple(name.split("."))) for name in names if name.startswith("helpers")}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_imports_run_down_the_floors(path):
    room = _room(("helpers", *path.relative_to(ROOT).with_suffix("").parts))
    floor = FLOORS.get(room, OTHERS)
    for other in _imported(path) - {room, "__init__", "__version__"}:
        below = FLOORS.get(other, OTHERS)
        assert below < floor or (below == floor == OTHERS), f"{room} imports {other}"


def test_what_measures_arithmetic_needs_no_tensorflow():
    for name in ("statistics", "results", "measurement", "settings", "machine", "timing"):
        source = (ROOT / "measure" / f"{name}.py").read_text(encoding="utf-8")
        assert "quiet" not in source
        assert "import tensorflow" not in source
