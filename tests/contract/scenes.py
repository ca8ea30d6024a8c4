"""Where a generator comes from: scenes, each a process, and what came of the generators in it."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
from contract.children import NO_KERAS, ROOT, start
from nbclient import NotebookClient

ORIGINS = Path(__file__).parent / "origins"
SCRIPT = (ORIGINS / "as_script.py").read_text(encoding="utf-8")
CELLS = SCRIPT.split("\n\n\n")
ENVIRONMENT = {"PYTHONPATH": os.pathsep.join([str(ORIGINS), str(ROOT)]), **NO_KERAS}


def _python(*arguments: str, script: Path | None = None) -> str:
    """Runs Python in an empty folder, with the origins on its path; what it writes."""
    with _folder() as folder:
        return _within(folder, *arguments, script=script)


def _within(folder: str, *arguments: str, script: Path | None = None) -> str:
    with open(script or os.devnull) as given:
        process = start(
            arguments,
            cwd=folder,
            env={**os.environ, **ENVIRONMENT},
            stdin=given,
            stderr=subprocess.STDOUT,
        )
        return process.communicate()[0]


@contextlib.contextmanager
def _folder() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="origin-") as folder:
        yield folder


def _shell() -> str:
    """The script's cells in IPython's shell, without a kernel."""
    return _python(
        "-c",
        "from IPython.core.interactiveshell import InteractiveShell\n"
        f"for cell in {CELLS!r}:\n"
        "    InteractiveShell.instance().run_cell(cell)\n",
    )


def _notebook() -> str:
    """The script's cells in a notebook's kernel."""
    cells = [nbformat.v4.new_code_cell(text) for text in CELLS]
    notebook = nbformat.v4.new_notebook(cells=cells)
    with _folder() as folder:
        client = NotebookClient(
            notebook, kernel_name="python3", resources={"metadata": {"path": folder}}
        )
        client.execute(env={**os.environ, **ENVIRONMENT})
    return "".join(
        output.text for cell in notebook.cells for output in cell.outputs if "text" in output
    )


def _pytest(mode: str) -> Callable[[], str]:
    def run():
        with _folder() as folder:
            shutil.copy(ORIGINS / "under_pytest.py", Path(folder) / "test_under.py")
            options = ["-q", "-s", "-p", "no:cacheprovider", "--rootdir=.", f"--import-mode={mode}"]
            return _within(folder, "-m", "pytest", *options, ".")

    return run


def _file(name: str) -> Callable[[], str]:
    return lambda: _python(str(ORIGINS / name))


SCENES: dict[str, Callable[[], str]] = {
    "one script": _file("together.py"),
    "forks": _file("forked.py"),
    "script": _file("as_script.py"),
    "-c": lambda: _python("-c", SCRIPT),
    "-m": lambda: _python("-m", "as_script"),
    "standard input": lambda: _python("-", script=ORIGINS / "as_script.py"),
    "shell": _shell,
    "notebook": _notebook,
    "pytest": _pytest("prepend"),
    "pytest, importlib": _pytest("importlib"),
}


def outcomes(text: str) -> list[tuple[str, str]]:
    """The names and outcomes that `telling.told` has written."""
    lines = [part.partition("\n")[0] for part in text.split("origin ")[1:]]
    return [tuple(line.split(": ", 1)) for line in lines if ": " in line]
