"""What does not go together in the panel, in the toggles' own words, and what both sides need."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from helpers.study import PipelineOptions
from helpers.study.options import LARGEST_ROWS

from .toggles import TOGGLES, effective, shared, shown, text


@dataclass(frozen=True)
class Conflict:
    """Toggles that do not go together.

    Attributes:
        fields: The toggles; changing one of them can end it. It is said at the first.
        said: A sentence.
    """

    fields: tuple[str, ...]
    said: str


def conflicts(values: Mapping[str, Any]) -> list[Conflict]:
    """Everything that keeps the toggles from being measured.

    Args:
        values: Of every toggle, and of `count`.
    """
    return list(_found(effective(dict(values))))


def _found(values: dict[str, Any]) -> Iterator[Conflict]:
    """PipelineOptions refuses the same in the words of its fields; a test compares the two."""
    shape, batch, take = values["shape"], values["batch"], values["take"]
    if "random" in values["work"] and not shape:
        yield Conflict(
            ("shape", "work"), f"A scalar cannot come from {shown('work', values['work'])}."
        )
    if values["source"] == "tensor_slices" and values["transform"] == "generator":
        yield Conflict(
            ("transform", "source"), "from_tensor_slices has no generator to transform in."
        )
    if values["transform"] == "map_after_batch" and batch is None:
        yield Conflict(("transform", "batch"), "Map after batch needs a Batch.")
    if values["consumer"] == "keras" and batch is None:
        yield Conflict(("consumer", "batch"), "A Keras train step needs a Batch.")
    if values["drain"] == "graph" and values["consumer"] != "idle":
        yield Conflict(
            ("drain", "consumer"), "A loop within TensorFlow feeds no Consumer but “nothing”."
        )
    if values["source"] == "generator" and take > values["count"]:
        yield Conflict(("take",), f"The generator has no more than {values['count']} rows.")
    if batch is not None and (batch > take or -(-take // batch) * values["epochs"] < 2):
        yield Conflict(
            ("batch", "take"), f"A batch of {batch} would take all {take} rows; two are needed."
        )
    held = take if stores_rows(values) else batch or 1
    size = held * row_bytes(values)
    if size > LARGEST_ROWS:
        yield Conflict(
            ("shape", "take", "batch", "source", "work"),
            f"{held} rows of {text(shape)} are {size / 1e9:.1f} GB, too many for one array.",
        )


def stores_rows(values: Mapping[str, Any]) -> bool:
    """Whether the rows exist before the pipeline does."""
    return values["source"] == "tensor_slices" or "random" not in values["work"]


def row_bytes(values: Mapping[str, Any]) -> int:
    """Bytes of a row of float32."""
    return 4 * math.prod(values["shape"])


def both_sides(
    values: Mapping[str, Any], baseline: PipelineOptions
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Gives the baseline the same work, and whatever else the comparison needs on both sides.

    Args:
        values: Of every toggle.
        baseline: As the notebook has it.

    Returns:
        The baseline's values, and a sentence for each change that is not the reader's own.
    """
    fields = {name: getattr(baseline, name) for name in TOGGLES}
    fields |= {name: values[name] for name in shared(baseline) if name != "seed"}
    said = []
    if fields["consumer"] == "keras" and fields["batch"] is None and values["batch"] is not None:
        fields["batch"] = values["batch"]
        said.append(f"The baseline gets batch {values['batch']} too: Keras trains on batches.")
    if fields["consumer"] != "idle" and fields["drain"] == "graph":
        fields["drain"] = "python"
        said.append("A Python loop drains the baseline too: it has a Consumer.")
    return fields, tuple(said)


def all_conflicts(values: Mapping[str, Any], baseline: PipelineOptions) -> list[Conflict]:
    """What keeps the toggles, and the baseline under the same work, from being measured."""
    found = conflicts(values)
    fields, _ = both_sides(values, baseline)
    known = {one.said for one in found}
    for one in conflicts(fields):
        mine = tuple(name for name in one.fields if TOGGLES[name].shared)
        if mine and one.said not in known:
            found.append(Conflict(mine, f"The baseline cannot: {one.said}"))
    return found


def reachable(
    name: str, value: Any, values: Mapping[str, Any], names: Sequence[str],
    baseline: PipelineOptions, depth: int = 2,
) -> bool:  # fmt: skip
    """Whether a choice can be measured at all, once other toggles are set to suit it.

    Args:
        name: Of the toggle.
        value: The choice.
        values: Of every toggle.
        names: The toggles that a reader has.
        baseline: As the notebook has it.
        depth: How many other toggles may have to be set.
    """
    return _settles({**values, name: value}, {name}, names, baseline, depth)


def _settles(
    values: dict[str, Any], fixed: set[str], names: Sequence[str], baseline: PipelineOptions,
    depth: int,
) -> bool:  # fmt: skip
    found = all_conflicts(values, baseline)
    if not found or depth == 0:
        return not found
    return any(
        _settles({**values, other: choice}, {*fixed, other}, names, baseline, depth - 1)
        for other in found[0].fields
        if other in names and other not in fixed
        for _, choice in TOGGLES[other].choices
    )


def made(values: Mapping[str, Any], seed: int) -> PipelineOptions:
    """The options that values mean: of every toggle and of `count`."""
    return PipelineOptions(**effective(dict(values)), seed=seed)
