"""What an iterator says that cannot be saved in a checkpoint."""

from __future__ import annotations

import functools
from typing import Any

from helpers.bridge.owning import Kept
from helpers.quiet import tf

SENTENCE = (
    "an iterator over a generator cannot be saved in a checkpoint: only the generator knows how "
    "far it has come. What bridge.from_source reads can be saved and goes on at the same row, in "
    "any order, with or without workers; or count the batches, and skip() as many after restoring"
)


@functools.cache
def explain_refusals() -> None:
    """Has iterators over a generator of the bridge refuse to be saved in a sentence that helps.

    TensorFlow says "PyFunc is stateful", in C++, where nothing of ours has a say, so this wraps the
    method of its iterators that a checkpoint calls; all other errors stay what they are.
    """
    iterator_type = type(iter(tf.data.Dataset.range(1)))
    save = getattr(iterator_type, "_serialize_to_tensors", None)
    if save is None:  # a TensorFlow that does it otherwise: its own words have to do
        return

    @functools.wraps(save)
    def explained(iterator: Any) -> Any:
        try:
            return save(iterator)
        except tf.errors.FailedPreconditionError as error:
            if not _reads_generator(getattr(iterator, "_dataset", None)):
                raise
            raise tf.errors.FailedPreconditionError(error.node_def, error.op, SENTENCE) from None

    iterator_type._serialize_to_tensors = explained


def _reads_generator(dataset: Any) -> bool:
    if dataset is None:
        return False
    if isinstance(getattr(dataset, "_bridge_keeps", None), Kept):
        return True
    return any(map(_reads_generator, dataset._inputs()))
