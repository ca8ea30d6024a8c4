"""The code behind the workbook: measuring, the pipelines under study, repairs and figures.

`import helpers` alone imports nothing heavy; take what you need from the subpackages, for example
`from helpers.measure import compare`.
"""

import importlib
import sys
from types import ModuleType
from typing import Any

__version__ = "0.1.0"


def load_ipython_extension(shell: object) -> None:
    """Makes the magic `%%doctor` known: `%load_ext helpers`."""
    importlib.import_module("helpers.diagnose.magic").register(shell)


class _Former(ModuleType):
    """A module that has gone into `helpers.reproduce`, and hands on what was taken from it."""

    def __getattr__(self, name: str) -> Any:
        # Nothing else is looked up: whoever walks through sys.modules asks each for `__file__`.
        if name not in _TAKEN[self.__name__]:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        return getattr(importlib.import_module("helpers.reproduce"), name)


# What notebook 14 imports.
_TAKEN = {"helpers.comparing": ("compare_runs",), "helpers.runs": ("machines", "reference")}
sys.modules.update({name: _Former(name) for name in _TAKEN})
