"""What a run of the workbook does and leaves: planned, carried out, kept, and set side by side."""

from . import notebooks
from .carrying_out import conclude, gather, measure
from .choosing import choose
from .comparing import Comparison, RatioRow, compare_runs
from .planning import prepare
from .run import RESULTS, Run, load_run, machines, pair_of, reference, results_name
from .time_left import TimeLeft

__all__ = [
    "RESULTS",
    "Comparison",
    "RatioRow",
    "Run",
    "TimeLeft",
    "choose",
    "compare_runs",
    "conclude",
    "gather",
    "load_run",
    "machines",
    "measure",
    "notebooks",
    "pair_of",
    "prepare",
    "reference",
    "results_name",
]
