"""Hazards that the rows themselves show: what is lost, changed or converted."""

from __future__ import annotations

import numpy as np

from helpers.bridge.structure import leaves_of
from helpers.diagnose.hazards.hazard import DATA, NOTE, SPEED, Evidence, Hazard
from helpers.diagnose.signature import propose
from helpers.quiet import tf


def runs_once(e: Evidence) -> Hazard | None:
    """A generator object in the place of a function."""
    if e.subject.kind != "object":
        return None
    return Hazard(
        "generator-object", DATA, "a generator object, which runs once",
        "The second epoch of a data set built over it is empty, without an error.",
        "Pass the function itself, without calling it: from_generator(rows, …), not rows().",
    )  # fmt: skip


def second_pass(e: Evidence) -> Hazard | None:
    """A second epoch that is empty or shorter."""
    look = e.look
    if look is None or e.subject.kind == "object":
        return None
    if look.second_error:
        return Hazard(
            "second-pass-fails", DATA, "the second epoch fails",
            f"Called again, it raises {look.second_error}.",
            "Open files and connections within the generator, so that each call has its own.",
        )  # fmt: skip
    if not look.ended_again:
        return None
    return Hazard(
        "spent-source", DATA, "the second epoch is shorter than the first",
        f"The first pass gave {look.count} rows, the second {len(look.again)}: it draws from "
        "something that is made once and used up, such as an open file or an iterator.",
        "Make it within the generator: open(path) or iter(items) on the first line of its body.",
        e.subject.at(_first_line(e)),
    )  # fmt: skip


def early_end(e: Evidence) -> Hazard | None:
    """An inner StopIteration that `__next__` lets out."""
    look = e.look
    if look is None or not look.ended or len(look.early_end) < 1:
        return None
    line, name = look.early_end[0]
    if name != "__next__":
        return None
    import linecache

    text = linecache.getline(e.subject.file, line).strip()
    if "StopIteration" in text or "next(" not in text or text.startswith("return next("):
        return None
    return Hazard(
        "inner-stop", DATA, "an inner iterator's end ends the data",
        f"`{text}` let the StopIteration of an inner iterator out of __next__, so the data ended "
        f"after {look.count} rows, without an error.",
        "Write next(inner, None), or catch StopIteration there and go on with the next source.",
        e.subject.at(line),
    )  # fmt: skip


def empty(e: Evidence) -> Hazard | None:
    """No row at all."""
    if e.look is None or e.look.count or not e.look.ended:
        return None
    return Hazard(
        "empty", DATA, "it yields nothing",
        "The first pass ended before its first row.",
        "Check the condition or path that it begins with.", e.subject.at(_first_line(e)),
    )  # fmt: skip


def reused_array(e: Evidence) -> Hazard | None:
    """One array that is filled again and again."""
    look = e.look
    if look is None or look.changed < 0:
        return None
    fate = (
        "Its memory starts at a multiple of 64, so TensorFlow aliases it: batches and prefetched "
        "rows show the last values"
        if look.aliased
        else "TensorFlow copies it today, because its memory does not start at a multiple of 64; "
        "that is luck"
    )
    return Hazard(
        "reused-array", DATA, "the same array is yielded again and again",
        f"Row {look.changed} changed after it was yielded. {fate}.",
        "Yield array.copy(), or make the array anew for each row.", e.row_at(look.changed),
    )  # fmt: skip


def changed_by_cast(e: Evidence) -> Hazard | None:
    """Values that are others after the cast to the signature's type."""
    if e.look is None or e.given is None or e.report is None or e.report.problems:
        return None
    specs = [spec for _, spec in leaves_of(e.given)]
    for index, row in enumerate(e.look.kept):
        for spec, (name, leaf) in zip(specs, leaves_of(row), strict=True):
            if not isinstance(spec, tf.TensorSpec) or spec.dtype == tf.string:
                continue
            told = _cast_changes(leaf, spec.dtype.as_numpy_dtype)
            if told:
                return Hazard(
                    "changed-by-cast", DATA, "values change on their way into TensorFlow",
                    f"In row {index}, component{name or ''}: {told} as {spec.dtype.name}, without "
                    "an error.",
                    f"Give the type that the rows have: {e.report.proposed}", e.row_at(index),
                )  # fmt: skip
    return None


def _cast_changes(leaf: object, dtype: type) -> str:
    before = np.asarray(leaf)
    if before.dtype.kind not in "biufO":
        return ""
    if before.dtype.hasobject:
        holes = sum(value is None for value in before.ravel())
        return f"None becomes NaN ({holes} of {before.size})" if holes else ""
    with np.errstate(all="ignore"):
        try:
            after = before.astype(dtype)
        except (TypeError, ValueError):
            return ""
    kind = np.dtype(dtype).kind
    if before.dtype.kind == "f" and kind in "iub":
        wrong = ~(after == before)
    elif before.dtype.kind in "iu" and kind in "iu":
        wrong = after.astype(object) != before.astype(object)
    else:
        return ""
    wrong = np.asarray(wrong, bool)
    if not wrong.any():
        return ""
    return f"{before[wrong].ravel()[0]} becomes {after[wrong].ravel()[0]}"


def wrong_signature(e: Evidence) -> Hazard | None:
    """A signature that the rows do not have."""
    if e.report is None or not e.report.problems:
        return None
    types = "no tf.TypeSpec" in e.report.problems[0]
    return Hazard(
        "types-for-specs" if types else "wrong-signature", DATA,
        "types stand where specs belong" if types else "the signature does not fit the rows",
        f"{e.report.problems[0][0].upper()}{e.report.problems[0][1:]}.",
        f"output_signature={e.report.proposed}",
    )  # fmt: skip


def differing_rows(e: Evidence) -> Hazard | None:
    """Rows whose shape differs, so that `batch` fails."""
    if e.look is None or len(e.look.kept) < 2 or e.subject.pipeline is not None:
        return None
    if e.subject.kind == "batches":
        return None
    try:
        specs = [spec for _, spec in leaves_of(propose(e.look.kept))]
    except ValueError as error:
        return Hazard(
            "unlike-rows", DATA, "rows of different structure",
            f"{str(error)[0].upper()}{str(error)[1:].rstrip('.')}.",
            "Make every row yield the same components.",
        )  # fmt: skip
    open_ = [spec for spec in specs if spec.shape.rank is None or None in tuple(spec.shape)]
    if not open_:
        return None
    return Hazard(
        "varying-shape", DATA, "rows of different shapes",
        f"A component has shape {open_[0].shape}: batch({e.batch_size}) raises as soon as two "
        "rows of one batch differ.",
        'bridge.from_generator(…, varying="pad") or padded_batch; varying="ragged" keeps lengths.',
    )  # fmt: skip


def random_rows(e: Evidence) -> Hazard | None:
    """Rows that differ between two passes."""
    if e.look is None or e.look.differs < 0 or e.look.ended_again:
        return None
    if "cache" in e.steps or "memorycache" in e.steps:
        return None  # a hazard of its own
    return Hazard(
        "differs-between-passes", NOTE, "two passes give different rows",
        f"Row {e.look.differs} is another one in the second pass. For augmentation that is meant; "
        "an error cannot be repeated then, and a cache would freeze the first epoch.",
        "Draw from np.random.default_rng(seed) made within the generator, where it is not meant.",
    )  # fmt: skip


def tensors_yielded(e: Evidence) -> Hazard | None:
    """Rows made of tensors."""
    if e.look is None or not e.look.kept:
        return None
    if not any(tf.is_tensor(leaf) for _, leaf in leaves_of(e.look.kept[0])):
        return None
    return Hazard(
        "yields-tensors", SPEED, "it yields tensors",
        "TensorFlow turns each one back into an array before it crosses: the detour costs "
        "13 to 26 µs a row and gains nothing.",
        "Yield the NumPy array itself.", e.row_at(0),
    )  # fmt: skip


def cast_each_row(e: Evidence) -> Hazard | None:
    """float64 or lists that are cast, row by row."""
    if e.look is None or not e.look.kept or e.given is None:
        return None
    if e.report is None or e.report.problems:
        return None
    specs = [spec for _, spec in leaves_of(e.given)]
    for spec, (name, leaf) in zip(specs, leaves_of(e.look.kept[0]), strict=True):
        size = np.size(leaf)
        if not isinstance(spec, tf.TensorSpec) or spec.dtype == tf.string or size < 64:
            continue
        found = leaf.dtype.name if isinstance(leaf, np.ndarray) else type(leaf).__name__
        if found in ("list", "float64", "int64") and found != spec.dtype.name:
            return Hazard(
                "cast-each-row", SPEED, "each row is cast",
                f"Component{name or ''} is a {found} of {size} values, and {spec.dtype.name} is "
                "asked for: each row is read and written once more, with the GIL held.",
                f"Make it np.{spec.dtype.name} where it is read, once.", e.row_at(0),
            )  # fmt: skip
    return None


def many_components(e: Evidence) -> Hazard | None:
    """Many tiny components."""
    if e.look is None or not e.look.kept:
        return None
    parts = [part for _, part in leaves_of(e.look.kept[0])]
    if len(parts) < 8 or np.mean([np.size(part) for part in parts]) > 16:
        return None
    return Hazard(
        "many-components", SPEED, f"{len(parts)} components, most of them tiny",
        "Each component is checked, converted and handed over by itself: ten cost twice what one "
        "does.",
        "Yield one array of all numbers of a row, and take it apart in a map after batch.",
        e.row_at(0),
    )  # fmt: skip


def heavy_start(e: Evidence) -> Hazard | None:
    """A first row that takes much longer than the others."""
    look = e.look
    if look is None or look.count < 5:
        return None
    first = look.wall_ns[0]
    if first < 100e6 or first < 30 * look.row_ns:
        return None
    return Hazard(
        "heavy-start", SPEED, "the first row takes long, in each epoch",
        f"{first / 1e6:.0f} ms, against {look.row_ns / 1e6:.3g} ms for the others: something is "
        "opened or loaded again each time the generator starts.",
        "Load it once outside, if it may be shared, and keep what must be opened within.",
        e.subject.at(_first_line(e)),
    )  # fmt: skip


def keras_triple(e: Evidence) -> Hazard | None:
    """A flat tuple that Keras reads as (x, y, sample_weight)."""
    if not e.model:
        return None
    row = e.look.kept[0] if e.look and e.look.kept else None
    spec = e.dataset.element_spec if e.dataset is not None else row
    if not isinstance(spec, tuple) or len(spec) < 3:
        return None
    return Hazard(
        "flat-tuple", DATA, "Keras reads the third component as sample_weight",
        f"An element is a flat tuple of {len(spec)}, and fit takes (x, y, sample_weight).",
        "Yield ((a, b), label), or a dict of inputs and a label.", e.row_at(0),
    )  # fmt: skip


def label_rank(e: Evidence) -> Hazard | None:
    """A component of unknown rank in front of Keras."""
    spec = e.dataset.element_spec if e.dataset is not None else e.given
    if not e.model or spec is None:
        return None
    for name, one in leaves_of(spec):
        if isinstance(one, tf.TensorSpec) and one.shape.rank is None:
            return Hazard(
                "unknown-rank", DATA, "Keras gets a component of unknown rank",
                f"Component{name} has no rank; a loss or metric guesses one, or raises.",
                f"output_signature={e.report.proposed}" if e.report else "Give its shape.",
            )  # fmt: skip
    return None


def growing_memory(e: Evidence) -> Hazard | None:
    """A process that grows row by row."""
    look = e.look
    if look is None or look.half_rows < 300 or look.grown_bytes < 8 << 20:
        return None
    each = look.grown_bytes / look.half_rows
    if each < 0.3 * max(look.row_bytes, 64):
        return None
    return Hazard(
        "growing-memory", SPEED, "memory grows with each row",
        f"The process grew by {look.grown_bytes / 2**20:.0f} MiB over {look.half_rows} rows, "
        f"{each / 1024:.0f} KiB each, though nothing here keeps them: the generator holds on to "
        "objects, or pages stay with the allocator.",
        "Look for a list or dict that is appended to, and for caches without a limit.",
        e.subject.at(_first_line(e)),
    )  # fmt: skip


def _first_line(e: Evidence) -> int:
    code = getattr(e.subject.code, "__code__", e.subject.code)
    return getattr(code, "co_firstlineno", 0)


RULES = (
    runs_once, empty, second_pass, early_end, reused_array, changed_by_cast, wrong_signature,
    differing_rows, keras_triple, label_rank, random_rows, tensors_yielded, cast_each_row,
    many_components, heavy_start, growing_memory,
)  # fmt: skip
