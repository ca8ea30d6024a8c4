"""The article's three examples and their baseline, each change taken alone as well as together.

Where no prefetch is written, TensorFlow adds one of its own, in the article's examples too;
`replace(options, prefetch="off")` shows the pipeline without any.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .pipelines import PipelineOptions

article_baseline = PipelineOptions(source="tensor_slices")
"""What the reader had: `from_tensor_slices` over rows of the same kind."""

inefficient = PipelineOptions(work="sleep+random", work_us=10)
"""Example 1: `time.sleep(0.00001)` and `np.random.rand(100, 100)` for each row."""

inefficient_prefetched = replace(inefficient, prefetch="autotune")
"""Example 1 with the prefetch of example 2, and nothing else of it."""

better = PipelineOptions(work="random")
"""Example 2 without its prefetch: the sleep removed, and nothing else."""

better_prefetched = replace(better, prefetch="autotune")
"""Example 2 as the article has it: no sleep, and a prefetch."""

constant = replace(better, yields="tensor")
"""Example 3 without its prefetch: `tf.constant` yielded in place of the array."""

constant_prefetched = replace(constant, prefetch="autotune")
"""Example 3 as the article has it."""

EXAMPLES: dict[str, PipelineOptions] = {
    "article_baseline": article_baseline,
    "inefficient": inefficient,
    "inefficient_prefetched": inefficient_prefetched,
    "better": better,
    "better_prefetched": better_prefetched,
    "constant": constant,
    "constant_prefetched": constant_prefetched,
}
"""All seven by name, from the baseline up the article's ladder."""


def varied(**changes: Any) -> dict[str, PipelineOptions]:
    """Returns all seven with the same changes, such as a shorter `take` or a busy `consumer`.

    Args:
        **changes: Fields of `PipelineOptions`.
    """
    return {name: replace(options, **changes) for name, options in EXAMPLES.items()}


def prefetch_off_and_on(**changes: Any) -> dict[str, PipelineOptions]:
    """Returns example 2 with every prefetch forbidden, TensorFlow's own too, and with its prefetch.

    Args:
        **changes: Fields of `PipelineOptions`, such as a busy `consumer`.
    """
    return {
        "off": replace(better, prefetch="off", **changes),
        "on": replace(better_prefetched, **changes),
    }
