"""From a folder in which files arrive to the room: used, or left out with a reason."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from helpers.measure import Ratio
from helpers.measure.results import to_json

from .outliers import far_off, outliers
from .room import LeftOut, Room
from .shared import Shared, Unusable, clean, read, shared_from
from .spreads import Spread, Tally

Tell = Callable[[str, float], None]
"""Takes the name of a file and the share of the folder that has been read."""

NAME = 60
"""Letters of a machine's name that are shown."""


class Folder:
    """A folder in which files arrive; each is read once, and again only when it has changed."""

    def __init__(self, path: Path) -> None:
        """Remembers where to look.

        Args:
            path: The folder.
        """
        self.path = path
        self._read: dict[str, tuple[object, Shared | LeftOut]] = {}
        self._room: Room | None = None

    def gather(self, tell: Tell = lambda name, share: None) -> Room:
        """Looks into the folder.

        Args:
            tell: Called before each file that is read.

        Returns:
            The room; the very one of the last time if nothing has changed since.

        Raises:
            ValueError: If there is no such folder, or it cannot be read.
        """
        try:
            if not self.path.is_dir():
                raise ValueError(
                    f"{self.path} is not a folder: name the one with the shared files."
                )
            paths = sorted(
                path for path in self.path.iterdir()
                if not path.name.startswith(".")  # one that is being written
                and path.suffix.lower() not in (".html", ".htm") and not path.is_dir()
            )  # fmt: skip
        except OSError as error:
            raise ValueError(f"{self.path} cannot be read: {error.strerror}.") from error
        found: dict[str, tuple[object, Shared | LeftOut]] = {}
        for place, path in enumerate(paths):
            stamp = _stamp(path)
            if path.name not in self._read or self._read[path.name][0] != stamp:
                tell(clean(path.name), place / len(paths))
                found[path.name] = (stamp, _one(path))
            else:
                found[path.name] = self._read[path.name]
        if self._room is None or found != self._read:
            self._read = found
            self._room = room_of({name: one for name, (_, one) in found.items()})
        return self._room


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _one(path: Path) -> Shared | LeftOut:
    try:
        kind, data = read(path)
        if kind == "Shared":
            return shared_from(data)
        from .sharing import shared_of_json  # a whole run: its claims import TensorFlow

        return shared_of_json(data)
    except Unusable as error:
        return LeftOut(clean(path.name), clean(f"{error}."))


def room_of(found: Mapping[str, Shared | LeftOut]) -> Room:
    """Puts the room together from what each file gave.

    Files of the same content count once. Quick runs are left out where there is a full one.

    Args:
        found: By the files' names.
    """
    full = any(isinstance(one, Shared) and not one.quick for one in found.values())
    used: dict[str, Shared] = {}
    left: list[LeftOut] = []
    seen: dict[str, str] = {}
    for name, one in found.items():
        shown = clean(name)
        if isinstance(one, LeftOut):
            left.append(one)
        elif (same := seen.setdefault(_digest(one), shown)) != shown:
            left.append(LeftOut(shown, f"it has the same content as {same}."))
        elif one.quick and full:
            left.append(LeftOut(shown, "it is a quick run, whose numbers show nothing."))
        else:
            used[_unused(clean(name.rpartition(".")[0], NAME), used)] = one
    shared = tuple(used.values())
    spreads, far, logs = _spreads(shared)
    claims = dict.fromkeys(id_ for one in shared for id_ in one.verdicts)
    return Room(
        tuple(used),
        shared,
        tuple(left),
        spreads,
        tuple(Tally(id_, tuple(one.verdicts.get(id_) for one in shared)) for id_ in claims),
        outliers(shared, logs, far) if len(spreads) else (),
    )


def _unused(name: str, used: Mapping[str, Shared]) -> str:
    """The name, or with a number; two that cannot be printed may look the same."""
    number, free = 1, name
    while free in used:
        number += 1
        free = f"{name} ({number})"
    return free


def _digest(one: Shared) -> str:
    """Of the content, however the JSON around it is laid out."""
    packed = json.dumps(to_json(one), sort_keys=True)
    return hashlib.sha256(packed.encode("utf-8", "surrogatepass")).hexdigest()


def _spreads(shared: Sequence[Shared]) -> tuple[tuple[Spread, ...], np.ndarray, np.ndarray]:
    """The rows, what is far in them, and the logarithms of the ratios."""
    rows: dict[tuple[str, str, str, str], dict[int, Ratio]] = {}
    for place, one in enumerate(shared):
        for ratio in one.ratios:
            rows.setdefault(ratio.key, {})[place] = ratio.ratio
    least = min(2, len(shared))
    rows = {key: row for key, row in rows.items() if len(row) >= least}
    logs, low, high = np.full((3, len(rows), len(shared)), np.nan)
    for index, row in enumerate(rows.values()):
        for place, ratio in row.items():
            logs[index, place] = math.log(ratio.value)
            low[index, place], high[index, place] = math.log(ratio.low), math.log(ratio.high)
    far = far_off(logs, low, high) if rows else np.zeros(logs.shape, bool)
    spreads = tuple(
        Spread(
            *key,
            tuple(row.get(place) for place in range(len(shared))),
            tuple(int(place) for place in np.flatnonzero(far[index])),
        )
        for index, (key, row) in enumerate(rows.items())
    )
    return spreads, far, logs
