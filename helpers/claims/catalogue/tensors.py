"""tf.constant against NumPy arrays, copies against aliases."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from unittest import mock

import numpy as np

from helpers.measure import Arm
from helpers.quiet import tf

from ..arms import Arms, behind_device, generated, options, own, repeated_arm, rows_taken
from ..claim import Checked, Claim, Finding, Timed
from ..expectation import GAIN, at_least, faster
from ..looking import keeps_memory
from ..rows import KB_40, KB_600, aligned

NOTEBOOK = "04-tf-constant-generator"

YIELDS = {"NumPy array": {"yields": "numpy"}, "tf.constant": {"yields": "tensor"}}


def tensors_made_before(shape: tuple[int, ...], take: int) -> Arms:
    """One row again and again, as NumPy puts it in memory, and as a tensor made beforehand."""

    def make() -> tuple[Arm, Arm]:
        count = rows_taken(take)
        row = aligned(shape, offset=16)
        return (
            repeated_arm("NumPy arrays", row, count),
            repeated_arm("tensors", tf.constant(row), count),
        )

    return own(make)


def needs_no_conversion() -> Finding:
    """Watches np.asarray while from_generator takes five tensors across."""
    genuine, seen = np.asarray, []

    def watched(values, *args, **kwargs):
        seen.append(tf.is_tensor(values))
        return genuine(values, *args, **kwargs)

    tensor = tf.constant([1.0, 2.0])
    dataset = generated(partial(iter, [tensor] * 5), (2,))
    with mock.patch.object(np, "asarray", watched):
        for _ in dataset:
            pass
    return Finding(not sum(seen), f"{sum(seen)} of 5 tensors were turned into NumPy arrays again")


def is_copied(offset: int) -> Finding:
    """Compares the address of a yielded array with that of the tensor it becomes."""
    copied = not keeps_memory(aligned(KB_40, offset))
    return Finding(
        copied,
        "the tensor has memory of its own" if copied else "the tensor lies in the array's memory",
    )


def may_refill(offset: int) -> Finding:
    """Fills one array with 0 to 7 in turn, yields it each time, and reads all eight at the end."""
    array = aligned((64,), offset)

    def generator() -> Iterator[np.ndarray]:
        for number in range(8):
            array[:] = number
            yield array

    seen = [int(tensor[0]) for tensor in list(generated(generator, (64,)))]
    return Finding(seen == list(range(8)), f"0 to 7 arrive as {seen}")


CLAIMS = (
    Claim(
        id="tf-constant-is-faster",
        statement="Yielding tf.constant in place of a NumPy array is marginally faster.",
        source="article",
        detail='example 3: "a marginal performance increase"',
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "for the article's own examples 2 and 3",
                options(YIELDS, work="random", prefetch="autotune"),
                faster(),
                precision=0.06,
                budget_s=12.0,
            ),
            Timed(
                "behind a device that takes 4 ms for each row",
                options(YIELDS, **behind_device(4000, take=28)),
                at_least(1.05),
            ),
        ),
        supports="Tensors come faster than arrays.",
        refutes="They come slower: making a tensor takes time, and nothing is spared.",
        varies="the consumer",
    ),
    Claim(
        id="tf-constant-needs-no-conversion",
        statement="A generator that yields tensors spares TensorFlow the conversion.",
        source="article",
        detail='example 3: "TensorFlow doesn\'t need to convert the NumPy array into a tensor"',
        notebook=NOTEBOOK,
        conditions=(
            Checked("for what from_generator does with a tensor", needs_no_conversion),
            Timed(
                "for tensors of 40 KB that exist beforehand",
                tensors_made_before(KB_40, 200),
                at_least(GAIN),
            ),
            Timed(
                "for tensors of 9.6 MB that exist beforehand",
                tensors_made_before((16, *KB_600), 30),
                at_least(GAIN),
            ),
        ),
        supports="Tensors are passed as they are, and 1.3× as fast or faster if made beforehand.",
        refutes="They are turned into NumPy arrays first, and small ones come no faster.",
        varies="size: a tensor's memory is aligned, which spares large ones a copy",
    ),
    Claim(
        id="numpy-is-copied",
        statement="NumPy arrays are passed to TensorFlow by copying.",
        source="article",
        detail='example 3: "numpy arrays still pass data by copying"',
        notebook=NOTEBOOK,
        conditions=(
            Checked("for an array 16 bytes above a multiple of 64", partial(is_copied, 16)),
            Checked("for an array at a multiple of 64", partial(is_copied, 0)),
        ),
        supports="The tensor lies elsewhere in memory than the array.",
        refutes="The tensor lies where the array lies.",
        varies="the array's address",
    ),
    Claim(
        id="buffer-may-be-refilled",
        statement="A generator may fill the same array again for each row that it yields.",
        source="ourselves",
        detail="what follows if arrays were always copied",
        notebook=NOTEBOOK,
        conditions=(
            Checked("for an array 16 bytes above a multiple of 64", partial(may_refill, 16)),
            Checked("for an array at a multiple of 64", partial(may_refill, 0)),
        ),
        supports="Each element holds what was in the array when it was yielded.",
        refutes="Elements hold what was written later: wrong data, and no error.",
        varies="the array's address",
    ),
)
