"""Stored outputs are really compared: one that was tampered with fails under the project's nbval.

It is run as `make test` runs it, with the options from pyproject.toml.
"""

import copy
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

ROOT = Path(__file__).resolve().parents[2]
START = ROOT / "notebooks" / "00-start-here.ipynb"
TAG = "nbval-check-output"
MARKED = {"tags": [TAG]}


def is_checked(cell) -> bool:
    return TAG in cell.metadata.get("tags", [])


def small():
    """A notebook with a printed, a returned and an unchecked output."""
    return new_notebook(
        cells=[
            new_code_cell(
                "print('six')",
                metadata=MARKED,
                execution_count=1,
                outputs=[new_output("stream", name="stdout", text="six\n")],
            ),
            new_code_cell(
                "6 * 7",
                metadata=MARKED,
                execution_count=2,
                outputs=[
                    new_output("execute_result", data={"text/plain": "42"}, execution_count=2)
                ],
            ),
            new_code_cell(
                "print('anything')",
                execution_count=3,
                outputs=[new_output("stream", name="stdout", text="unlike\n")],
            ),
        ]
    )


def checked_of_the_start_page():
    """The start page's first cell, which imports, and those that are compared."""
    book = nbformat.read(START, as_version=4)
    cells = [cell for cell in book.cells if cell.cell_type == "code"]
    book.cells = [cells[0], *(cell for cell in cells[1:] if is_checked(cell))]
    return book


def tampered(book, number):
    """The notebook with one more character in what the numbered cell has stored."""
    book = copy.deepcopy(book)
    output = book.cells[number].outputs[0]
    if output.output_type == "stream":
        output.text = "x" + output.text
    else:
        output.data["text/plain"] = "x" + output.data["text/plain"]
    return book


@pytest.mark.parametrize("make", [small, checked_of_the_start_page])
def test_a_changed_output_fails(make, tmp_path):
    book = make()
    numbers = [number for number, cell in enumerate(book.cells) if is_checked(cell)]
    assert numbers
    nbformat.write(book, tmp_path / "as-stored.ipynb")
    for number in numbers:
        nbformat.write(tampered(book, number), tmp_path / f"tampered-{number}.ipynb")
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "pytest",
                "-c",
                ROOT / "pyproject.toml",
                "-p",
                "no:cacheprovider",
            ),
            *("--rootdir", tmp_path, "-rA", "--color=no", tmp_path),
        ],
        capture_output=True,
        text=True,
        timeout=240,
        cwd=tmp_path,
    )
    failed = {line.split()[1] for line in done.stdout.splitlines() if line.startswith("FAILED ")}
    assert failed == {f"tampered-{number}.ipynb::Cell" for number in numbers}, done.stdout[-3000:]
    count = (len(numbers) + 1) * len(book.cells)
    assert f"{len(numbers)} failed, {count - len(numbers)} passed" in done.stdout
