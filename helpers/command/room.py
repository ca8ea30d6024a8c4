"""`workbook room`."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .terminal import INTERRUPTED, complain, errors, progress, say, shown

if TYPE_CHECKING:
    from helpers.reproduce.gathering import Folder
    from helpers.reproduce.room import Room

NOTHING = 2
"""Exit code when there is no folder, or nothing in it that can be used."""

LOOK_S = 2.0
"""Seconds between two looks into a folder that is watched."""


def room(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="With the files that `share` wrote.")
    ],
    html: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Also write one HTML file with figures.")
    ] = None,
    watch: Annotated[
        bool, typer.Option("--watch", help="Gather again as files arrive, until Ctrl-C.")
    ] = False,
) -> None:
    """Show the numbers of all machines in a room, and which one is far from the rest.

    Ends with 2 if there is no folder, or no file in it that can be used.
    """
    from helpers.reproduce.gathering import Folder

    looked = Folder(folder)
    seen = None
    try:
        seen = _gathered(looked)
        _tell(seen, html, watched=watch)
        trouble = ""
        while watch:
            time.sleep(LOOK_S)
            try:
                if (found := looked.gather()) is not seen:
                    seen = found
                    say("", f"{time.strftime('%H:%M:%S')}:")
                    _tell(seen, html, watched=True)
                trouble = ""
            except ValueError as error:  # a folder of the network may come back
                if str(error) != trouble:
                    trouble = str(error)
                    complain(trouble, on=errors)
    except ValueError as error:
        complain(str(error), on=errors)
        raise typer.Exit(NOTHING) from error
    except KeyboardInterrupt:
        if seen is not None and html is not None:
            _write(seen, html, watched=False)  # which no browser loads again and again
        raise typer.Exit(INTERRUPTED) from None
    if not seen.shared:
        complain(f"no file in {folder} can be used.", on=errors)
        raise typer.Exit(NOTHING)


def _gathered(looked: Folder) -> Room:
    with progress(transient=True, on=errors) as bar:
        task = bar.add_task("reading", total=1)
        return looked.gather(lambda name, share: bar.update(task, completed=share))


def _tell(found: Room, html: Path | None, *, watched: bool) -> None:
    say(str(found))
    if html is not None and (found.shared or watched):
        say("", f"Page: {shown(_write(found, html, watched=watched))}")


def _write(found: Room, html: Path, *, watched: bool) -> Path:
    from helpers.show.room import write

    return write(found, html, watched=watched)
