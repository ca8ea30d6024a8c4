"""Hazards in the order and settings of a data set's steps."""

from __future__ import annotations

from typing import Any

from helpers.diagnose.hazards.hazard import DATA, NOTE, SPEED, Evidence, Hazard
from helpers.diagnose.xray import operations_of_last_step, python_operations
from helpers.quiet import tf

CACHES = ("cache",)
REFILL_S = 1.0
"""A shuffle buffer that takes longer to fill than this is told of."""


def _place(steps: list[str], *names: str) -> int:
    return next((place for place, step in enumerate(steps) if step in names), -1)


def random_then_cache(e: Evidence) -> Hazard | None:
    """A cache behind random numbers."""
    place = _place(e.steps, *CACHES)
    if place < 0:
        return None
    differs = e.look is not None and e.look.differs >= 0
    drawn = [
        one for one in e.chain[:place] if any("Random" in op for op in operations_of_last_step(one))
    ]
    if not differs and not drawn:
        return None
    return Hazard(
        "cache-after-random", DATA, "random numbers are cached",
        "What the first epoch drew is repeated in all others: the augmentation is frozen.",
        "Put cache() before the random step.",
    )  # fmt: skip


def cache_never_filled(e: Evidence) -> Hazard | None:
    """A cache whose passes end early."""
    place = _place(e.steps, *CACHES)
    if place < 0 or "take" not in e.steps[place + 1 :]:
        return None
    taken = _number(e.chain[place + 1 + e.steps[place + 1 :].index("take")], "_count")
    if taken is None or taken < 0:
        return None
    length = e.chain[place].cardinality().numpy()
    rows = e.look.count if e.look and e.look.ended else None
    if length >= 0 and taken >= length:
        return None
    if rows is not None and length < 0 and taken * _batch(e.chain[: place + 1]) >= rows:
        return None
    return Hazard(
        "cache-never-filled", SPEED, "the cache is never filled",
        f"take({taken}) after it ends each pass before the source does, so the cache is thrown "
        "away and every epoch reads anew.",
        "Put take() before cache().",
    )  # fmt: skip


def cache_endless(e: Evidence) -> Hazard | None:
    """A cache of a source without an end."""
    place = _place(e.steps, *CACHES)
    if place < 0:
        return None
    before = e.chain[place]
    if before.cardinality().numpy() != tf.data.INFINITE_CARDINALITY:
        repeated = _place(e.steps[:place], "repeat")
        count = _number(e.chain[repeated], "_count") if repeated >= 0 else None
        if count is None or count >= 0:
            return None
    return Hazard(
        "cache-endless", DATA, "a source without an end is cached",
        "The cache grows until the memory is full, and is never used.",
        "Put repeat() after cache().",
    )  # fmt: skip


def shuffle_of_batches(e: Evidence) -> Hazard | None:
    """A shuffle behind the batch."""
    batch = _place(e.steps, "batch", "parallelbatch", "paddedbatch")
    shuffle = _place(e.steps, "shuffle")
    if batch < 0 or shuffle < batch or "unbatch" in e.steps[batch:shuffle]:
        return None
    return Hazard(
        "shuffle-of-batches", DATA, "whole batches are shuffled",
        "The rows of a batch stay together in every epoch.",
        "Put shuffle() before batch().",
    )  # fmt: skip


def slow_refill(e: Evidence) -> Hazard | None:
    """A shuffle buffer that takes long to fill."""
    place = _place(e.steps, "shuffle")
    if place < 0 or e.look is None:
        return None
    size = _number(e.chain[place], "_buffer_size") or 0
    if e.look.ended:
        size = min(size, e.look.count)
    seconds = size * (e.look.row_ns + 150e3) / 1e9
    if seconds < REFILL_S:
        return None
    return Hazard(
        "slow-refill", SPEED, "the shuffle buffer is filled anew in each epoch",
        f"{size} rows take about {seconds:.1f} s before the first one comes out.",
        "Shuffle indices or file names instead, or a smaller buffer.",
    )  # fmt: skip


def no_prefetch(e: Evidence) -> Hazard | None:
    """No prefetch, and the one that TensorFlow adds switched off."""
    if e.dataset is None or "prefetch" in e.steps:
        return None
    options = e.dataset.options().experimental_optimization
    if options.inject_prefetch is not False and options.apply_default_optimizations is not False:
        return None
    return Hazard(
        "no-prefetch", SPEED, "nothing is prefetched",
        "TensorFlow's own prefetch is switched off, so generator and consumer take turns.",
        "dataset.prefetch(tf.data.AUTOTUNE) as the last step.",
    )  # fmt: skip


def two_prefetches(e: Evidence) -> Hazard | None:
    """Two prefetches in a row."""
    doubled = any(one == two == "prefetch" for one, two in zip(e.steps, e.steps[1:], strict=False))
    if not doubled:
        return None
    return Hazard(
        "two-prefetches", NOTE, "two prefetches in a row",
        "The second one holds as many batches again and hides nothing more.", "Drop one of them.",
    )  # fmt: skip


def python_in_parallel_map(e: Evidence) -> Hazard | None:
    """A parallel map over a Python function."""
    for one, step in zip(e.chain, e.steps, strict=True):
        if step not in ("parallelmap", "parallelinterleave"):
            continue
        found = [op for op in operations_of_last_step(one) if "PyFunc" in op]
        if found and step == "parallelmap":
            return Hazard(
                "python-in-parallel-map", SPEED, "a parallel map calls Python",
                f"Its function holds a {found[0]}: its calls take turns at the GIL, unless what "
                "they do frees it.",
                "Write it in TensorFlow operations, or run the Python in the bridge's workers.",
            )  # fmt: skip
    return None


def slow_callback(e: Evidence) -> Hazard | None:
    """The slow callback that an unknown shape chooses."""
    if e.dataset is not None:
        sources = [one for one in e.chain if "flatmap" in type(one).__name__.lower()]
        slow = e.subject.rows is not None and any(
            "EagerPyFunc" in operations_of_last_step(one) for one in sources
        )
    else:
        slow = isinstance(e.given, tf.TypeSpec) and _is_slow(e)
    if not slow:
        return None
    return Hazard(
        "slow-callback", SPEED, "the signature chooses the slow callback",
        "A bare spec without a shape, or output_types alone, makes from_generator use EagerPyFunc, "
        "1.7 to 1.9 times as slow a crossing.",
        f"output_signature={e.report.proposed}" if e.report else "Give the shape.",
    )  # fmt: skip


def _is_slow(e: Evidence) -> bool:
    if e.subject.rows is None or e.report is None or e.report.problems:
        return False
    made = tf.data.Dataset.from_generator(lambda: iter(()), output_signature=e.given)
    return "EagerPyFunc" in python_operations(made)


def loose_signature(e: Evidence) -> Hazard | None:
    """Dimensions left open that are always the same."""
    if e.report is None or not e.report.looseness or e.report.problems:
        return None
    return Hazard(
        "loose-signature", NOTE, "the signature is looser than the rows",
        f"{e.report.looseness[0][0].upper()}{e.report.looseness[0][1:]}. What follows cannot "
        "know the shape, and a model or XLA may compile again.",
        f"output_signature={e.report.proposed}",
    )  # fmt: skip


def missing_signature(e: Evidence) -> Hazard | None:
    """No signature at all."""
    if e.given is not None or e.report is None or e.subject.kind not in ("generator", "object"):
        return None
    return Hazard(
        "no-signature", NOTE, "no signature was given",
        f"from_generator needs one; this rests on {e.report.rows} rows.",
        f"output_signature={e.report.proposed}",
    )  # fmt: skip


def _number(dataset: Any, name: str) -> int | None:
    value = getattr(dataset, name, None)
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


def _batch(chain: list[Any]) -> int:
    size = 1
    for one in chain:
        size *= _number(one, "_batch_size") or 1
    return size


RULES = (
    random_then_cache, cache_endless, shuffle_of_batches, cache_never_filled, slow_refill,
    no_prefetch, python_in_parallel_map, slow_callback, two_prefetches, loose_signature,
    missing_signature,
)  # fmt: skip
