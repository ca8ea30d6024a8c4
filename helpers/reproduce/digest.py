"""A digest of the code that changes a number, wherever in the house it stands.

It covers the definitions that a claim, or a notebook that keeps what it measures, reaches by the
names that they use. Comments, docstrings, annotations and imports are no part of it: a function
that moves to another file, or is explained better, gives the same numbers.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from pathlib import Path

import nbformat

from . import notebooks

HELPERS = Path(__file__).parent.parent

MEASURING = ("quiet.py", "measure", "bridge", "study", "diagnose", "sources", "scale", "claims")
"""The rooms whose code a number depends on, below `helpers/`."""

BEGINNINGS = frozenset({"CLAIMS", "run_claim", "compare", "Processes", "together"})
"""What the numbers of claims and of notebooks begin with."""

KEEPS = "run"
"""What a notebook calls to measure something and keep it."""


def code_digest() -> str:
    """Returns a digest of all code that a number depends on, the notebooks' own code apart."""
    return digest_of(HELPERS, BEGINNINGS | _of_notebooks(notebooks.paths()))


def digest_of(root: Path, names: Set[str]) -> str:
    """Returns a digest of the definitions that are reached from some names.

    Args:
        root: The folder that holds the rooms.
        names: Where to begin.
    """
    pieces = [piece for file in _files(root) for piece in _pieces(file)]
    reached, seen = list(names), set(names)
    taken: set[str] = set()
    by_name: dict[str, list[_Piece]] = {}
    for piece in pieces:
        for name in piece.names:
            by_name.setdefault(name, []).append(piece)
        if not piece.names:  # it is run when the file is imported
            taken.add(piece.code)
            reached += piece.uses - seen
            seen |= piece.uses
    while reached:
        for piece in by_name.get(reached.pop(), ()):
            taken.add(piece.code)
            reached += piece.uses - seen
            seen |= piece.uses
    return hashlib.sha256("\n".join(sorted(taken)).encode()).hexdigest()[:12]


@dataclass(frozen=True)
class _Piece:
    """A statement of a file.

    Attributes:
        names: What it defines; nothing if it only does something.
        code: Its code, bare.
        uses: The names in it.
    """

    names: tuple[str, ...]
    code: str
    uses: frozenset[str]


def _files(root: Path) -> Iterator[Path]:
    for part in MEASURING:
        path = root / part
        yield from [path] if path.is_file() else sorted(path.rglob("*.py"))


def _pieces(file: Path) -> Iterator[_Piece]:
    tree = _Bare().visit(ast.parse(file.read_text(encoding="utf-8")))
    renamed = {
        alias.asname: alias.name.rpartition(".")[2]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
        if alias.asname
    }
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)) or _is_for_readers(node):
            continue
        uses = _identifiers(node)
        uses |= {renamed[name] for name in uses & set(renamed)}
        yield _Piece(tuple(_defined(node)), ast.dump(node), frozenset(uses))


def _defined(node: ast.stmt) -> Iterable[str]:
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [name.id for target in targets if target for name in ast.walk(target)
            if isinstance(name, ast.Name)]  # fmt: skip


def _is_for_readers(node: ast.stmt) -> bool:
    """Tells whether a statement is for type checkers, or says what a star would import."""
    if isinstance(node, ast.If):
        return "TYPE_CHECKING" in _identifiers(node.test)
    return "__all__" in _defined(node)


def _identifiers(node: ast.AST) -> set[str]:
    found = {name.id for name in ast.walk(node) if isinstance(name, ast.Name)}
    return found | {name.attr for name in ast.walk(node) if isinstance(name, ast.Attribute)}


class _Bare(ast.NodeTransformer):
    """Takes away what no number depends on."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        said = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if said else self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.AST:
        node.annotation = None
        return node


def _of_notebooks(paths: Iterable[Path]) -> frozenset[str]:
    """The names that are used in notebooks which keep what they measure."""
    used: set[str] = set()
    for path in paths:
        cells = nbformat.read(path, as_version=4).cells
        code = [cell.source for cell in cells if cell.cell_type == "code"]
        magic = [source for source in code if source.lstrip().startswith(("%", "!"))]
        tree = ast.parse("\n".join(source for source in code if source not in magic))
        calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
        if any(isinstance(call, ast.Name) and call.id == KEEPS for call in calls):
            used |= _identifiers(tree)
    return frozenset(used)
