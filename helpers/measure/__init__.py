"""Measuring: paired trials, ratios with intervals, verdicts; nothing of what is measured."""

from .isolation import compare_in_child
from .machine import Machine, this_machine
from .measurement import Measurement, Trial, together
from .once import Once
from .processes import Processes
from .results import load, record, save
from .settings import Settings, pick, quick
from .statistics import Ratio, Share, Verdict, judge, percent, ratio_of_times, times
from .timing import Arm, Cancelled, Progress, Span, compare, content_digest, run_trial

__all__ = [
    "Arm",
    "Cancelled",
    "Machine",
    "Measurement",
    "Once",
    "Processes",
    "Progress",
    "Ratio",
    "Settings",
    "Share",
    "Span",
    "Trial",
    "Verdict",
    "compare",
    "compare_in_child",
    "content_digest",
    "judge",
    "load",
    "percent",
    "pick",
    "quick",
    "ratio_of_times",
    "record",
    "run_trial",
    "save",
    "this_machine",
    "times",
    "together",
]
