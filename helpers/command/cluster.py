"""`workbook cluster`."""

from __future__ import annotations

import time
import warnings
from typing import Annotated

import typer

from .terminal import complain, errors, progress, say, sentences, terminable

cluster_app = typer.Typer(help="A tf.data service of real processes.", no_args_is_help=True)

POLL_S = 1.0


@cluster_app.callback()
def cluster() -> None:
    """A tf.data service of real processes."""


@cluster_app.command()
def start(
    workers: Annotated[
        int, typer.Option(min=0, metavar="N", help="Worker processes; 0 for a dispatcher alone.")
    ] = 2,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="The dispatcher's; 0 for a free one.")
    ] = 0,
    host: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="This machine's address, so that others can reach it; by default loopback only.",
        ),
    ] = None,
    dispatcher: Annotated[
        str | None,
        typer.Option(metavar="HOST:PORT", help="Only workers, for a dispatcher elsewhere."),
    ] = None,
    work_dir: Annotated[
        str | None, typer.Option(metavar="DIR", help="Keeps the journal, to start again from it.")
    ] = None,
    pipeline: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODULE:CALLABLE", help="What the workers host; again for more. Experimental."
        ),
    ] = None,
) -> None:
    """Start a dispatcher and workers, and say where; Ctrl-C ends them."""
    with sentences(), terminable():
        from helpers.scale import Cluster
        from helpers.scale import host as hosting

        with warnings.catch_warnings(record=True) as warned:
            warnings.simplefilter("always")
            with progress(transient=True) as bar:
                bar.add_task("starting", total=None)
                made = Cluster(
                    workers,
                    hosted=[hosting(one) for one in pipeline or ()],
                    host=host,
                    port=port,
                    work_dir=work_dir,
                    dispatcher=dispatcher,
                )
        with made:
            for one in warned:
                complain(str(one.message), on=errors)
            say(made.target, str(made.health()), "Ctrl-C ends it.")
            try:
                while True:
                    time.sleep(POLL_S)
                    for name in made.revive():
                        say(f"{name} was gone, and is back.")
            except KeyboardInterrupt:
                say("The cluster is gone.")
