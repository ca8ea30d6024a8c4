"""The option `--quick`, and what it sets."""

from __future__ import annotations

import os
from typing import Annotated

import typer

Quick = Annotated[
    bool, typer.Option("--quick", help="Shorten every run; the numbers show nothing.")
]


def set_quick(quick: bool) -> None:
    """Sets the mode for this process and the kernels it starts, before anything reads it."""
    if quick:
        os.environ["WORKBOOK_QUICK"] = "1"
    else:
        os.environ.pop("WORKBOOK_QUICK", None)
