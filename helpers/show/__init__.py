"""Showing: figures, the panel, and the notebooks' predictions and exercises."""

from . import plots
from .headline import run
from .lesson import Exercise
from .panel import Panel
from .picture import Picture, figure
from .prediction import Prediction

__all__ = ["Exercise", "Panel", "Picture", "Prediction", "figure", "plots", "run"]
