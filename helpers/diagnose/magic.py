"""`%%doctor`: examines what a notebook's cell defines or builds."""

from __future__ import annotations

import argparse
import ast
import contextlib
import shlex
from collections.abc import Iterator
from typing import Any

from IPython.core.error import UsageError

from helpers.diagnose.diagnosis import Diagnosis
from helpers.diagnose.examining import examine


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:
        raise ValueError(f"%%doctor: {message}.")


def options(line: str) -> argparse.Namespace:
    """Reads the options of the magic's line.

    Args:
        line: What stands behind `%%doctor`.

    Raises:
        ValueError: In one sentence, if an option is unknown or odd.
    """
    parser = _Parser(prog="%%doctor", add_help=False)
    parser.add_argument("name", nargs="?")
    parser.add_argument("--signature")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--consumer")
    parser.add_argument("--budget", type=float, default=45)
    return parser.parse_args(shlex.split(line))


def brought_by(cell: str) -> str:
    """Names what a cell brings: its last expression, function or assignment.

    Raises:
        ValueError: If the cell brings nothing.
    """
    for node in reversed(ast.parse(cell).body):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            return node.name
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            return node.targets[0].id
        if isinstance(node, ast.Expr):
            return ast.unparse(node.value)
    raise ValueError("%%doctor: the cell defines nothing to examine; name it on the first line.")


def doctor(line: str, cell: str, shell: Any) -> Diagnosis | None:
    """Runs a cell and examines what it brings.

    Args:
        line: `[NAME] [--signature S] [--batch N] [--consumer C] [--budget S]`; signature and
            consumer are Python, read after the cell has run.
        cell: The cell.
        shell: IPython's.

    Returns:
        The diagnosis, which is also `diagnosis` in the notebook; None if the cell raised.

    Raises:
        UsageError: In one sentence, if something on the line or in the cell cannot be examined.
    """
    with _one_sentence():
        how = options(line)
    cell = shell.transform_cell(cell)  # lines that begin with ! or % become Python
    try:
        with _one_sentence():
            name = how.name or brought_by(cell)
    except SyntaxError:
        shell.run_cell(cell)  # says where
        return None
    last = ast.parse(cell).body[-1:]
    if not how.name and last and isinstance(last[0], ast.Expr):
        # it is evaluated below, and once is enough; the lines before keep their numbers
        cell = "".join(cell.splitlines(keepends=True)[: last[0].lineno - 1])
    if not shell.run_cell(cell).success:
        return None

    def read(source: str) -> Any:
        return eval(source, shell.user_ns)

    brought = read(name)  # what it raises is the user's, with its traceback
    with _one_sentence():
        found = examine(
            brought, output_signature=read(how.signature) if how.signature else None,
            batch_size=how.batch, consumer=read(how.consumer) if how.consumer else None,
            budget_s=how.budget,
        )  # fmt: skip
    shell.user_ns["diagnosis"] = found
    return found


@contextlib.contextmanager
def _one_sentence() -> Iterator[None]:
    """Shows what is wrong on the magic's line, or with what it examines, without a traceback."""
    try:
        yield
    except (ValueError, TypeError, NameError) as error:
        said = str(error)
        raise UsageError(said if "%%doctor" in said else f"%%doctor: {said}") from error


def register(shell: Any) -> None:
    """Makes `%%doctor` known to IPython."""
    shell.register_magic_function(
        lambda line, cell: doctor(line, cell, shell), magic_kind="cell", magic_name="doctor"
    )
