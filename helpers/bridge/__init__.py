"""The fast bridge: Python data into tf.data with few crossings and without copies.

Its names are looked up when they are asked for: a worker process whose generator uses `aligned`
has no use for TensorFlow, whose import takes seconds.
"""

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from helpers.bridge.buffers import aligned
    from helpers.bridge.dataset import from_generator
    from helpers.bridge.errors import GeneratorError, MismatchError, WorkerError
    from helpers.bridge.source import from_source

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submod_attrs={
        "buffers": ["aligned"],
        "dataset": ["from_generator"],
        "errors": ["GeneratorError", "MismatchError", "WorkerError"],
        "source": ["from_source"],
    },
)
