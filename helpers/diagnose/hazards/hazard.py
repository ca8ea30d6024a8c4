"""A hazard, and what hazards are looked for in."""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.diagnose.looking import Look
from helpers.diagnose.signature import SignatureReport
from helpers.diagnose.subject import Subject
from helpers.diagnose.unearth import inputs_of

DATA, SPEED, NOTE = "data", "speed", "note"
"""It changes or loses data; it costs time or memory; it may matter elsewhere. In this order."""


@dataclass(frozen=True)
class Hazard:
    """Something that is wrong, or will be.

    Attributes:
        name: A short identifier, such as "reused-array".
        level: "data", "speed" or "note".
        title: What it is, in a few words.
        why: What happens, in a sentence or two.
        fix: What to do, as a sentence or a line of code.
        where: "file.py:12"; "" where no line can be known.
        last: The last of the lines that it makes slow; 0 for the line itself.
    """

    name: str
    level: str
    title: str
    why: str
    fix: str
    where: str = ""
    last: int = 0


@dataclass(frozen=True)
class Evidence:
    """What the doctor knows when it looks for hazards.

    Attributes:
        subject: What is examined.
        look: What two passes over the rows showed; None without rows in Python.
        report: What was said of the signature; None without one.
        given: The signature as given; None if it is missing.
        batch_size: Rows in a batch.
        model: Whether the consumer is a Keras model.
        dataset: The pipeline as brought; None if there is none.
    """

    subject: Subject
    look: Look | None
    report: SignatureReport | None
    given: Any
    batch_size: int
    model: bool = False
    dataset: Any = None

    @functools.cached_property
    def tree(self) -> ast.AST | None:
        """The syntax tree of the user's function or class, its lines those of the file."""
        try:
            lines, first = inspect.getsourcelines(inspect.unwrap(self.subject.code))
            tree = ast.parse(textwrap.dedent("".join(lines)))
        except (OSError, TypeError, SyntaxError):
            return None
        return ast.increment_lineno(tree, first - 1)

    @functools.cached_property
    def chain(self) -> list[Any]:
        """The data sets of the pipeline, the source first; a branch follows the one before."""
        found: list[Any] = []
        waiting = [self.dataset] if self.dataset is not None else []
        while waiting:
            one = waiting.pop()
            found.append(one)
            waiting += inputs_of(one)
        return found[::-1]

    @functools.cached_property
    def steps(self) -> list[str]:
        """Names of the steps, such as "batch", the source first."""
        return [step_name(one) for one in self.chain]

    @functools.cached_property
    def values(self) -> dict[str, Any]:
        """What the user's function refers to outside of itself, by name."""
        code = inspect.unwrap(self.subject.code)
        try:
            found = inspect.getclosurevars(code)
        except (TypeError, ValueError):
            return (
                dict(vars(self.subject.source)) if hasattr(self.subject.source, "__dict__") else {}
            )
        return {**found.globals, **found.nonlocals}

    def at(self, node: ast.AST) -> str:
        """Where a node of the tree stands."""
        return self.subject.at(getattr(node, "lineno", 0))

    def row_at(self, index: int) -> str:
        """The line that a row was yielded from."""
        lines = self.look.lines if self.look else []
        return self.subject.at(lines[index]) if 0 <= index < len(lines) else ""


Rule = Callable[[Evidence], "Hazard | None"]


def step_name(dataset: Any) -> str:
    """What a data set's step is called: "_ParallelMapDataset" is "parallelmap"."""
    name = type(dataset).__name__.strip("_").lower()
    return name.removesuffix("v2").removesuffix("dataset").removesuffix("v2")


def calls(tree: ast.AST | None) -> list[tuple[str, ast.Call]]:
    """Returns the calls in a tree with their dotted names, such as "np.random.rand"."""
    if tree is None:
        return []
    found = [(dotted(node.func), node) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [(name, node) for name, node in found if name]


def dotted(node: ast.AST) -> str:
    """Writes a name or attribute as it stands; "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        inner = dotted(node.value)
        return f"{inner}.{node.attr}" if inner else ""
    return ""


def first(items: Sequence[Any]) -> Any:
    """Returns the first item, or None."""
    return items[0] if items else None
