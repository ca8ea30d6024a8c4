"""The rows of a ladder: each ratio with the noise of its own rounds, by which it is judged."""

from __future__ import annotations

from dataclasses import dataclass

from helpers.measure import Measurement, Ratio

from .axes import us


@dataclass(frozen=True)
class Rung:
    """A row of a ladder.

    Attributes:
        name: Of the pipeline.
        ratio: To the baseline; None for the baseline itself.
        floor: The baseline against itself in the rounds of this ratio.
        remark: What stands under the ratio.
        pipeline: By what name it has its colour, if not by that of the row: rows of one
            pipeline look the same.
    """

    name: str
    ratio: Ratio | None
    floor: Ratio
    remark: str
    pipeline: str = ""


def rung(measurement: Measurement, arm: str, name: str = "", remark: str = "") -> Rung:
    """Makes the row of an arm; without a difference its remark says so.

    Args:
        measurement: Any.
        arm: One of its arms.
        name: What the row is called, if not as the arm.
        remark: What to say in place of the time per example.
    """
    remark = remark or f"{us(measurement.ns_per_example(arm))} per example"
    if arm == measurement.baseline:
        return Rung(name or arm, None, measurement.floor(), remark)
    verdict = measurement.verdict(arm)
    if verdict.kind not in ("faster", "slower"):
        remark += f", {verdict.kind}"
    return Rung(name or arm, verdict.ratio, verdict.floor, remark)
