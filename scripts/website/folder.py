"""A folder that is built anew each time, and is taken for nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

from .page import SiteError


def emptied(folder: Path, mark: str, what: str) -> None:
    """Makes a folder, or empties it if it was built before.

    Args:
        folder: The folder.
        mark: Name of a file that only such a folder has.
        what: What it is to hold, such as "a site".

    Raises:
        SiteError: If it holds something else.
    """
    if folder.exists() and any(folder.iterdir()):
        if not (folder / mark).exists():
            raise SiteError(f"{folder} holds something else than {what}: name another one.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
