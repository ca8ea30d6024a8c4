"""All uses, in the order of the table."""

from contract import (  # noqa: F401, I001: each adds its rows, in this order
    transformations,
    options,
    loops,
    fitting,
    backends,
    strategies,
    keeping,
    nesting,
    debugging,
)
from contract.use import USES

__all__ = ["USES"]
