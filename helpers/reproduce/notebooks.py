"""The notebooks, executed: to refresh what they show, and to keep what they measure."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, DeadKernelError
from nbstripout import strip_output

from helpers.measure import mine
from helpers.measure.keeping import FOLDER
from helpers.measure.results import write_text

from .execution import Execution

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
"""Where they live: beside the package, which is installed in place."""

CELL_TIMEOUT_S = 600

_WIDGET = "application/vnd.jupyter.widget-view+json"

OnCell = Callable[[int, int], None]


def paths() -> list[Path]:
    """Returns the notebooks in reading order.

    Raises:
        ValueError: If there are none, as in an install that is not in place.
    """
    found = sorted(NOTEBOOKS.glob("[0-9][0-9]-*.ipynb"))
    if not found:
        raise ValueError(
            "there are no notebooks beside the package: install it in place, as the README says."
        )
    return found


def execute(
    path: Path, *, keep_in: Path | None = None, on_cell: OnCell | None = None
) -> nbformat.NotebookNode:
    """Runs a notebook from top to bottom in a fresh kernel and returns it with its outputs.

    Args:
        path: The notebook; the file itself is left as it is.
        keep_in: Folder for the records that it measures, or None to keep none.
        on_cell: Called with the number of cells done and of all cells.

    Raises:
        ValueError: In one sentence, if a cell fails, names the cell, or the kernel dies.
        KeyboardInterrupt: At Ctrl-C; the kernel and what it started have ended then.
    """
    book = nbformat.read(path, as_version=4)
    total = len(book.cells)

    def tell(cell: nbformat.NotebookNode, cell_index: int) -> None:
        if on_cell is not None:
            on_cell(cell_index + 1, total)

    client = NotebookClient(
        book,
        timeout=CELL_TIMEOUT_S,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
        extra_arguments=["--log-level=ERROR"],  # its warnings are not about the notebook
        on_cell_complete=tell,
    )
    try:
        # What is stored must not depend on what a reader once answered here.
        with _environment(FOLDER, str(keep_in) if keep_in else None), _environment(mine.FOLDER, ""):
            Execution(client).follow()
    except CellExecutionError as error:
        raise ValueError(
            f"{path.name} failed in the cell that begins {_beginning(book)!r}: "
            f"{error.ename}: {error.evalue}"
        ) from error
    except (DeadKernelError, TimeoutError) as error:
        raise ValueError(f"{path.name} did not finish: {error}") from error
    return book


def refresh(path: Path, *, on_cell: OnCell | None = None) -> None:
    """Executes a notebook and stores what it shows, without what a reader could not see.

    Raises:
        ValueError: As `execute`; the stored notebook stays as it was.
    """
    store(execute(path, on_cell=on_cell), path)


def store(book: nbformat.NotebookNode, path: Path) -> None:
    """Writes an executed notebook, whole or not at all, as a reader without a kernel can use it."""
    write_text(path, nbformat.writes(presentable(book)).rstrip("\n"))


def presentable(book: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Leaves in a notebook what can be read without a kernel.

    Widgets come back as "model not found", so their state and their views go; the static picture
    beside each stays. Lines of progress that ended empty go too, and what tells when and where
    the notebook ran.
    """
    book = strip_output(book, keep_output=True, keep_count=True, keep_id=True, extra_keys=_SURPLUS)
    for cell in book.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs = [output for output in cell.outputs if not _only_a_view(output)]
        for output in cell.outputs:
            output.get("data", {}).pop(_WIDGET, None)
        cell.outputs = [output for output in cell.outputs if not _empty(output)]
    return book


_SURPLUS = [
    "metadata.widgets",
    "metadata.language_info.version",
    "cell.metadata.execution",
    "cell.metadata.collapsed",
]


def _only_a_view(output: nbformat.NotebookNode) -> bool:
    """Tells whether an output is a widget whose saved form is another output."""
    return set(output.get("data", {})) - {"text/plain"} == {_WIDGET}


def _empty(output: nbformat.NotebookNode) -> bool:
    """Tells whether an output shows nothing: no data, or HTML without text or picture."""
    if output.output_type not in ("display_data", "execute_result"):
        return False
    shown = {kind: text for kind, text in output.data.items() if kind != "text/plain"}
    if set(shown) == {"text/html"}:
        return not re.sub(r"<(?!img|svg|table)[^>]*>|\s", "", "".join(shown["text/html"]))
    return not output.data


def _beginning(book: nbformat.NotebookNode) -> str:
    """The first line of the cell that failed."""
    for cell in book.cells:
        if any(output.output_type == "error" for output in cell.get("outputs", [])):
            return cell.source.strip().partition("\n")[0]
    return ""


@contextmanager
def _environment(name: str, value: str | None) -> Iterator[None]:
    """Sets a variable for the kernels that are started within, or takes it away."""
    before = os.environ.pop(name, None)
    try:
        if value is not None:
            os.environ[name] = value
        yield
    finally:
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before
