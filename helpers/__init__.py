"""The code behind the workbook: measuring, the pipelines under study, repairs and figures.

`import helpers` alone imports nothing heavy; take what you need from the subpackages, for example
`from helpers.measure import compare`.
"""

import importlib
import sys
from types import ModuleType
from typing import Any

__version__ = "0.1.0"


def _hands_on_from_reproduce(name: str) -> Any:
    return getattr(importlib.import_module("helpers.reproduce"), name)


# Notebook 13 takes names from here, as it did when they were modules of their own.
for _name in ("helpers.comparing", "helpers.runs"):
    sys.modules[_name] = ModuleType(_name, "Its names are those of `helpers.reproduce`.")
    sys.modules[_name].__getattr__ = _hands_on_from_reproduce
