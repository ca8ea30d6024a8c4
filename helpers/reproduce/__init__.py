"""What a run of the workbook does and leaves: planned, carried out, kept, and set side by side.

Its parts are imported when they are first asked for: most need TensorFlow, a room does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import lazy_loader

if TYPE_CHECKING:
    from . import notebooks
    from .carrying_out import conclude, gather, measure
    from .choosing import choose
    from .comparing import Comparison, RatioRow, compare_runs
    from .gathering import Folder
    from .planning import prepare
    from .room import Room
    from .run import RESULTS, Run, load_run, machines, pair_of, reference, replayed, results_name
    from .sharing import share
    from .time_left import TimeLeft

__getattr__, __dir__, __all__ = lazy_loader.attach(
    __name__,
    submodules=["notebooks"],
    submod_attrs={
        "carrying_out": ["conclude", "gather", "measure"],
        "choosing": ["choose"],
        "comparing": ["Comparison", "RatioRow", "compare_runs"],
        "gathering": ["Folder"],
        "planning": ["prepare"],
        "room": ["Room"],
        "run": [
            "RESULTS", "Run", "load_run", "machines", "pair_of", "reference", "replayed",
            "results_name",
        ],
        "sharing": ["share"],
        "time_left": ["TimeLeft"],
    },
)  # fmt: skip
