"""Pipelines in words: the names and the differences that figures and the panel show."""

from __future__ import annotations

from .options import Toggles, shape_words

_UNNAMED = ("source", "rows in an epoch", "rows taken", "seed")
_PREFIX = {
    "batch": "batch ",
    "prefetch": "prefetch ",
    "transformation": "scale in ",
    "parallel map": "in parallel ",
    "epochs": "epochs ",
    "shuffle": "shuffle ",
    "drain": "drained in ",
    "signature": "signature: ",
}
_SHORT = {
    ("prefetch", "AUTOTUNE"): "prefetch",
    ("prefetch", "switched off"): "no prefetch",
    ("parallel map", "AUTOTUNE"): "in parallel",
    ("cache", "memory"): "cache",
    ("transformation", "in the generator"): "scale in the generator",
    ("cache", "file"): "cache in a file",
}


def label(options: Toggles, plainest: Toggles) -> str:
    """A short name: the source, then what differs from the plainest pipeline."""
    plain = _words(plainest)
    source = "from_tensor_slices" if options.source == "tensor_slices" else "generator"
    parts = [
        _SHORT.get((name, value)) or f"{_PREFIX.get(name, '')}{value}"
        for name, value in _words(options).items()
        if name not in _UNNAMED and value != plain.get(name, "none")
    ]
    return " + ".join([source, *parts])


def changes(one: Toggles, other: Toggles) -> list[str]:
    """What changes from one pipeline to another, a sentence each."""
    before, after = _words(one), _words(other)
    return [
        f"{name}: {before.get(name, 'none')} → {after.get(name, 'none')}"
        for name in {**before, **after}
        if before.get(name, "none") != after.get(name, "none")
    ]


def _words(options: Toggles) -> dict[str, str]:
    """Each toggle in words; none for those without effect."""
    words = {
        "source": {"generator": "from_generator"}.get(options.source, "from_tensor_slices"),
        "work for each row": _work(options.work, options.work_us),
        "yields": {"numpy": "NumPy array", "tensor": "tf.constant"}[options.yields],
        "signature": options.signature.replace("_", " "),
        "shape": shape_words(options.shape),
        "rows in an epoch": str(options.count),
        "rows taken": str(options.take),
        "batch": _some(options.batch),
        "prefetch": "switched off" if options.prefetch == "off" else _some(options.prefetch),
        "transformation": {"generator": "in the generator"}.get(
            options.transform, options.transform.replace("_", " ")
        ),
        "parallel map": _some(options.parallel),
        "cache": options.cache,
        "shuffle": str(options.shuffle or "none"),
        "epochs": str(options.epochs),
        "consumer": _consumer(options.consumer, options.step_us),
        "drain": options.drain,
        "seed": str(options.seed),
    }
    if options.source == "tensor_slices":
        for name in ("work for each row", "yields", "signature", "rows in an epoch"):
            del words[name]
    if not options.stores_rows and not options.shuffle:
        del words["seed"]
    return words


def _some(value: int | str | None) -> str:
    return "none" if value is None else str(value).upper()


def _work(work: str, us: float) -> str:
    return {
        "none": "none",
        "sleep": f"sleep {us:g} µs",
        "random": "rand",
        "sleep+random": f"sleep {us:g} µs + rand",
        "python": f"Python {us:g} µs",
        "numpy": f"NumPy {us:g} µs",
    }[work]


def _consumer(consumer: str, us: float) -> str:
    return consumer if consumer in ("idle", "keras") else f"{consumer} {us:g} µs"
