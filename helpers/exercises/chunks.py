"""Exercises of notebook 07: chunks of a stream, and which arrays cross without a copy."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from helpers import bridge
from helpers.quiet import tf

from . import looking
from .exercise import Exercise, NotYetError, Seen


def _chunked(made: Any, seen: Seen) -> None:
    rows = looking.numbered(10, (3,))
    stream = looking.Stream(rows)
    chunks = looking.opened(made, stream, 4)
    kept: list[tuple[np.ndarray, np.ndarray]] = []
    asked = 0
    for number, chunk in enumerate(chunks):
        where = f"Chunk {number}"
        asked = asked or stream.asked
        if isinstance(chunk, (list, tuple)):
            raise NotYetError(f"{where} is a {type(chunk).__name__} of rows; np.stack makes one "
                              "array of them.")  # fmt: skip
        looking.array(chunk, where)
        if chunk.ndim == 1:
            raise NotYetError(f"{where} has the shape {chunk.shape}: the rows need a new axis in "
                              "front, and are joined along their own.")  # fmt: skip
        kept.append((chunk, chunk.copy()))
        if len(kept) > 10:
            raise NotYetError("The chunks do not end.")
    seen.count("crossings for 10 rows", len(kept), 3)
    just_enough = seen.count("rows asked for when the first chunk is there", asked, 4)
    if any(not np.array_equal(now, then) for now, then in kept):
        raise NotYetError(
            "A chunk changes when the next one is made: they share one buffer, which is the trap."
        )
    if asked == len(rows):
        raise NotYetError(
            "All rows are asked for before the first chunk is there: with a stream that does not "
            "end, it never would be."
        )
    found = np.concatenate([chunk for chunk, _ in kept]) if kept else rows[:0]
    looking.each_once(
        [int(row[0] // 3) for row in found], len(rows),
        {
            "doubled": "Each row belongs into one chunk.",
            "lost": "The last chunk is smaller, and belongs to the rest.",
        },
    )  # fmt: skip
    sizes = [len(chunk) for chunk, _ in kept]
    if sizes != [4, 4, 2]:
        raise NotYetError(f"The chunks hold {looking.listed(sizes)} rows; 4, 4 and 2 are wanted.")
    if not just_enough:
        raise NotYetError(f"{asked} rows are asked for before the first chunk of 4 is there.")


CHUNKED = Exercise(
    name="07-chunked",
    title="Chunks of a stream",
    spec="`rows` is a stream: it comes one by one and cannot be sliced. Write the generator of "
    "chunks of at most `size` rows, each a new array, that asks for no more rows than it needs.",
    start="""
def chunked(rows, size):
    for row in rows:
        yield row[np.newaxis]  # change me
""",
    solution="""
def chunked(rows, size):
    stream = iter(rows)
    while chunk := list(islice(stream, size)):
        yield np.stack(chunk)
""",
    answer="chunked",
    hint="`islice(stream, size)` takes as many as there are, up to `size`; np.stack makes a new "
    "array. What is the sign that the stream has ended?",
    right="10 rows cross in chunks of 4, 4 and 2, each asked for when it was needed.",
    look=_chunked,
)

_GIVEN = """
whole = bridge.aligned(np.zeros((8, 64), np.float32))
arrays = {
    "whole": whole,
    "whole[1:]": whole[1:],
    "whole[:, 1:]": whole[:, 1:],
    "whole.T": whole.T,
    "whole.ravel()[100:]": whole.ravel()[100:],
}
"""
_WHY = {
    "whole": "It starts at a multiple of 64 and lies in one piece.",
    "whole[1:]": "A row is 64 numbers of 4 bytes, so it starts 256 bytes further: again a multiple "
    "of 64, and it lies in one piece.",
    "whole[:, 1:]": "Between its rows is a number that does not belong to it, so it does not lie "
    "in one piece.",
    "whole.T": "It starts where `whole` does, but its rows are not behind each other in memory.",
    "whole.ravel()[100:]": "It lies in one piece, but starts 400 bytes further, which is no "
    "multiple of 64.",
}


def _copied(made: Any, seen: Seen) -> None:
    mine = looking.filled(made, _WHY)
    if not all(isinstance(value, (bool, np.bool_)) for value in mine.values()):
        raise NotYetError("Each answer is True or False.")
    if len(set(mine.values())) == 1:
        raise NotYetError("They do not all fare alike: look at where each starts and how it lies.")
    true = _crossed()
    seen.count("answers that agree with what happened", sum(mine[k] == true[k] for k in true), 5)
    for name, value in true.items():
        if mine[name] != value:
            raise NotYetError(
                f"“{name}” was {'copied' if value else 'not copied'} when it crossed. {_WHY[name]}"
            )


@cache
def _crossed() -> dict[str, bool]:
    """Tells of each array whether it is copied when it crosses."""
    names: dict[str, Any] = {"bridge": bridge, "np": np}
    exec(_GIVEN, names)
    return {name: _is_copied(array) for name, array in names["arrays"].items()}


def _is_copied(array: np.ndarray) -> bool:
    """Lets an array cross, changes it, and looks whether the tensor has changed with it."""
    spec = tf.TensorSpec(array.shape, array.dtype)
    crossing = tf.data.Dataset.from_generator(lambda: [array], output_signature=spec)
    (tensor,) = list(crossing)
    array += 1
    return not np.array_equal(tensor.numpy(), array)


COPIED = Exercise(
    name="07-copied",
    title="Copied or not",
    spec="`whole` is aligned, and the others are views of it. Which of the five does TensorFlow "
    "copy when they cross? Say True for those. The check lets each cross, changes it, and looks "
    "whether the tensor changed.",
    given=_GIVEN,
    start="copied = dict.fromkeys(arrays, ...)  # change me",
    solution="""
copied = dict.fromkeys(arrays, True)
copied["whole"] = copied["whole[1:]"] = False
""",
    answer="copied",
    hint="Two things are needed to cross without a copy: a start at a multiple of 64 bytes, and "
    "memory in one piece, row behind row. A number here takes 4 bytes.",
    right="Only what starts at a multiple of 64 and lies in one piece is taken over.",
    look=_copied,
)
