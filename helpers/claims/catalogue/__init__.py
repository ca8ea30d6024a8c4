"""Every claim, grouped by theme, in the order in which a reader meets them."""

from __future__ import annotations

from ..claim import Claim
from . import (
    chunks,
    conversion,
    generators,
    operations,
    prefetching,
    processes,
    recipes,
    signatures,
    tensors,
    transformations,
)

CLAIMS: tuple[Claim, ...] = (
    *conversion.CLAIMS,
    *generators.CLAIMS,
    *prefetching.CLAIMS,
    *tensors.CLAIMS,
    *signatures.CLAIMS,
    *transformations.CLAIMS,
    *operations.CLAIMS,
    *chunks.CLAIMS,
    *processes.CLAIMS,
    *recipes.CLAIMS,
)
