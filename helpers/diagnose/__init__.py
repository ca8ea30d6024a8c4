"""Diagnosing: what a running pipeline is made of, as TensorFlow itself sees it."""

from .xray import Node, XRay, python_operations, xray

__all__ = ["Node", "XRay", "python_operations", "xray"]
