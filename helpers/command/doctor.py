"""`workbook doctor`."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from .apart import CouldNotRun, copied, examined_apart

COULD_NOT_RUN = 2
"""Exit code when there is no diagnosis, or the user's code raised; 1 is for findings."""


def doctor(
    subject: Annotated[
        str,
        typer.Argument(
            metavar="MODULE:CALLABLE",
            help="A generator function, a sequence, or what returns a data set; also file.py:name.",
        ),
    ],
    signature: Annotated[
        str | None,
        typer.Option(help='Of one row, such as "tf.TensorSpec((3,), tf.float32)".'),
    ] = None,
    batch: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Rows in a batch; 32 unless given.")
    ] = None,
    consumer: Annotated[
        str | None,
        typer.Option(metavar="MODULE:CALLABLE", help="What takes a batch, or a compiled model."),
    ] = None,
    budget: Annotated[float, typer.Option(min=1, metavar="S", help="Seconds.")] = 45,
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write one HTML file.")
    ] = None,
    json: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write it as JSON.")
    ] = None,
    speedscope: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write the profile for speedscope.")
    ] = None,
) -> None:
    """Examine a generator or pipeline: what is slow, what is wrong, what to change.

    Ends with 0 if it is healthy, 1 with findings, 2 if it could not run. Runs your code in a
    process of its own, and shows what that prints on standard error.
    """
    console, errors = Console(), Console(stderr=True)
    call = {
        "subject": subject,
        "signature": signature,
        "batch_size": batch,
        "consumer": consumer,
        "budget_s": budget,
    }
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    try:
        with contextlib.ExitStack() as stack:
            with Progress(*columns, console=errors, transient=True) as progress:
                task = progress.add_task("starting", total=1)
                folder = stack.enter_context(
                    examined_apart(
                        call,
                        lambda words, share: progress.update(
                            task, description=words, completed=share
                        ),
                    )
                )
            console.print((folder / "text").read_text(), markup=False, soft_wrap=True)
            for name, to in (("html", html), ("json", json), ("speedscope", speedscope)):
                if to is not None:
                    copied(folder, name, to)
            code = int((folder / "code").read_text())
    except CouldNotRun as error:
        errors.print(f"workbook: {error}", style="red", markup=False, highlight=False)
        raise typer.Exit(COULD_NOT_RUN) from error
    except KeyboardInterrupt:
        raise typer.Exit(128 + signal.SIGINT) from None
    raise typer.Exit(code)
