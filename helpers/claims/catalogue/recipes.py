"""Advice taken together."""

from __future__ import annotations

from dataclasses import replace

from helpers.measure import Arm
from helpers.study import PipelineOptions

from ..arms import Arms, own, rows_taken
from ..claim import Claim, Timed
from ..expectation import GAIN, at_least

NOTEBOOK = "14-scoreboard"


def one_and_all(take: int, **common: object) -> Arms:
    """The clean generator alone, and with all that the article adds to it."""

    def make() -> tuple[Arm, Arm]:
        lean = PipelineOptions(work="random", prefetch="off", take=rows_taken(take), **common)
        combined = replace(lean, prefetch="autotune", yields="tensor")
        return lean.arm("clean generator"), combined.arm("with prefetch and tf.constant")

    return own(make)


CLAIMS = (
    Claim(
        id="advice-adds-up",
        statement="The article's strategies can be combined for more than each gives.",
        source="article",
        detail='"not mutually exclusive and can often be combined to maximize performance"',
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "behind a device that takes 1.2 ms for each row",
                one_and_all(48, consumer="device", step_us=1200),
                at_least(GAIN),
            ),
            Timed(
                "behind an idle consumer",
                one_and_all(130),
                at_least(GAIN),
            ),
        ),
        supports="Prefetch and tf.constant make a clean generator 1.3× as fast or faster.",
        refutes="They make it slower, or do nothing.",
        varies="the consumer",
    ),
)
