"""Scale: many processes and machines, for data that comes from Python."""

from .cluster import Cluster, ClusterError
from .hosted import Hosted, HostedError, host
from .materialise import Written, materialise
from .payback import Payback
from .stored import Stored, StoredError, stored

__all__ = [
    "Cluster",
    "ClusterError",
    "Hosted",
    "HostedError",
    "Payback",
    "Stored",
    "StoredError",
    "Written",
    "host",
    "materialise",
    "stored",
]
