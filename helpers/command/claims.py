"""`workbook claims`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from .terminal import console, sentences


def claims(
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with all particulars.")] = False,
) -> None:
    """List every claim with its source, its notebook and the reference run's verdict."""
    with sentences():
        from helpers.claims import listing
        from helpers.measure import this_machine
        from helpers.reproduce import reference

        from .tables import claims_table

        run = reference(this_machine())
        rows = listing(run.claims.values() if run else ())
        if as_json:
            print(json.dumps(rows, ensure_ascii=False, indent=1))
        else:
            console.print(claims_table(rows, run))
