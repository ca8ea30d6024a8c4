"""What from_generator costs in place of from_tensor_slices, and why."""

from __future__ import annotations

from ..arms import CLEAR, Arms, behind_device, converted, options
from ..claim import Claim, Timed
from ..expectation import at_least, at_most
from ..rows import B_4, KB_40

NOTEBOOK = "01-baseline"

BATCHED = {"batch": 32, "take": 256}


def drained(**common: object) -> Arms:
    """A loop inside TensorFlow, and a loop in Python, over the same data set."""
    return options({"drained in TensorFlow": {"drain": "graph"}, "drained in Python": {}}, **common)


CLAIMS = (
    Claim(
        id="conversion-costs-speed",
        statement="Replacing from_tensor_slices by from_generator makes a pipeline slower.",
        source="article",
        detail="first paragraph",
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "for batches of 32 rows of 40 KB",
                converted(shape=KB_40, **BATCHED),
                at_most(0.8),
                **CLEAR,
            ),
            Timed(
                "row by row, 4 B each",
                converted(shape=B_4),
                at_most(0.8),
                **CLEAR,
            ),
            Timed(
                "behind a device that takes 2 ms for each row",
                converted(**behind_device(2000, take=40)),
                at_most(0.8),
            ),
        ),
        supports="The same stored rows come at 0.8× the speed or less.",
        refutes="They come as fast, or the consumer is so slow that it does not matter.",
        varies="how long the consumer takes for a row",
    ),
    Claim(
        id="python-numerics-are-the-cost",
        statement="from_generator is slow because Python is slow at numerical work.",
        source="article",
        detail='first paragraph: "Python is generally slower for numerical processing"',
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "for batches of 32 rows of 40 KB",
                converted(shape=KB_40, **BATCHED),
                at_least(0.8),
                **CLEAR,
            ),
            Timed(
                "for batches of 32 rows of 4 B",
                converted(shape=B_4, **BATCHED),
                at_least(0.8),
                **CLEAR,
            ),
        ),
        supports="A generator that computes nothing, and yields stored rows, keeps up with slices.",
        refutes="A generator that computes nothing is far behind all the same.",
        varies="the size of a row",
    ),
    Claim(
        id="empty-loop-is-free",
        statement="An empty Python for-loop over a data set times the pipeline and nothing else.",
        source="article",
        detail='all three examples: "for _ in dataset.take(1000): pass"',
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "over slices of 4 B",
                drained(source="tensor_slices", shape=B_4, take=700),
                at_least(0.5),
                **CLEAR,
            ),
            Timed(
                "over a generator that works 1 ms for each row",
                drained(work="numpy", work_us=1000, take=40),
                at_least(0.5),
            ),
        ),
        supports="The loop in Python runs at half the speed of a loop inside TensorFlow or more.",
        refutes="The loop in Python takes longer than what it times.",
        varies="how much the pipeline itself does for an element",
    ),
)
