"""`workbook refresh`."""

from __future__ import annotations

from typing import Annotated

import typer

from .quick import set_quick
from .terminal import progress, sentences, terminable


def refresh(
    only: Annotated[
        list[str] | None,
        typer.Option("--only", help="Number or name of a notebook; again for more."),
    ] = None,
) -> None:
    """Run the notebooks in full and store the figures and tables that they show."""
    with sentences(), terminable(), progress() as bar:
        set_quick(False)
        from helpers.reproduce import choose, notebooks

        _, chosen = choose(only, (), notebooks.paths())
        task = bar.add_task("notebooks", total=len(chosen))
        for place, path in enumerate(chosen):
            notebooks.refresh(
                path,
                on_cell=lambda done, total, place=place, path=path: bar.update(
                    task, description=path.stem, completed=place + done / total
                ),
            )
