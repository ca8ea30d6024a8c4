"""Keeps what a notebook measures when somebody asked for it, as `workbook reproduce` does."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

from .results import save

FOLDER = "WORKBOOK_KEEP"
"""Environment variable that names the folder; without it nothing is written."""

R = TypeVar("R")


def is_kept() -> bool:
    """Tells whether somebody asked for what is measured."""
    return bool(os.environ.get(FOLDER))


def keep(name: str, item: R) -> R:
    """Saves a record as `<name>.json` in the folder that WORKBOOK_KEEP names, if it does.

    Args:
        name: What the results file calls it, such as "03-prefetch-idle".
        item: A record.

    Returns:
        The record itself.
    """
    if is_kept():
        save(item, Path(os.environ[FOLDER]) / f"{name}.json")
    return item
