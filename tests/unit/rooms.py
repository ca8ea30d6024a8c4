"""Rooms for tests: shared files made of one run, with its ratios multiplied."""

from __future__ import annotations

import copy
import json
import math
import random
from pathlib import Path
from typing import Any

Envelope = dict[str, Any]


def machine(base: Envelope, *, factor: float = 1.0, seed: int = 0, **changes: Any) -> Envelope:
    """What another machine shares.

    Args:
        base: What the first shared, with its envelope.
        factor: What all ratios are multiplied with.
        seed: Of the noise between machines, some per cent.
        changes: Of the machine; versions are added to those that it has.
    """
    made = copy.deepcopy(base)
    draw = random.Random(seed)
    for ratio in made["record"]["ratios"]:
        by = factor * math.exp(draw.gauss(0, 0.05))
        ratio.update({end: ratio[end] * by for end in ("value", "low", "high")})
    versions = changes.pop("versions", {})
    made["record"]["machine"].update(changes)
    made["record"]["machine"]["versions"].update(versions)
    return made


def put(folder: Path, name: str, made: Envelope | str) -> Path:
    """Writes it into the room, as JSON unless it is text."""
    path = folder / name
    path.write_text(made if isinstance(made, str) else json.dumps(made), encoding="utf-8")
    return path


def fill(folder: Path, base: Envelope, count: int) -> None:
    """Fills a room with machines of the same kind."""
    for seed in range(count):
        put(folder, f"m{seed:03}.json", machine(base, seed=seed))
