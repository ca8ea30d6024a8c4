"""Exercises of notebook 00: describe a pipeline, and read a ratio."""

from __future__ import annotations

from typing import Any

from helpers.study import PipelineOptions

from . import looking
from .exercise import Exercise, Seen


def _batches(made: Any, seen: Seen) -> None:
    mine = looking.options(
        made, seen, PipelineOptions(batch=50, prefetch="autotune"),
        {
            "source": "This is from_tensor_slices; the same generator was asked for.",
            ("batch", None): "The elements are still single rows: batch=… makes many of them one.",
            "batch": "A batch holds {value} rows, and 50 were asked for.",
            ("prefetch", None): "The batches are there; the prefetch is missing.",
            ("prefetch", "off"): "prefetch='off' forbids every prefetch, TensorFlow's own too.",
            "prefetch": "prefetch={value} is a fixed number of elements; AUTOTUNE leaves it to "
            "TensorFlow.",
        },
    )  # fmt: skip
    seen.count("elements that 1000 rows become", -(-1000 // mine.batch), 20)


BATCHES = Exercise(
    name="00-batches",
    title="Describe a pipeline",
    spec="The same generator, in batches of 50, with a `prefetch` of AUTOTUNE.",
    start='mine = PipelineOptions(source="generator")  # change me',
    solution='mine = PipelineOptions(source="generator", batch=50, prefetch="autotune")',
    answer="mine",
    hint="PipelineOptions takes batch=… and prefetch=…, and writes AUTOTUNE as a word in small "
    "letters. The panel above shows the code of what you choose there.",
    right="One element is now 50 rows, and TensorFlow chooses how many of them wait.",
    look=_batches,
)

_BASELINE, _ARM = (2, 3, 12), (4, 6, 4)


def _ratio(made: Any, seen: Seen) -> None:
    looking.number(
        made, 0.5,
        {
            2.0: "Upside down: above 1× the arm is faster, and here it takes longer, mostly.",
            3 / 4: "That is the ratio of the medians. The round in which the baseline met a slow "
            "moment is in it twice over; take the ratio within each round first.",
            17 / 14: "That is the ratio of the sums. One slow moment of the baseline decides it; "
            "take the ratio within each round first.",
            4 / 3: "That is the mean of the ratios. One odd round pulls it away; the median stays.",
            3.0: "That is the best round. No round is picked, and none is dropped.",
        },
        "{value} is not the median of the three ratios: each is the baseline's time through the "
        "arm's.",
    )  # fmt: skip


RATIO = Exercise(
    name="00-ratio",
    title="Read a ratio",
    spec="Here are the times of three rounds, in µs; in the last, the machine was busy while the "
    "baseline ran. Which ratio does this workbook report for the arm?",
    given="baseline = [2, 3, 12]\narm = [4, 6, 4]",
    start="reported = ...  # change me",
    solution="reported = ratio_of_times(baseline, arm).value  # the median of 0.5, 0.5 and 3",
    answer="reported",
    hint="One ratio for each round, the baseline's time through the arm's; then the median of the "
    "three.",
    right="The ratios are 0.5, 0.5 and 3, and one odd round does not move their median.",
    look=_ratio,
)
