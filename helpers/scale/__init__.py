"""Scale: many processes and machines, for data that comes from Python."""

from .cluster import Cluster
from .hosted import Hosted, HostedError, host
from .process import ClusterError

__all__ = ["Cluster", "ClusterError", "Hosted", "HostedError", "host"]
