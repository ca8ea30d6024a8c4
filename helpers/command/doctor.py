"""`workbook doctor`."""

from __future__ import annotations

import contextlib
import functools
from pathlib import Path
from typing import Annotated

import typer

from .apart import CouldNotRun, copied, examined_apart
from .terminal import INTERRUPTED, complain, errors, progress, say

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
    process of its own; of what that prints, the first lines are shown on standard error.
    """
    call = {
        "subject": subject,
        "signature": signature,
        "batch_size": batch,
        "consumer": consumer,
        "budget_s": budget,
    }
    try:
        with contextlib.ExitStack() as stack:
            with progress(transient=True, on=errors) as bar:
                task = bar.add_task("starting", total=1)

                def tell(words: str, share: float) -> None:
                    bar.update(task, description=words, completed=share)

                show = functools.partial(say, on=errors)
                folder = stack.enter_context(examined_apart(call, tell, show))
            say((folder / "text").read_text())
            for name, to in (("html", html), ("json", json), ("speedscope", speedscope)):
                if to is not None:
                    copied(folder, name, to)
            code = int((folder / "code").read_text())
    except CouldNotRun as error:
        complain(str(error), on=errors)
        raise typer.Exit(COULD_NOT_RUN) from error
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(code)
