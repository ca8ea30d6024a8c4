"""What a prefetch hides, and when a larger one helps."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from helpers.measure import Arm
from helpers.study import EXAMPLES, PipelineOptions
from helpers.study.passes import passes_arm

from ..arms import Arms, generated, generator_arm, options, own, rows_taken, taking
from ..claim import Checked, Claim, Finding, Timed
from ..expectation import GAIN, at_least, faster
from ..looking import nodes
from ..rows import B_4, KB_40, sleep, spin, stored

NOTEBOOK = "03-prefetched-generator"

PREFETCH = {"no prefetch": {"prefetch": "off"}, "prefetch": {"prefetch": "autotune"}}


def bursts(take: int = 80) -> tuple[Arm, Arm]:
    """A source that waits 15 ms before every twentieth row, behind a device of 1 ms a row."""
    rows = stored(KB_40, rows_taken(take))

    def generator() -> Iterator[np.ndarray]:
        for number, row in enumerate(rows):
            if number % 20 == 10:
                sleep(15_000)
            yield row

    shallow, deep = (
        generator_arm(
            f"prefetch({size})",
            generator,
            KB_40,
            lambda dataset, size=size: dataset.prefetch(size),
            consume=taking(sleep, 1000),
            content="rows",
        )
        for size in (1, 32)
    )
    return shallow, deep


def answering(step_us: float, take: int) -> tuple[Arm, Arm]:
    """Elements that are there at once, and elements that take 50 µs, before a step."""
    elements = list(range(rows_taken(take)))

    def late() -> Iterator[int]:
        for element in elements:
            spin(50)
            yield element

    consume = taking(spin, step_us)
    return (
        Arm("an input of 0 µs", lambda: iter(elements), consume=consume),
        Arm("an input of 50 µs", late, consume=consume),
    )


def example(baseline: str, arm: str) -> Arms:
    """Two of the article's examples, shorter."""

    def make() -> tuple[Arm, Arm]:
        first, second = (
            PipelineOptions(**{**vars(EXAMPLES[name]), "take": rows_taken()}).arm(
                name.replace("_", ", ")
            )
            for name in (baseline, arm)
        )
        return first, second

    return own(make)


def passes(**arm: bool) -> tuple[Arm, Arm]:
    """Epochs with autotune off, and as they are."""
    words = "one iterator" if arm else "autotune on"
    return passes_arm("autotune off", autotune=False), passes_arm(words, **arm)


def has_no_prefetch() -> Finding:
    """Looks for a prefetch in a running pipeline in which none is written."""
    seen = nodes(generated(partial(iter, np.zeros((4, *B_4), np.float32)), B_4))
    return Finding("Prefetch" not in seen, f"where none is written, {', '.join(seen)} run")


CLAIMS = (
    Claim(
        id="prefetch-hides-the-generator",
        statement="prefetch(AUTOTUNE) hides the generator's time behind the training.",
        source="article",
        detail='example 2: "hiding the Python generator\'s overhead"',
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "behind a device that takes 1.5 ms for each row",
                options(
                    PREFETCH, work="numpy", work_us=500, consumer="device", step_us=1500, take=40
                ),
                at_least(GAIN),
            ),
            Timed(
                "behind an idle consumer",
                options(PREFETCH, work="numpy", work_us=500, take=50),
                at_least(GAIN),
            ),
            Timed(
                "behind a consumer that holds the GIL as the generator does",
                options(
                    PREFETCH, work="python", work_us=700, consumer="python", step_us=700, take=50
                ),
                at_least(GAIN),
            ),
        ),
        supports="With a prefetch rows are consumed at 1.3× the speed or more.",
        refutes="There is nothing to hide behind: the consumer is idle, or needs the GIL itself.",
        varies="whether the consumer leaves core and GIL free",
    ),
    Claim(
        id="prefetch-must-be-written",
        statement="A pipeline without prefetch in its code prepares nothing ahead.",
        source="article",
        detail='example 2: "In addition, I am also applying prefetch"',
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "behind a device that takes 1.5 ms for each row",
                options(
                    {
                        "no prefetch written": {"prefetch": None},
                        "prefetch written": {"prefetch": "autotune"},
                    },
                    work="numpy",
                    work_us=500,
                    consumer="device",
                    step_us=1500,
                    take=40,
                ),
                at_least(GAIN),
            ),
            Checked("for the nodes that run", has_no_prefetch),
        ),
        supports="Writing one makes the pipeline 1.3× as fast or faster.",
        refutes="Writing one changes nothing, for TensorFlow has added it already.",
        varies="where one looks",
    ),
    Claim(
        id="example-2-is-improved",
        statement="Example 2 is faster for its cleaner generator and for its prefetch.",
        source="article",
        detail='example 2: "a result of a cleaner generator … and the use of … prefetching"',
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "for the cleaner generator alone",
                example("inefficient", "better"),
                faster(),
                precision=0.06,
                budget_s=14.0,
            ),
            Timed(
                "for the prefetch alone",
                example("inefficient", "inefficient_prefetched"),
                at_least(1.2),
                budget_s=8.0,
            ),
        ),
        supports="The cleaner generator alone is faster, and the prefetch alone 1.2× as fast.",
        refutes="A change alone makes no difference.",
        varies="which of the two changes is meant",
    ),
    Claim(
        id="prefetch-aggressively",
        statement="A larger prefetch keeps the training from waiting for data.",
        source="article",
        detail='"Employ prefetch aggressively … greatly reduces the likelihood that … stalls"',
        notebook=NOTEBOOK,
        conditions=(
            Timed("for a source that pauses 15 ms every 20 rows", own(bursts), at_least(GAIN)),
            Timed(
                "for a source that is steady",
                options(
                    {"prefetch(1)": {"prefetch": 1}, "prefetch(32)": {"prefetch": 32}},
                    consumer="device",
                    step_us=1000,
                    take=60,
                ),
                at_least(GAIN),
            ),
        ),
        supports="Behind a device of 1 ms a row, prefetch(32) is 1.3× as fast as prefetch(1).",
        refutes="One element ahead hides as much as 32.",
        varies="whether the source is steady",
    ),
    Claim(
        id="fifty-microseconds-do-not-matter",
        statement="An input that answers within 50 µs a step is not the bottleneck.",
        source="TensorFlow guide",
        detail="Analyze tf.data performance with the TF Profiler",
        notebook=NOTEBOOK,
        conditions=(
            Timed("for steps of 2 ms", own(answering, 2000, 60), at_least(0.9)),
            Timed("for steps of 100 µs", own(answering, 100, 200), at_least(0.9)),
        ),
        supports="An input that takes 50 µs leaves 0.9× of the speed of one that takes nothing.",
        refutes="The 50 µs are a large part of the step.",
        varies="the length of a step",
    ),
    Claim(
        id="an-epoch-ends-with-its-last-element",
        statement="A loop over an epoch is done when its last element is.",
        source="ourselves",
        detail="read in TensorFlow's source: OptimizeLoop and CancellationManager",
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "for a new iterator each epoch, soon after a look of autotune",
                own(passes),
                at_least(0.9),
                budget_s=6.0,
            ),
            Timed(
                "for one iterator that gives all epochs",
                own(passes, one_iterator=True),
                at_least(0.9),
                budget_s=6.0,
            ),
        ),
        supports="Epochs come at 0.9× the rate or more that they have with autotune off.",
        refutes="Autotune keeps the end of an iterator waiting until its next look.",
        varies="whether each epoch makes an iterator of its own",
    ),
)
