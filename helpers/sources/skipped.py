"""Bad items left out, and each of them named: nothing is lost in silence."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

Key = TypeVar("Key")


class Skipped:
    """What was left out, noted in a file, so that worker processes can note it too.

    Args:
        path: The file; a new one in the folder for temporary files unless given.
    """

    def __init__(self, path: str | os.PathLike | None = None):
        if path is None:
            handle, path = tempfile.mkstemp(prefix="skipped-", suffix=".jsonl")
            os.close(handle)
        self.path = Path(path)

    def note(self, what: Any, error: BaseException) -> None:
        """Notes that something was left out.

        Args:
            what: The file, the row, the line.
            error: What was wrong with it.
        """
        line = json.dumps([str(what), f"{type(error).__name__}: {error}"]) + "\n"
        # In one write at the file's end: those of several processes do not mix.
        handle = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(handle, line.encode())
        finally:
            os.close(handle)

    def __iter__(self) -> Iterator[tuple[str, str]]:
        """Gives what was left out and why, in the order in which it was noted."""
        if self.path.exists():
            for line in self.path.read_text(encoding="utf-8").splitlines():
                what, why = json.loads(line)
                yield what, why

    def __len__(self) -> int:
        """How often something was left out; an item counts in each epoch."""
        return sum(1 for _ in self)

    def counts(self) -> dict[str, int]:
        """How often each item was left out."""
        return dict(Counter(what for what, _ in self))

    def clear(self) -> None:
        """Forgets what was noted, and removes the file."""
        self.path.unlink(missing_ok=True)


def good(
    load: Callable[[Key], Any],
    keys: Iterable[Key],
    skipped: Skipped,
    errors: tuple[type[Exception], ...] = (OSError, ValueError),
) -> Iterator[Any]:
    """Loads items one by one, and leaves out those that cannot be loaded.

    Args:
        load: Loads an item.
        keys: What it is called with, for each.
        skipped: Takes note of what is left out.
        errors: What may be wrong with an item. Anything else ends the reading.
    """
    for key in keys:
        try:
            item = load(key)
        except errors as error:
            skipped.note(key, error)
        else:
            yield item
