import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from helpers.measure import load
from helpers.reproduce import notebooks

MEASURES = """
from helpers.measure import Arm, Settings, compare
from helpers.measure.keeping import keep
keep("one", compare([Arm("a", lambda: range(9))], settings=Settings.default(budget_s=.01)))
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(notebooks, "NOTEBOOKS", tmp_path)
    monkeypatch.setenv("WORKBOOK_QUICK", "1")
    return tmp_path


def _write(path, *sources):
    cells = [new_code_cell(source) for source in sources]
    nbformat.write(new_notebook(cells=[new_markdown_cell("# Title"), *cells]), path)
    return path


def test_notebooks_come_in_reading_order_and_others_are_left_out(folder):
    for name in ("02-b.ipynb", "00-a.ipynb", "scratch.ipynb"):
        (folder / name).write_text("{}")
    assert [path.name for path in notebooks.paths()] == ["00-a.ipynb", "02-b.ipynb"]


def test_no_notebooks_is_a_sentence(folder):
    with pytest.raises(ValueError, match="install it in place"):
        notebooks.paths()


def test_a_failing_cell_is_named_in_a_sentence_and_the_file_stays(folder):
    path = _write(folder / "00-a.ipynb", "x = 1", "# here\nraise KeyError('boo')")
    before = path.read_text()
    with pytest.raises(ValueError, match=r"00-a\.ipynb failed .* '# here': KeyError: 'boo'"):
        notebooks.refresh(path)
    assert path.read_text() == before


def test_refresh_stores_outputs_and_nothing_of_the_session(folder):
    widget = "import ipywidgets\nipywidgets.Button()"
    path = _write(folder / "00-a.ipynb", "6 * 7", widget)
    seen = []
    notebooks.refresh(path, on_cell=lambda *step: seen.append(step))
    book = nbformat.read(path, as_version=4)
    assert book.cells[1].outputs[0].data["text/plain"] == "42"
    assert book.cells[1].execution_count == 1
    assert "widget" not in json.dumps(book.metadata)
    assert "widget-view" not in json.dumps(book)
    assert "iopub" not in json.dumps(book)
    assert seen[-1] == (3, 3)


def test_what_shows_nothing_goes_and_what_shows_something_stays():
    def shown(kind, text):
        return new_output("display_data", {"text/plain": "<HTML>", kind: text})

    kept = shown("text/html", "<img src='x'>")
    outputs = [shown("text/html", "<small> </small>"), kept, new_output("stream", text="hello")]
    book = new_notebook(cells=[new_code_cell("x", outputs=outputs, execution_count=1)])
    assert notebooks.presentable(book).cells[0].outputs == outputs[1:]


def test_what_was_measured_before_a_failure_is_kept(folder):
    path = _write(folder / "00-a.ipynb", MEASURES, "1 / 0")
    with pytest.raises(ValueError, match=r"00-a\.ipynb failed"):
        notebooks.execute(path, keep_in=folder / "kept")
    (kept,) = (folder / "kept").iterdir()
    assert kept.name == "one.json" and load(kept).rounds == 3
    assert load(kept).settings.quick
