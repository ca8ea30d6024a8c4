"""Diagnosing: why a pipeline that is fed by Python is slow, what is wrong, and what to change."""

from .diagnosis import Diagnosis
from .examining import examine
from .trying import Tried
from .xray import Node, XRay, python_operations, xray

__all__ = ["Diagnosis", "Node", "Tried", "XRay", "examine", "python_operations", "xray"]
