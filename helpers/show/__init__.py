"""Showing: figures, the panel, and the notebooks' predictions and exercises.

Its parts are imported when they are first asked for: most need TensorFlow, a room does not.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import plots
    from .exercise import check
    from .headline import run
    from .listed import listed
    from .nodes import graph
    from .panel import Panel
    from .picture import Picture, figure
    from .prediction import Prediction
    from .room_view import RoomView
    from .timelines import Timelines

_PLACE_OF = {
    "Panel": "panel",
    "Picture": "picture",
    "Prediction": "prediction",
    "RoomView": "room_view",
    "Timelines": "timelines",
    "check": "exercise",
    "figure": "picture",
    "graph": "nodes",
    "listed": "listed",
    "run": "headline",
}


def __getattr__(name: str) -> Any:
    if name == "plots":
        return importlib.import_module(f"{__name__}.plots")
    if name not in _PLACE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"{__name__}.{_PLACE_OF[name]}"), name)
    globals()[name] = found
    return found


__all__ = [
    "Panel",
    "Picture",
    "Prediction",
    "RoomView",
    "Timelines",
    "check",
    "figure",
    "graph",
    "listed",
    "plots",
    "run",
]
