"""`workbook selfcheck`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .terminal import FAILED, console, progress, say, sentences


def selfcheck(
    repeats: Annotated[
        int, typer.Option(help="Comparisons of either kind; a few say little.")
    ] = 40,
    to: Annotated[
        Path | None, typer.Option("--json", help="Also write the result to this file.")
    ] = None,
) -> None:
    """Check on this machine that a difference of 5 % is found, and none where there is none."""
    with sentences(), progress() as bar:
        from helpers.measure import Processes, percent, save
        from helpers.measure.selfcheck import selfcheck as check

        from .tables import selfcheck_table

        task = bar.add_task("comparisons", total=repeats)
        with Processes() as processes:
            result = check(
                repeats,
                on_progress=lambda done, total: bar.update(task, completed=done),
                processes=processes,
            )
        if to is not None:
            save(result, to)
    console.print(selfcheck_table(result))
    console.print(result.machine.line)
    say(
        "The arms are plain Python: this tries the machine and the statistics, and pipelines vary "
        f"more. A single pass counts as different from {percent(result.noticed)}."
    )
    if result.passed:
        say("Both rates are kept.")
    else:
        console.print(
            "A rate was missed: this machine is too noisy just now for differences as small as "
            f"{percent(result.slowdown)}; the least that it lets be found stands in the table."
        )
        raise typer.Exit(FAILED)
