"""A digest, for each claim and notebook, of the code that changes its numbers.

It covers the definitions that a claim or a notebook reaches by the names that it uses, in the files
that are imported where they are used, wherever in the house they stand. Comments, docstrings,
annotations and imports are no part of it: a function that moves to another file, or is explained
better, gives the same numbers.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import nbformat

HELPERS = Path(__file__).parent.parent

MEASURING = (
    "replay.py",
    "quiet.py",
    "measure",
    "bridge",
    "study",
    "diagnose",
    "sources",
    "scale",
    "claims",
)
"""The rooms whose code a number depends on, below `helpers/`."""

BEGINNINGS = {"measure": ("compare", "Processes", "together"), "claims": ("run_claim",)}
"""What every number goes through, by room."""

LEDGER = "CLAIMS"
"""What holds all claims; a process finds its one in it, and each has a digest of its own."""

SHOWS = frozenset({"Board", "claim_named", "machines", "machines_beside", "reference"})
"""By what a notebook shows what became of the claims."""

READER = "reader"
"""The tag of a cell that is about the reader alone, such as what they predicted: it measures
nothing, and is no part of a digest. What it may hold, the tests of the notebooks say."""

_Place = tuple[Path, str]
"""A file and a name that is used in it."""


class Code:
    """The measuring code, read once.

    Args:
        root: The folder that holds the rooms.
    """

    def __init__(self, root: Path = HELPERS) -> None:
        self._root = root
        self._imports: dict[Path, tuple[Path, ...]] = {}
        self._does: dict[Path, list[_Piece]] = {}
        self._defines: dict[_Place, list[_Piece]] = {}
        self._entries: dict[str, tuple[Path, ast.Call]] = {}
        for file in _files(root):
            self._read(file, ast.parse(file.read_text("utf-8")))
        self._begin = [
            (file, name)
            for room, names in BEGINNINGS.items()
            for file in _files_in(root / room)
            for name in names
        ]

    def _read(self, file: Path, tree: ast.Module) -> list[_Piece]:
        self._imports[file] = _imports(tree, file, self._root)
        pieces = _pieces(_Bare().visit(tree))
        self._does[file] = [piece for piece in pieces if not piece.names]
        for piece in pieces:
            for name in piece.names:
                self._defines.setdefault((file, name), []).append(piece)
        self._entries |= {id_: (file, entry) for id_, entry in _entries(tree)}
        return pieces

    @property
    def claims(self) -> frozenset[str]:
        """Ids of the claims that the ledger states."""
        return frozenset(self._entries)

    def of_claim(self, id_: str) -> str:
        """Returns the digest of a claim: what its entry in the ledger says and reaches."""
        if id_ not in self._entries:
            return _digest(self._reached(self._root, ()))  # what every number goes through
        file, entry = self._entries[id_]
        return _digest({ast.dump(entry)} | self._reached(file, _identifiers(entry)))

    def of_notebook(self, path: Path) -> str:
        """Returns the digest of a notebook: its own code and what it reaches.

        One that shows what became of the claims depends on theirs, too. A cell that is not Python,
        such as a magic, counts as it is written; one for the reader alone does not.
        """
        cells = nbformat.read(path, as_version=4).cells
        code = [cell.source for cell in cells if cell.cell_type == "code" and not _for_reader(cell)]
        python = [source for source in code if _is_python(source)]
        pieces = self._read(path, ast.parse("\n".join(python)))
        names = {name for piece in pieces for name in piece.uses}
        own = {*code} - {*python} | {piece.code for piece in pieces}
        shown = {self.of_claim(id_) for id_ in self.claims} if names & SHOWS else set()
        return _digest(own | shown | self._reached(path, names))

    def _reached(self, user: Path, names: Iterable[str]) -> set[str]:
        """The code that is run when names are used: theirs, and of the files that hold it."""
        todo = [*((user, name) for name in names), *self._begin]
        seen, entered, taken = set(todo), set(), set()

        def take(file: Path, piece: _Piece) -> None:
            taken.add(piece.code)
            places = {(file, name) for name in piece.uses} - seen
            seen.update(places)
            todo.extend(places)
            for module in piece.runs:
                enter(_module(module.split(".")[1:], self._root))

        def enter(files: Iterable[Path]) -> None:
            for file in files:
                if file not in entered:
                    entered.add(file)
                    for piece in self._does.get(file, ()):
                        take(file, piece)

        while todo:
            user, name = todo.pop()
            if name == LEDGER:
                continue
            for file in (user, *self._imports.get(user, ())):
                for piece in self._defines.get((file, name), ()):
                    enter([file])
                    take(file, piece)
        return taken


@dataclass(frozen=True)
class _Piece:
    """A statement of a file.

    Attributes:
        names: What it defines; nothing if it only does something.
        code: Its code, bare.
        uses: The names in it.
        runs: Modules of the house that it names in a string, to run them in a process.
    """

    names: tuple[str, ...]
    code: str
    uses: frozenset[str]
    runs: frozenset[str]


def together(digests: Mapping[str, str]) -> str:
    """Returns one digest for those of several claims and notebooks, given by name."""
    return _digest(f"{name} {digest}" for name, digest in digests.items())


def _digest(taken: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(taken)).encode()).hexdigest()[:12]


def _files(root: Path) -> Iterator[Path]:
    for part in MEASURING:
        yield from _files_in(root / part)


def _files_in(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("*.py"))


def _pieces(tree: ast.Module) -> list[_Piece]:
    renamed = {
        alias.asname: alias.name.rpartition(".")[2]
        for node in _import_statements(tree)
        for alias in node.names
        if alias.asname
    }
    found = []
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)) or _is_for_readers(node):
            continue
        uses = _identifiers(node)
        uses |= {renamed[name] for name in uses & set(renamed)}
        strings = {part.value for part in ast.walk(node) if isinstance(part, ast.Constant)}
        runs = {text for text in strings if isinstance(text, str) and _is_module(text)}
        found.append(
            _Piece(tuple(_defined(node)), ast.dump(node), frozenset(uses), frozenset(runs))
        )
    return found


def _is_module(text: str) -> bool:
    first, *rest = text.split(".")
    return first == HELPERS.name and bool(rest) and all(part.isidentifier() for part in rest)


def _is_python(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def _for_reader(cell: nbformat.NotebookNode) -> bool:
    return READER in cell.metadata.get("tags", ())


def _import_statements(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports of a file or within its functions, those for type checkers left out."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif not (isinstance(node, ast.stmt) and _is_for_readers(node)):
            yield from _import_statements(node)


def _imports(tree: ast.Module, file: Path, root: Path) -> tuple[Path, ...]:
    """The files of the house that one imports; of a package, whose face names others, all."""
    found: dict[Path, None] = {}
    for node in _import_statements(tree):
        for parts in _modules(node, file, root):
            found |= dict.fromkeys(_module(parts, root))
    return tuple(found)


def _modules(node: ast.Import | ast.ImportFrom, file: Path, root: Path) -> Iterator[list[str]]:
    """The modules that a statement imports, as the folders and the file below the root."""
    if isinstance(node, ast.Import):
        yield from (name.split(".")[1:] for name in (alias.name for alias in node.names)
                    if _is_module(name))  # fmt: skip
        return
    said = node.module.split(".") if node.module else []
    if node.level:
        at = file.parent.relative_to(root).parts
        said = [*at[: len(at) - node.level + 1], *said]
    elif said[:1] != [HELPERS.name]:
        return
    else:
        said = said[1:]
    for alias in node.names:
        inner = [*said, alias.name]
        yield inner if _module(inner, root) else said


def _module(parts: list[str], root: Path) -> list[Path]:
    path = root.joinpath(*parts)
    if parts and path.is_dir():
        return _files_in(path)
    return [path.with_suffix(".py")] if parts and path.with_suffix(".py").is_file() else []


def _entries(tree: ast.Module) -> Iterator[tuple[str, ast.Call]]:
    """The claims that a file of the ledger states, by id."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _identifiers(node.func) == {"Claim"}:
            said = {word.arg: word.value for word in node.keywords}.get("id")
            if isinstance(said, ast.Constant):
                yield said.value, node


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
