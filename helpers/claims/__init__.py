"""The ledger: every claim, the arms that try it, and its verdict."""

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

__all__ = [
    "CLAIMS",
    "CannotRun",
    "Checked",
    "Claim",
    "ClaimResult",
    "ConditionResult",
    "Expectation",
    "Finding",
    "Timed",
    "claim_named",
    "listing",
    "run_claim",
    "verdict_of",
]
