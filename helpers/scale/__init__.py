"""Scale: many processes and machines, for data that comes from Python."""

from .capacity import Capacity, Limit
from .cluster import Cluster
from .hosted import Hosted, HostedError, host
from .materialise import Written, materialise
from .payback import Payback
from .process import ClusterError
from .stored import Stored, StoredError, stored

__all__ = [
    "Capacity",
    "Cluster",
    "ClusterError",
    "Hosted",
    "HostedError",
    "Limit",
    "Payback",
    "Stored",
    "StoredError",
    "Written",
    "host",
    "materialise",
    "stored",
]
