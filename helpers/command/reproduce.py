"""`workbook reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .quick import Quick, set_quick
from .terminal import FAILED, Watch, complain, console, say, sentences, shown, terminable


def reproduce(
    quick: Quick = False,
    only: Annotated[
        list[str] | None,
        typer.Option(
            "--only",
            metavar="ID",
            help="A claim's id, or the number or name of a notebook; again for more.",
        ),
    ] = None,
    again: Annotated[
        bool,
        typer.Option("--again", help="Measure a second time, and report how far both runs agree."),
    ] = False,
    store: Annotated[
        bool, typer.Option("--store", help="Also store in each notebook what it shows.")
    ] = False,
    changed: Annotated[
        bool,
        typer.Option("--changed", help="Measure only what the code has changed since the results."),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder for what is written.", show_default="results")
    ] = None,
) -> None:
    """Run every claim and every notebook; write a results file and a report.

    What is measured is kept as it comes: after Ctrl-C or a failure, the same command goes on.
    """
    with sentences(), terminable():
        set_quick(quick)
        from helpers import reproduce
        from helpers.show.report import write

        from .tables import run_table

        plan = reproduce.prepare(
            out or reproduce.RESULTS, only, again=again, store=store, changed=changed
        )
        for remark in plan.remarks:
            console.print(remark, markup=False, highlight=False)
        left = plan.time_left()
        watch = Watch(len(plan.ahead), left)
        failures: dict[str, str] = {}
        interrupt = None
        try:
            with watch.progress:
                reproduce.measure(plan, left, watch.tell, failures)
        except KeyboardInterrupt as error:
            interrupt = error
        run = reproduce.gather(plan, failures)
        if run.seconds or run.measurements:
            written = reproduce.conclude(plan, run)
            report = write(written)
            if interrupt is None:
                console.print(run_table(run))
            say(f"Results: {shown(written)}", f"Report:  {shown(report)}")
        for failure in failures.values():
            complain(failure)
        if interrupt is not None:
            done = len(run.seconds)
            say(f"{done} of {len(plan.steps)} steps are done; the same command goes on there.")
            raise interrupt
        if failures:
            say("The rest is kept: the same command repeats only what failed.")
            raise typer.Exit(FAILED)
