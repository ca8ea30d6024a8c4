"""The ledger: every claim, the arms that try it, and its verdict.

Its parts are imported when they are first asked for: the catalogue needs TensorFlow, the words of
verdicts do not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from .catalogue import CLAIMS
    from .claim import (
        CannotRun,
        Checked,
        Claim,
        ClaimResult,
        ConditionResult,
        Finding,
        Timed,
        verdict_of,
    )
    from .expectation import Expectation
    from .ledger import claim_named, listing
    from .running import run_claim

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "catalogue": ["CLAIMS"],
        "claim": [
            "CannotRun", "Checked", "Claim", "ClaimResult", "ConditionResult", "Finding", "Timed",
            "verdict_of",
        ],
        "expectation": ["Expectation"],
        "ledger": ["claim_named", "listing"],
        "running": ["run_claim"],
    },
)  # fmt: skip
