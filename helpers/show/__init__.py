"""Showing: figures, the panel, and the notebooks' predictions and exercises."""

from . import plots
from .exercise import check
from .headline import run
from .listed import listed
from .nodes import graph
from .panel import Panel
from .picture import Picture, figure
from .prediction import Prediction
from .timelines import Timelines

__all__ = [
    "Panel",
    "Picture",
    "Prediction",
    "Timelines",
    "check",
    "figure",
    "graph",
    "listed",
    "plots",
    "run",
]
