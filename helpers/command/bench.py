"""`workbook bench`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import RenderableType

from .quick import Quick, set_quick
from .terminal import INTERRUPTED, console, progress, say, sentences

Peers = Annotated[
    bool, typer.Option("--peers", help="Compare with other loaders too; see `make peers`.")
]
To = Annotated[
    Path | None, typer.Option("--json", metavar="FILE", help="Write the results to this file.")
]

bench_app = typer.Typer(
    help="Benchmarks of the bridge, sources, the doctor, training and engines.",
    no_args_is_help=True,
)


@bench_app.callback()
def bench() -> None:
    """Benchmarks of the bridge, sources, the doctor, training and engines."""


@bench_app.command()
def bridge(
    peers: Peers = False,
    to: To = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="WORKLOAD", help="One workload; again for more."),
    ] = None,
    quick: Quick = False,
) -> None:
    """Measure the bridge against from_tensor_slices, from_generator and other loaders.

    Each workload is written and shown as it is finished; Ctrl-C keeps those.
    """
    with sentences():
        set_quick(quick)
        from helpers.bench.running import choose, run
        from helpers.bench.table import bench_tables

        result = _measured(run, choose(only), to, bench_tables, peers=peers)
    if result.interrupted:
        raise typer.Exit(INTERRUPTED)


@bench_app.command()
def sources(
    peers: Peers = False,
    to: To = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="SOURCE", help="One source; again for more."),
    ] = None,
    quick: Quick = False,
) -> None:
    """Measure files and streams: the generator that people write, better ways, other loaders.

    Each source is written and shown as it is finished; Ctrl-C keeps those. What the file holds of
    other sources than those of --only stays there.
    """
    with sentences():
        set_quick(quick)
        from helpers.bench.results import BridgeBench
        from helpers.bench.sources import choose, run
        from helpers.bench.table import bench_tables
        from helpers.measure import load

        before = None
        if only and to is not None and to.exists():
            before = load(to)
            if not isinstance(before, BridgeBench):
                raise ValueError(f"{to} holds something else than a run of this benchmark.")
        result = _measured(run, choose(only), to, bench_tables, peers=peers, before=before)
    if result.interrupted:
        raise typer.Exit(INTERRUPTED)


def _measured(
    run: Callable[..., Any],
    steps: list[str],
    to: Path | None,
    tables: Callable[[Any], RenderableType],
    **options: Any,
) -> Any:
    """Runs the steps of a benchmark behind a bar, and writes and shows what they leave."""
    from helpers.measure import save

    with progress(transient=True) as bar:
        task = bar.add_task("starting", total=len(steps))

        def tell(name: str, share: float, words: str) -> None:
            said = f"{name}: {words}" if words else name
            bar.update(task, description=said, completed=steps.index(name) + share)

        result = run(
            steps, tell=tell, keep=lambda result: save(result, to) if to else None, **options
        )
    if to is not None:
        save(result, to)
    console.print(tables(result))
    return result


@bench_app.command()
def doctor(
    to: To = None,
    only: Annotated[
        list[str] | None, typer.Option("--only", metavar="SUBJECT", help="One; again for more.")
    ] = None,
    budget: Annotated[float, typer.Option(min=1, help="Seconds for each examination.")] = 30,
    quick: Quick = False,
) -> None:
    """Examine subjects of known ailment or health, try every fix, and show the proof.

    Each subject is written as it is finished; Ctrl-C keeps those.
    """
    with sentences():
        set_quick(quick)
        from rich.table import Table

        from helpers.bench.doctor import run
        from helpers.bench.doctor_results import best_first
        from helpers.measure import save

        with progress(transient=True) as bar:
            task = bar.add_task("starting", total=1)
            result = run(
                only,
                budget_s=budget,
                tell=lambda name, share: bar.update(task, description=name, completed=share),
                keep=lambda result: save(result, to) if to else None,
            )
        if to is not None:
            save(result, to)
        table = Table("", "must reach", "reached", "others")
        for row in result.rows():
            table.add_row(*row)
        console.print(table)
        for case in result.cases:
            if not case.right or case.accused or best_first(case.pairs) is False:
                wanted = f"{case.name}: {case.first}, where {' or '.join(case.wanted)} is right"
                say(f"missed: {wanted}; advised {', '.join(case.advised) or 'nothing'}")
        say(result.provenance)
    if result.interrupted:
        raise typer.Exit(INTERRUPTED)


@bench_app.command()
def fit(
    to: To = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="WORKLOAD", help="One workload; again for more."),
    ] = None,
    quick: Quick = False,
) -> None:
    """Train a model that is fed in four ways, against the same model on one cached batch.

    Each workload is written as it is finished; Ctrl-C keeps those.
    """
    with sentences():
        set_quick(quick)
        from helpers.bench.fit import choose, run
        from helpers.bench.fit_results import fit_tables

        result = _measured(run, choose(only), to, fit_tables)
    if result.interrupted:
        raise typer.Exit(INTERRUPTED)


@bench_app.command()
def engines(
    to: To = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="STEP", help="One step; again for more."),
    ] = None,
    quick: Quick = False,
) -> None:
    """Measure routes beyond one process: tf.data service, rows written once, Ray; and kill them.

    Each step is written as it is finished; Ctrl-C keeps those.
    """
    with sentences():
        set_quick(quick)
        from helpers.bench.engines import choose, run
        from helpers.bench.engines_results import engines_table

        result = _measured(run, choose(only), to, engines_table)
    if result.interrupted:
        raise typer.Exit(INTERRUPTED)
