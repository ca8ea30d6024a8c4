"""`workbook share`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import say, sentences, shown


def share(
    results: Annotated[
        Path | None,
        typer.Argument(
            metavar="RESULTS",
            help="What `reproduce` wrote, or its folder; this machine's newest unless given.",
            show_default=False,
        ),
    ] = None,
    to: Annotated[Path, typer.Option(metavar="DIR", help="The folder to write to.")] = Path("."),
    quick: Annotated[
        bool, typer.Option("--quick", help="Share a quick run, whose numbers show nothing.")
    ] = False,
) -> None:
    """Write your ratios and verdicts for `workbook room`, without anything personal."""
    with sentences():
        from helpers.reproduce import share as shared

        path, given = shared(results, to, quick=quick)
        say(
            f"Shared: {shown(path)}",
            f"It holds {len(given.ratios)} ratios, {len(given.verdicts)} verdicts, and of your "
            f"machine this: {given.machine.line}, {given.machine.memory_gib} GiB, "
            f"{given.machine.system}, Python {given.machine.python}, versions of "
            f"{', '.join(given.machine.versions)}.",
            "No name of yours or of the host, no path, no date, no text of errors.",
        )
