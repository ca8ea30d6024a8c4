"""The fast bridge: Python data into tf.data with few crossings and without copies."""

from helpers.bridge.dataset import from_generator
from helpers.bridge.processes import WorkerError
from helpers.bridge.resident import aligned
from helpers.bridge.source import from_source
from helpers.bridge.structure import MismatchError

__all__ = ["MismatchError", "WorkerError", "aligned", "from_generator", "from_source"]
