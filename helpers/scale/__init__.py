"""Scale: many processes and machines, for data that comes from Python."""

from .cluster import Cluster, ClusterError
from .hosted import Hosted, HostedError, host

__all__ = ["Cluster", "ClusterError", "Hosted", "HostedError", "host"]
