"""The fields of PipelineOptions as a reader toggles them: words, choices, and what they share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from helpers.study import PipelineOptions

AUTOTUNE = "autotune"
_STEPLESS = ("idle", "keras")
"""Consumers without a length of step to set."""


@dataclass(frozen=True)
class Toggle:
    """What a drop-down offers, in plain words.

    Attributes:
        label: Stands before it.
        tooltip: What it changes.
        choices: The values, each with the text that shows it.
        brief: Writes a value in the name of a run, in place of the braces.
        none: Writes the value that means none.
        group: Where it stands: "Source", "Pipeline" or "Consumer".
        shared: Whether it sets the work rather than the pipeline, and so holds for all arms of a
            run: a ratio between unlike work means nothing.
    """

    label: str
    tooltip: str
    choices: tuple[tuple[str, Any], ...]
    brief: str = "{}"
    none: str = ""
    group: str = "Pipeline"
    shared: bool = False


def _these(*values: Any, **texts: str) -> tuple[tuple[str, Any], ...]:
    return tuple((texts.get(str(value)) or text(value), value) for value in values)


def text(value: Any) -> str:
    """Writes the value of a toggle."""
    if isinstance(value, tuple):
        return "×".join(map(str, value)) or "scalar"
    if isinstance(value, (int, float)):
        return f"{value:g}"
    return {None: "none", AUTOTUNE: "AUTOTUNE"}.get(value, str(value).replace("_", " "))


TOGGLES: dict[str, Toggle] = {
    "source": Toggle(
        "Source",
        "Where rows come from: an array in memory, or a Python generator.",
        _these("tensor_slices", "generator",
               tensor_slices="from_tensor_slices", generator="from_generator"),
        group="Source",
    ),
    "work": Toggle(
        "Work per row",
        "What the generator does for each row before it yields it. Python work holds the GIL; "
        "NumPy work and sleep free it.",
        _these("none", "random", "sleep", "sleep+random", "python", "numpy",
               **{"random": "np.random.rand", "sleep+random": "sleep, then rand",
                  "python": "Python loop", "numpy": "NumPy work"}),
        none="no work", group="Source",
    ),
    "work_us": Toggle(
        "Work, µs", "How long the sleep, the Python loop or the NumPy work takes for each row.",
        _these(10, 50, 100, 500, 1000),
        brief="{} µs of work", group="Source",
    ),
    "yields": Toggle(
        "Yields", "What the generator hands to TensorFlow.",
        _these("numpy", "tensor", numpy="NumPy array", tensor="tf.constant"),
        group="Source",
    ),
    "signature": Toggle(
        "Signature", "How much from_generator is told about what the generator yields.",
        _these("full", "types_and_shapes", "types_only", "unknown_shape"),
        brief="signature {}", group="Source",
    ),
    "shape": Toggle(
        "Shape of a row", "Shape of a row, float32. The baseline gets the same.",
        _these((), (10, 10), (100, 100), (224, 224, 3)),
        brief="rows of {}", group="Source", shared=True,
    ),
    "take": Toggle(
        "Rows", "Rows in an epoch of a trial. The baseline gets the same.",
        _these(100, 300, 1000, 3000),
        brief="{} rows", group="Source", shared=True,
    ),
    "transform": Toggle(
        "Transformation", "Where the rows are scaled, if at all.",
        _these("none", "generator", "map", "map_after_batch", generator="in the generator",
               map_after_batch="map after batch"),
        brief="transformation {}", none="no transformation",
    ),
    "parallel": Toggle(
        "Parallel map", "How many calls of map run at a time.",
        _these(None, 2, 4, AUTOTUNE, **{"None": "one at a time"}),
        brief="{} maps at a time", none="one map at a time",
    ),
    "cache": Toggle(
        "Cache", "Keeps the rows of the first epoch for the later ones.",
        _these("none", "memory", "file"),
        brief="cache in {}", none="no cache",
    ),
    "shuffle": Toggle(
        "Shuffle", "Size of the shuffle buffer, in rows.", _these(0, 100, 1000, **{"0": "none"}),
        brief="shuffle {}", none="no shuffle",
    ),
    "batch": Toggle(
        "Batch", "Rows in a batch.", _these(None, 8, 32, 128, 256),
        brief="batch {}", none="no batch",
    ),
    "epochs": Toggle(
        "Epochs", "Passes over the rows in a trial. The baseline gets the same.",
        _these(1, 2, 3),
        brief="{} epochs", shared=True,
    ),
    "prefetch": Toggle(
        "Prefetch", "Elements made ready while the consumer is busy. Where none is written, "
        "TensorFlow adds one of its own; off forbids that.",
        _these(None, "off", 1, 2, 8, AUTOTUNE, **{"None": "none written"}),
        brief="prefetch {}", none="no prefetch written",
    ),
    "drain": Toggle(
        "Drained by", "Who pulls the elements: a Python loop, or a loop within TensorFlow.",
        _these("python", "graph", python="a Python loop", graph="TensorFlow"),
        brief="drained by {}", group="Consumer",
    ),
    "consumer": Toggle(
        "Consumer", "What each element is fed to. The baseline gets the same consumer.",
        _these("idle", "device", "python", "compute", "keras", idle="nothing (idle)",
               device="device step (sleeps)", python="Python step (GIL)",
               compute="TensorFlow step (cores)", keras="Keras train step"),
        none="no consumer", group="Consumer", shared=True,
    ),
    "step_us": Toggle(
        "Step, µs", "How long a step of the consumer takes.", _these(100, 500, 1000, 5000),
        brief="step of {} µs", group="Consumer", shared=True,
    ),
}  # fmt: skip
"""Every toggle, by group and in the order of the pipeline."""


def shared(options: PipelineOptions) -> dict[str, Any]:
    """Returns the fields that set the work, which all arms of a run have in common."""
    names = [name for name, toggle in TOGGLES.items() if toggle.shared]
    return {name: getattr(options, name) for name in (*names, "count", "seed")}


def brief(name: str, value: Any) -> str:
    """Writes a value as the name of a run does: "batch 32", "no prefetch written"."""
    toggle = TOGGLES[name]
    if toggle.none and value in (None, "none", "idle", 0):
        return toggle.none
    return toggle.brief.format(shown(name, value))


def run_name(options: PipelineOptions, start: PipelineOptions) -> str:
    """Names a pipeline by the toggles that a reader set otherwise than they started."""
    old, new = _values(start), _values(options)
    return ", ".join(brief(name, new[name]) for name in TOGGLES if old[name] != new[name])


def setting(options: PipelineOptions) -> str:
    """Writes what all arms of a run share."""
    parts = [f"{options.take} rows of {text(options.shape)}"]
    if options.epochs > 1:
        parts.append(f"{options.epochs} epochs")
    consumer = shown("consumer", options.consumer)
    if options.consumer not in _STEPLESS:
        consumer += f" of {options.step_us:g} µs"
    return ", ".join([*parts, f"consumer: {consumer}"])


def changes(before: PipelineOptions, after: PipelineOptions) -> tuple[str, ...]:
    """Writes what the toggles changed, one entry for each.

    `PipelineOptions.changes` also lists what follows from a change: that a generator has a
    signature and `from_tensor_slices` has none.
    """
    old, new = _values(before), _values(after)
    return tuple(
        f"{toggle.label}: {shown(name, old[name])} → {shown(name, new[name])}"
        for name, toggle in TOGGLES.items()
        if old[name] != new[name]
    )


def shown(name: str, value: Any) -> str:
    """Writes a value as its toggle does."""
    return {other: shown for shown, other in TOGGLES[name].choices}.get(value) or text(value)


def _values(options: PipelineOptions) -> dict[str, Any]:
    return effective({name: getattr(options, name) for name in TOGGLES})


def effective(values: dict[str, Any]) -> dict[str, Any]:
    """The values with those that mean nothing set back."""
    plain = PipelineOptions()
    return values | {name: getattr(plain, name) for name in without_effect(values)}


def without_effect(values: dict[str, Any]) -> set[str]:
    """The fields that mean nothing beside the others."""
    found = set()
    if values["source"] == "tensor_slices":
        found |= {"work", "work_us", "yields", "signature"}
    if values["work"] in ("none", "random"):
        found.add("work_us")
    if "map" not in values["transform"]:
        found.add("parallel")
    if values["consumer"] in _STEPLESS:
        found.add("step_us")
    return found
