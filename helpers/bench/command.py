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
