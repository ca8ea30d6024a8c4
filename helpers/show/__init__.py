"""Showing: figures, the panel, and the notebooks' predictions and exercises.

Its parts are imported when they are first asked for: most need TensorFlow, a room does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from . import plots
    from .exercise import check
    from .headline import run
    from .nodes import graph
    from .panel import Panel
    from .picture import Picture, figure
    from .prediction import Prediction
    from .progress import progress
    from .room_view import RoomView
    from .table import listed
    from .timelines import Timelines

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["plots"],
    submod_attrs={
        "exercise": ["check"],
        "headline": ["run"],
        "nodes": ["graph"],
        "panel": ["Panel"],
        "picture": ["Picture", "figure"],
        "prediction": ["Prediction"],
        "progress": ["progress"],
        "room_view": ["RoomView"],
        "table": ["listed"],
        "timelines": ["Timelines"],
    },
)
