"""What the reader did, kept beside the notebook: their predictions, runs and answers."""

from __future__ import annotations

import contextlib
import json
import os
import threading
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from .results import write_text

FOLDER = "WORKBOOK_MINE"
"""Environment variable that names another folder; "" keeps nothing beyond the kernel's life."""

_NAME = "my-workbook"
_WAIT_S = 2.0

_here: dict[str, dict[str, Any]] = {}
"""By kind: what could not be kept in a file, or is not to be."""

_lock = threading.Lock()


def read(kind: str) -> dict[str, Any]:
    """What was kept of a kind.

    Args:
        kind: Such as "predictions"; one file holds one kind.

    Returns:
        By key, what `keep` was given. Empty if there is nothing, or the file cannot be read: what
        a reader has lost must not stop a lesson.
    """
    path = _path(kind)
    if path is not None:
        with contextlib.suppress(OSError, ValueError):
            kept = json.loads(path.read_text(encoding="utf-8"))
            if isinstance(kept, dict):
                return kept | _here.get(kind, {})
    return dict(_here.get(kind, {}))


def keep(kind: str, key: str, value: Any) -> None:
    """Keeps a value until it is replaced; several notebooks may do so at once.

    Where the folder cannot be written, it is kept as long as the kernel lives.

    Args:
        kind: Such as "predictions".
        key: What it is found by, such as a question.
        value: Anything that JSON can hold; None forgets the key.
    """
    path = _path(kind)
    with _lock:
        if path is not None:
            with contextlib.suppress(OSError, ValueError, Timeout):
                path.parent.mkdir(parents=True, exist_ok=True)
                with FileLock(path.with_suffix(".lock"), timeout=_WAIT_S):
                    write_text(path, json.dumps(_with(read(kind), key, value), indent=1))
                _here.get(kind, {}).pop(key, None)
                return
        _here[kind] = _with(_here.get(kind, {}), key, value)


def _with(kept: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    others = {name: one for name, one in kept.items() if name != key}
    return others if value is None else others | {key: value}


def _path(kind: str) -> Path | None:
    """The file of a kind: in the working directory, which in a notebook is the notebook's."""
    folder = os.environ.get(FOLDER, _NAME)
    return Path(folder) / f"{kind}.json" if folder else None
