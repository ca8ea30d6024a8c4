"""What from_generator gains by being told types and shapes."""

from __future__ import annotations

from functools import partial

import numpy as np

from helpers.measure import Arm
from helpers.quiet import tf

from ..arms import CLEAR, generated, generator_arm, options, own, rows_taken
from ..claim import Checked, Claim, Finding, Timed
from ..expectation import GAIN, at_least, at_most
from ..looking import keeps_memory, operations
from ..rows import B_4, KB_40, aligned, stored

NOTEBOOK = "05-output-signature"

SHAPES = ((100, 100), (50, 200), (200, 50), (25, 400), (400, 25))
"""Shapes of one size, 40 KB, so that rows differ in nothing else."""


def given(signature: str) -> dict[str, dict[str, str]]:
    """The article's signature, and another way of giving it."""
    words = f"signature: {signature.replace('_', ' ')}"
    return {"output_signature": {"signature": "full"}, words: {"signature": signature}}


def as_told(shape: tuple[int, ...], take: int, **specs: object) -> tuple[Arm, Arm]:
    """The same stored rows under two signatures.

    Args:
        shape: Of a row.
        take: Rows.
        **specs: Name and signature of the baseline, then of the arm; an underscore is a space.
    """
    rows = stored(shape, rows_taken(take))
    baseline, arm = (
        generator_arm(name.replace("_", " "), partial(_as, spec, rows), spec, content="rows")
        for name, spec in specs.items()
    )
    return baseline, arm


def _as(spec: object, rows: np.ndarray):
    return ((row,) for row in rows) if isinstance(spec, tuple) else iter(rows)


def varying(spec: tf.TensorSpec, take: int = 120) -> tuple[Arm, Arm]:
    """Rows of one shape, and rows of five shapes in turn, under the same signature."""
    rows = stored(KB_40, rows_taken(take))
    changing = [row.reshape(SHAPES[i % len(SHAPES)]) for i, row in enumerate(rows)]
    return (
        generator_arm("rows of one shape", partial(iter, rows), spec),
        generator_arm("rows of five shapes", partial(iter, changing), spec),
    )


def ragged(length: int, take: int = 32) -> tuple[Arm, Arm]:
    """Rows of varying length as arrays, batched as ragged, and yielded as ragged tensors."""
    count = rows_taken(take)
    rows = [row[: length - i % 7] for i, row in enumerate(stored((length,), count))]

    def tensors():
        for row in rows:
            yield tf.RaggedTensor.from_row_lengths(row, [len(row)])

    spec = tf.RaggedTensorSpec((1, None), tf.float32, ragged_rank=1)
    return (
        generator_arm(
            "arrays, then ragged_batch",
            partial(iter, rows),
            (None,),
            lambda dataset: dataset.ragged_batch(1),
        ),
        generator_arm("ragged tensors", tensors, spec),
    )


def runs_without_any() -> Finding:
    """Leaves both output_signature and output_types out."""
    try:
        tf.data.Dataset.from_generator(partial(iter, np.zeros((2, 3))))
    except TypeError as error:
        return Finding(False, f"TypeError: {str(error).rstrip('.')}")
    return Finding(True, "the data set is built")


def is_preallocated() -> Finding:
    """Looks whose memory a tensor with a full signature has."""
    here = keeps_memory(aligned(KB_40))
    return Finding(
        not here,
        "the tensor has the generator's own memory" if here else "the tensor has memory of its own",
    )


def takes_eager_py_func(spec: object) -> Finding:
    """Looks for the slower operation in the graph of a data set with that signature."""
    dataset = generated(partial(iter, []), spec)
    found = sorted(name for name in operations(dataset) if "PyFunc" in name)
    return Finding("EagerPyFunc" in found, f"its graph has {' and '.join(found)}")


CLAIMS = (
    Claim(
        id="missing-signature-is-inferred",
        statement="Without output_signature TensorFlow infers the structure each time, and slowly.",
        source="article",
        detail='"it has to infer the data structure each time"',
        notebook=NOTEBOOK,
        conditions=(
            Checked("for neither signature nor types", runs_without_any),
            Timed(
                "for types without shapes",
                options(given("types_only")),
                at_most(0.77),
                budget_s=8.0,
            ),
            Timed(
                "for types and shapes given the older way",
                options(given("types_and_shapes")),
                at_most(0.77),
            ),
        ),
        supports="It runs, at 0.77× the speed or less.",
        refutes="It does not run at all, or runs as fast.",
        varies="what is left out",
    ),
    Claim(
        id="signature-preallocates",
        statement="Knowing the sizes lets TensorFlow preallocate tensors, and so makes it faster.",
        source="article",
        detail='"This allows TensorFlow to preallocate tensors of the correct shape and type"',
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "for rows of 40 KB of unknown sizes",
                own(
                    as_told,
                    KB_40,
                    200,
                    sizes_unknown=tf.TensorSpec((None, None)),
                    sizes_known=tf.TensorSpec(KB_40),
                ),
                at_least(GAIN),
            ),
            Timed(
                "for rows of 4 B of unknown size",
                own(
                    as_told,
                    B_4,
                    200,
                    size_unknown=tf.TensorSpec((None,)),
                    size_known=tf.TensorSpec(B_4),
                ),
                at_least(GAIN),
            ),
            Checked("for the memory of a tensor of known sizes", is_preallocated),
        ),
        supports="Known sizes make it 1.3× as fast, and tensors have memory set aside for them.",
        refutes="Known sizes change nothing, and a tensor has the memory that the generator made.",
        varies="what is looked at",
    ),
    Claim(
        id="unknown-shape-is-slow",
        statement="A signature of unknown shape silently takes a slower operation.",
        source="ourselves",
        detail="script_ops.py: py_func or eager_py_func",
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "for one bare TensorSpec(None), rows of 40 KB",
                options(given("unknown_shape")),
                at_most(0.77),
            ),
            Checked(
                "for the operation behind one bare TensorSpec(None)",
                partial(takes_eager_py_func, tf.TensorSpec(None)),
            ),
            Checked(
                "for the operation behind a tuple of them",
                partial(takes_eager_py_func, (tf.TensorSpec(None), tf.TensorSpec(None))),
            ),
            Timed(
                "for a tuple that holds it",
                own(
                    as_told,
                    KB_40,
                    200,
                    shape_known=(tf.TensorSpec(KB_40),),
                    shape_unknown=(tf.TensorSpec(None),),
                ),
                at_most(0.77),
            ),
        ),
        supports="EagerPyFunc is in the graph, and rows come at 0.77× the speed or less.",
        refutes="The usual operation is there, and rows come as fast.",
        varies="whether the specification stands alone or in a structure",
    ),
    Claim(
        id="varying-shapes-are-worst",
        statement="Inferring shapes costs most when they vary from element to element.",
        source="article",
        detail='"especially when shapes vary from element to element"',
        notebook=NOTEBOOK,
        conditions=(
            Timed(
                "for rows of unknown sizes",
                own(varying, tf.TensorSpec((None, None))),
                at_most(0.77),
            ),
            Timed("for rows of unknown rank", own(varying, tf.TensorSpec(None)), at_most(0.77)),
        ),
        supports="Rows of five shapes come at 0.77× the speed of rows of one shape or less.",
        refutes="They come as fast: nothing is inferred, each row brings its shape along.",
        varies="what the signature says",
    ),
    Claim(
        id="ragged-rows-cross-as-ragged",
        statement="Rows of varying length are best yielded as ragged tensors.",
        source="ourselves",
        detail="RaggedTensorSpec is offered as an output_signature",
        notebook=NOTEBOOK,
        conditions=(
            Timed("for rows of about 400 B", own(ragged, 100), at_least(0.8), **CLEAR),
            Timed("for rows of about 40 KB", own(ragged, 10_000), at_least(0.8), **CLEAR),
        ),
        supports="They have 0.8× the speed or more of arrays that ragged_batch puts together.",
        refutes="They are far slower: making and encoding them costs more than the crossing.",
        varies="the length of a row",
    ),
)
