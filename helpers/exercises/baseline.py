"""Exercises of notebook 01: who drains, and what from_tensor_slices holds."""

from __future__ import annotations

from typing import Any

from helpers.study import PipelineOptions

from . import looking
from .exercise import Exercise, Seen


def _drained(made: Any, seen: Seen) -> None:
    mine = looking.options(
        made, seen, PipelineOptions(source="tensor_slices", batch=32, drain="graph"),
        {
            "source": "The baseline is from_tensor_slices, and this is a generator.",
            "drain": "A Python loop still pulls every element: `drain` says who does.",
            ("batch", None): "The loop is TensorFlow's; the batches are missing.",
            "batch": "A batch holds {value} rows, and 32 were asked for.",
        },
    )  # fmt: skip
    seen.count("turns of a Python loop", 1000 if mine.drain == "python" else 0, 0)


DRAINED = Exercise(
    name="01-drain",
    title="Take Python out of the loop",
    spec="A colleague compares two pipelines by draining single rows from a Python loop. Describe "
    "the baseline so that Python is *not* in the loop, in batches of 32.",
    start='mine = PipelineOptions(source="tensor_slices")  # change me',
    solution='mine = PipelineOptions(source="tensor_slices", batch=32, drain="graph")',
    answer="mine",
    hint="`drain` says who pulls: a loop in Python, or one in TensorFlow's graph.",
    right="TensorFlow pulls the batches itself; Python waits until all of them are through.",
    look=_drained,
)


def _memory(made: Any, seen: Seen) -> None:
    looking.number(
        made, 4,
        {
            2: "That is the array alone. from_tensor_slices makes a tensor of it, and holds that "
            "copy beside your array.",
            6: "One too many: the array, and one copy of it.",
            8: "That counts 8 bytes a number; float32 has 4.",
            1: "That counts two bytes a number, or numbers in place of bytes; float32 has 4.",
            0.5: "That is how many numbers there are; each has 4 bytes, and they are held twice.",
            4000: "In GB, please: 1 GB is 1000 MB.",
            4e9: "In GB, please: 1 GB is 10⁹ bytes.",
        },
        "{value} GB it is not. Rows × numbers in a row × bytes of a number is one array; how many "
        "such arrays are there?",
    )  # fmt: skip


MEMORY = Exercise(
    name="01-memory",
    title="Two copies",
    spec="50 000 rows of 100×100 float32 lie in an array of yours. How many GB are taken, your "
    "array included, while a data set made by `from_tensor_slices` of it lives?",
    start="gigabytes = ...  # change me",
    solution="gigabytes = 2 * 50_000 * 100 * 100 * 4 / 1e9",
    answer="gigabytes",
    hint="A float32 has 4 bytes. And the data set does not read your array: it holds something of "
    "its own.",
    right="2 GB are yours and 2 GB the data set's.",
    look=_memory,
)
