"""The claims as a table: what `workbook claims` lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from .catalogue import CLAIMS
from .claim import Claim, ClaimResult


def claim_named(name: str) -> Claim:
    """Returns the claim with that id.

    Raises:
        ValueError: If there is none.
    """
    for claim in CLAIMS:
        if claim.id == name:
            return claim
    raise ValueError(
        f"there is no claim {name!r}; there are {', '.join(claim.id for claim in CLAIMS)}."
    )


def listing(results: Iterable[ClaimResult] = ()) -> list[dict[str, Any]]:
    """Lists every claim as plain JSON values, with its verdict where there is a result.

    Args:
        results: Of a reference run; those of claims that no longer exist are left out.

    Returns:
        For each claim in order: id, statement, source, detail, notebook, conditions, supports and
        refutes, and verdict and sentence, which are None without a result.
    """
    found = {result.claim: result for result in results}
    return [
        {
            "id": claim.id,
            "statement": claim.statement,
            "source": claim.source,
            "detail": claim.detail,
            "notebook": claim.notebook,
            "conditions": [condition.name for condition in claim.conditions],
            "supports": claim.supports,
            "refutes": claim.refutes,
            "verdict": result.verdict if result else None,
            "sentence": result.sentence if result else None,
        }
        for claim in CLAIMS
        for result in [found.get(claim.id)]
    ]
