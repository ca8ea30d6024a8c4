"""The command `workbook`."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from helpers.bench.command import bench_app
from helpers.command.doctor import doctor

app = typer.Typer(
    help="Keep tf.data fast when the data comes from Python: measure, reproduce, check.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(bench_app, name="bench")
app.command()(doctor)
console = Console()


class Terminated(KeyboardInterrupt):
    """The process was asked to end, by SIGTERM rather than Ctrl-C."""


@app.command()
def reproduce(
    quick: Annotated[
        bool, typer.Option("--quick", help="Shorten every run; the numbers show nothing.")
    ] = False,
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
    out: Annotated[
        Path | None, typer.Option(help="Folder for what is written.", show_default="results")
    ] = None,
) -> None:
    """Run every claim and every notebook; write a results file and a report.

    What is measured is kept as it comes: after Ctrl-C or a failure, the same command goes on.
    """
    with _sentences(), _terminable():
        _mode(quick)
        from helpers import planning, reproduce
        from helpers.runs import RESULTS
        from helpers.show.terminal import Watch, run_table

        plan = planning.prepare(out or RESULTS, only, again=again, store=store)
        for remark in plan.remarks:
            console.print(remark, markup=False, highlight=False)
        left = plan.time_left()
        watch = Watch(console, len(plan.ahead), left)
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
            report = _report(written)
            if interrupt is None:
                console.print(run_table(run))
            _say(f"Results: {_shown(written)}", f"Report:  {_shown(report)}")
        for failure in failures.values():
            _complain(failure)
        if interrupt is not None:
            done = len(run.seconds)
            _say(f"{done} of {len(plan.steps)} steps are done; the same command goes on there.")
            raise interrupt
        if failures:
            _say("The rest is kept: the same command repeats only what failed.")
            raise typer.Exit(1)


@app.command()
def compare(
    files: Annotated[
        list[Path], typer.Argument(metavar="A.json B.json…", help="What `reproduce` wrote.")
    ],
) -> None:
    """Set machines, or runs, side by side: which ratios agree, and which verdicts differ."""
    with _sentences():
        from helpers.comparing import compare_runs
        from helpers.runs import load_run
        from helpers.show.terminal import comparison_tables

        stems = [path.stem for path in files]
        clear = len(set(stems)) == len(files)
        names = stems if clear else [str(path) for path in files]
        runs = {name: load_run(path) for name, path in zip(names, files, strict=True)}
        console.print(comparison_tables(compare_runs(runs)))


@app.command()
def report(
    file: Annotated[Path, typer.Argument(metavar="RUN.json", help="What `reproduce` wrote.")],
) -> None:
    """Write the report of a results file again, without measuring."""
    with _sentences():
        _say(f"Report: {_shown(_report(file))}")


@app.command()
def claims(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with all particulars.")] = False,
) -> None:
    """List every claim with its source, its notebook and the reference run's verdict."""
    with _sentences():
        from helpers.claims import listing
        from helpers.measure import this_machine
        from helpers.runs import reference
        from helpers.show.terminal import claims_table

        run = reference(this_machine())
        rows = listing(run.claims.values() if run else ())
        if as_json:
            print(json.dumps(rows, ensure_ascii=False, indent=1))
        else:
            console.print(claims_table(rows, run))


@app.command()
def refresh(
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="Number or name of a notebook; again for more."),
    ] = None,
) -> None:
    """Run the notebooks in full and store the figures and tables that they show."""
    with _sentences(), _terminable(), _progress() as progress:
        _mode(False)
        from helpers import notebooks
        from helpers.choosing import choose

        _, chosen = choose(only, (), notebooks.paths())
        task = progress.add_task("notebooks", total=len(chosen))
        for place, path in enumerate(chosen):
            notebooks.refresh(
                path,
                on_cell=lambda done, total, place=place, path=path: progress.update(
                    task, description=path.stem, completed=place + done / total
                ),
            )


@app.command()
def selfcheck(
    repeats: Annotated[
        int, typer.Option(help="Comparisons of either kind; a few say little.")
    ] = 40,
    to: Annotated[
        Path | None, typer.Option("--json", help="Also write the result to this file.")
    ] = None,
) -> None:
    """Check on this machine that a difference of 10 % is found, and none where there is none."""
    with _sentences(), _progress() as progress:
        from helpers.measure import save
        from helpers.selfcheck import NOTICED
        from helpers.selfcheck import selfcheck as check

        task = progress.add_task("comparisons", total=repeats)
        result = check(
            repeats, on_progress=lambda done, total: progress.update(task, completed=done)
        )
        if to is not None:
            save(result, to)
    table = Table("", "must be", "rounds and intervals", "one pass each, as the article times")
    for row in result.rows():
        table.add_row(*row)
    console.print(table)
    console.print(result.machine.line)
    _say(
        "The arms are plain Python: this tries the machine and the statistics, and pipelines vary "
        f"more. A single pass counts as different from {NOTICED:.0%}."
    )
    if result.passed:
        _say("Both rates are kept.")
    else:
        console.print(
            "A rate was missed: this machine is too noisy for its numbers to be trusted just now."
        )
        raise typer.Exit(1)


def _mode(quick: bool) -> None:
    """Sets the mode for this process and the kernels it starts, before anything reads it."""
    if quick:
        os.environ["WORKBOOK_QUICK"] = "1"
    else:
        os.environ.pop("WORKBOOK_QUICK", None)


def _progress() -> Progress:
    return Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console
    )


def _report(results: Path) -> Path:
    from helpers.show.report import write

    return write(results)


def _shown(path: Path) -> str:
    """A path as short as it can be said from here."""
    with suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def _say(*lines: str) -> None:
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _complain(sentence: str) -> None:
    console.print(f"workbook: {sentence}", style="red", markup=False, highlight=False)


@contextmanager
def _sentences() -> Iterator[None]:
    """Ends the command with one sentence where the helpers refuse, or where Ctrl-C does."""
    try:
        yield
    except (ValueError, TypeError, RuntimeError) as error:
        _complain(str(error))
        raise typer.Exit(1) from error
    except Terminated:
        raise typer.Exit(128 + signal.SIGTERM) from None
    except KeyboardInterrupt:
        console.print("workbook: stopped; what was measured before is kept.", style="yellow")
        raise typer.Exit(128 + signal.SIGINT) from None


@contextmanager
def _terminable() -> Iterator[None]:
    """Lets SIGTERM end the command as Ctrl-C does: with its children, and with what it has."""

    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def main() -> None:
    """Runs the command."""
    app()


if __name__ == "__main__":
    main()
