"""The command `workbook bench`."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

bench_app = typer.Typer(help="Benchmarks of the bridge.", no_args_is_help=True)
console = Console()


@bench_app.callback()
def bench() -> None:
    """Benchmarks of the bridge."""


@bench_app.command()
def bridge(
    peers: Annotated[
        bool, typer.Option("--peers", help="Compare with other loaders too; see `make peers`.")
    ] = False,
    to: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the results to this file.")
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="WORKLOAD", help="One workload; again for more."),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Shorten every run; the numbers show nothing.")
    ] = False,
) -> None:
    """Measure the bridge against from_tensor_slices, from_generator and other loaders.

    Each workload is written and shown as it is finished; Ctrl-C keeps those.
    """
    if quick:
        os.environ["WORKBOOK_QUICK"] = "1"
    else:
        os.environ.pop("WORKBOOK_QUICK", None)
    try:
        result = _run(only, peers, to)
    except (ValueError, TypeError, RuntimeError) as error:
        console.print(f"workbook: {error}", style="red", markup=False, highlight=False)
        raise typer.Exit(1) from error
    if result.interrupted:
        raise typer.Exit(128 + signal.SIGINT)


@bench_app.command()
def doctor(
    to: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the results to this file.")
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="SUBJECT", help="One; again for more.")
    ] = None,
    budget: Annotated[float, typer.Option(min=1, help="Seconds for each examination.")] = 15,
    quick: Annotated[
        bool, typer.Option("--quick", help="Shorten every run; the numbers show nothing.")
    ] = False,
) -> None:
    """Examine subjects of known ailment or health, try every fix, and show the proof."""
    if quick:
        os.environ["WORKBOOK_QUICK"] = "1"
    else:
        os.environ.pop("WORKBOOK_QUICK", None)
    from rich.table import Table

    from helpers.bench.doctor import run
    from helpers.measure import save

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    try:
        with Progress(*columns, console=console, transient=True) as progress:
            task = progress.add_task("starting", total=1)
            result = run(
                only,
                budget_s=budget,
                tell=lambda name, share: progress.update(task, description=name, completed=share),
                keep=lambda result: save(result, to) if to else None,
            )
    except (ValueError, TypeError, RuntimeError) as error:
        console.print(f"workbook: {error}", style="red", markup=False, highlight=False)
        raise typer.Exit(1) from error
    if to is not None:
        save(result, to)
    table = Table("", "must reach", "reached", "others")
    for row in result.rows():
        table.add_row(*row)
    console.print(table)
    for case in result.cases:
        if not case.right or case.accused or case.best_first is False:
            said = f"{case.name}: {case.first}, where {' or '.join(case.wanted)} is right; advised"
            console.print(f"missed: {said} {', '.join(case.advised) or 'nothing'}", markup=False)
    console.print(result.provenance)
    if result.interrupted:
        raise typer.Exit(128 + signal.SIGINT)


def _run(only, peers, to):
    from helpers.bench.running import choose, run
    from helpers.bench.table import bench_tables
    from helpers.measure import save

    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        steps = choose(only)
        task = progress.add_task("starting", total=len(steps))

        def tell(name: str, share: float, words: str) -> None:
            said = f"{name}: {words}" if words else name
            progress.update(task, description=said, completed=steps.index(name) + share)

        result = run(
            only, peers=peers, tell=tell, keep=lambda result: save(result, to) if to else None
        )
    if to is not None:
        save(result, to)
    console.print(bench_tables(result))
    return result
