"""`workbook compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import console, sentences


def compare(
    files: Annotated[
        list[Path], typer.Argument(metavar="A.json B.json…", help="What `reproduce` wrote.")
    ],
) -> None:
    """Set machines, or runs, side by side: which ratios agree, and which verdicts differ."""
    with sentences():
        from helpers.reproduce import compare_runs, load_run

        from .tables import comparison_tables

        stems = [path.stem for path in files]
        clear = len(set(stems)) == len(files)
        names = stems if clear else [str(path) for path in files]
        runs = {name: load_run(path) for name, path in zip(names, files, strict=True)}
        console.print(comparison_tables(compare_runs(runs)))
