"""The fast bridge: Python data into tf.data with few crossings and without copies.

Its names are looked up when they are asked for: a worker process whose generator uses `aligned`
has no use for TensorFlow, whose import takes seconds.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from helpers.bridge.buffers import aligned
    from helpers.bridge.dataset import from_generator
    from helpers.bridge.errors import GeneratorError, MismatchError, WorkerError
    from helpers.bridge.source import from_source

__all__ = [
    "GeneratorError",
    "MismatchError",
    "WorkerError",
    "aligned",
    "from_generator",
    "from_source",
]

_HOMES = {
    "aligned": "buffers",
    "from_generator": "dataset",
    "from_source": "source",
    "GeneratorError": "errors",
    "MismatchError": "errors",
    "WorkerError": "errors",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
