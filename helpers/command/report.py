"""`workbook report`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import say, sentences, shown


def report(
    file: Annotated[Path, typer.Argument(metavar="RUN.json", help="What `reproduce` wrote.")],
) -> None:
    """Write the report of a results file again, without measuring."""
    with sentences():
        from helpers.show.report import write

        say(f"Report: {shown(write(file))}")
