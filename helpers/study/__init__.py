"""Pipelines under study: every toggle, the data set, and the code that a reader can paste."""

from .examples import EXAMPLES, prefetch_off_and_on, varied
from .options import CHOICES
from .own import generator_arm
from .pipelines import PipelineOptions
from .timeline import Stretch, Timeline

__all__ = [
    "CHOICES",
    "EXAMPLES",
    "PipelineOptions",
    "Stretch",
    "Timeline",
    "generator_arm",
    "prefetch_off_and_on",
    "varied",
]
