"""The code behind the workbook: measuring, the pipelines under study, repairs and figures.

`import helpers` alone imports nothing heavy; take what you need from the subpackages, for example
`from helpers.measure import compare`.
"""

import importlib

__version__ = "0.1.0"


def load_ipython_extension(shell: object) -> None:
    """Makes the magic `%%doctor` known: `%load_ext helpers`."""
    importlib.import_module("helpers.diagnose.magic").register(shell)
