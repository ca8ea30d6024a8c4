"""How much memory a comparison will take, said before it takes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import psutil

from .conflicts import row_bytes, stores_rows

MUCH = 2**30
"""Bytes that are worth a word."""

_PROCESS = 400 * 2**20
"""What a process with TensorFlow takes before it has any data."""

_SLICES = 3
"""Copies that `from_tensor_slices` makes of the rows: the tensor, one on the way there, and the
one of the trial before, which goes when its iterator does."""


def predicted(*pipelines: Mapping[str, Any]) -> int:
    """Bytes that the measuring process will hold at most, roughly.

    Args:
        pipelines: The values of each arm's toggles.
    """
    stored = {(values["take"], values["shape"]) for values in pipelines if stores_rows(values)}
    rows = sum(take * row_bytes({"shape": shape}) for take, shape in stored)
    return _PROCESS + rows + max(_of_a_trial(values) for values in pipelines)


def _of_a_trial(values: Mapping[str, Any]) -> int:
    """Bytes of what one pass makes of the rows."""
    row, take = row_bytes(values), values["take"]
    copies = _SLICES * take if values["source"] == "tensor_slices" else 0
    copies += take if values["cache"] == "memory" else 0
    copies += min(values["shuffle"], take)
    ahead = values["prefetch"] if isinstance(values["prefetch"], int) else 2
    copies += min(take, (values["batch"] or 1) * (2 + ahead))
    return copies * row


def warning(*pipelines: Mapping[str, Any]) -> str:
    """A sentence if it is much for this machine; empty otherwise."""
    wanted = predicted(*pipelines)
    if wanted < MUCH:
        return ""
    free = psutil.virtual_memory().available
    said = f"Takes about {wanted / 1e9:.1f} GB of memory"
    return f"{said}, and {free / 1e9:.1f} GB are free." if wanted > free / 2 else f"{said}."
