"""What a run of the workbook does and leaves: planned, carried out, kept, and set side by side.

Its parts are imported when they are first asked for: most need TensorFlow, a room does not.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import notebooks
    from .carrying_out import conclude, gather, measure
    from .choosing import choose
    from .comparing import Comparison, RatioRow, compare_runs
    from .gathering import Folder, gather_room
    from .planning import prepare
    from .room import Room
    from .run import RESULTS, Run, load_run, machines, pair_of, reference, results_name
    from .sharing import share
    from .time_left import TimeLeft

_PLACES = {
    "carrying_out": ("conclude", "gather", "measure"),
    "choosing": ("choose",),
    "comparing": ("Comparison", "RatioRow", "compare_runs"),
    "gathering": ("Folder", "gather_room"),
    "planning": ("prepare",),
    "room": ("Room",),
    "run": ("RESULTS", "Run", "load_run", "machines", "pair_of", "reference", "results_name"),
    "sharing": ("share",),
    "time_left": ("TimeLeft",),
}
_PLACE_OF = {name: place for place, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "notebooks":
        return importlib.import_module(f"{__name__}.notebooks")
    if name not in _PLACE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(importlib.import_module(f"{__name__}.{_PLACE_OF[name]}"), name)
    globals()[name] = found
    return found


__all__ = [
    "RESULTS",
    "Comparison",
    "Folder",
    "RatioRow",
    "Room",
    "Run",
    "TimeLeft",
    "choose",
    "compare_runs",
    "conclude",
    "gather",
    "gather_room",
    "load_run",
    "machines",
    "measure",
    "notebooks",
    "pair_of",
    "prepare",
    "reference",
    "results_name",
    "share",
]
