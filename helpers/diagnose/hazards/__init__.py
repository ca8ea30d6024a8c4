"""Hazards: what loses or changes data, or costs time, whatever the rate."""

from __future__ import annotations

from helpers.diagnose.hazards import data, pipeline, running, source
from helpers.diagnose.hazards.hazard import DATA, NOTE, SPEED, Evidence, Hazard

RULES = (*data.RULES, *source.RULES, *pipeline.RULES, *running.RULES)

__all__ = ["DATA", "NOTE", "RULES", "SPEED", "Evidence", "Hazard", "find"]


def find(evidence: Evidence) -> tuple[Hazard, ...]:
    """Returns the hazards: those that change or lose data first, then speed, then notes.

    Args:
        evidence: What is known.
    """
    found = [hazard for rule in RULES if (hazard := rule(evidence)) is not None]
    names = {hazard.name for hazard in found}
    if "shared-handle" in names:  # which is why passes differ
        found = [hazard for hazard in found if hazard.name != "differs-between-passes"]
    return tuple(sorted(found, key=lambda hazard: (DATA, SPEED, NOTE).index(hazard.level)))
