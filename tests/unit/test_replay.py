"""A committed run in place of measuring: with TensorFlow, and where it is missing."""

import os
import re

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from unit.fake_runs import make_run

from helpers import replay, reproduce
from helpers.measure import save, this_machine
from helpers.reproduce import RESULTS, notebooks, replayed
from helpers.show import run


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """One made-up run, replayed."""
    made = make_run()
    save(made, tmp_path / "some-cpu-2-cores.json")
    monkeypatch.setattr("helpers.reproduce.run.RESULTS", tmp_path)
    monkeypatch.setenv(replay.MACHINE, "some-cpu-2-cores")
    return made


def test_a_cell_gets_what_the_machine_measured_and_the_arms_are_not_touched(machine, capsys):
    assert run("03-idle", {"never looked at": None}) == machine.measurements["03-idle"]
    assert reproduce.reference(this_machine()) == machine


def test_a_machine_or_a_measurement_that_is_not_there_is_one_sentence(machine, monkeypatch):
    with pytest.raises(ValueError, match=r"^the run that is replayed has no '99-x'"):
        run("99-x", {})
    monkeypatch.setenv(replay.MACHINE, "1")
    assert replayed() == machine
    monkeypatch.setenv(replay.MACHINE, "another")
    with pytest.raises(ValueError, match="is 'another'; there are some-cpu-2-cores"):
        replayed()


def test_what_stands_for_tensorflow_describes_and_runs_nothing():
    tf = replay.StandIn("tf")
    data = tf.data.Dataset.range(3).map(lambda x: x).batch(2)

    class Layer(tf.keras.layers.Layer):
        pass

    assert not isinstance(3, tf.Tensor)
    assert issubclass(tf.errors.OpError, Exception)
    for use in (list, len, int, bool, str):
        with pytest.raises(replay.NeedsTensorFlow):
            use(data)
    assert not hasattr(data, "__array_interface__")


@pytest.fixture
def without(tmp_path, monkeypatch):
    """Runs a notebook in a kernel in which TensorFlow cannot be imported."""
    missing = tmp_path / "missing" / "tensorflow"
    missing.mkdir(parents=True)
    (missing / "__init__.py").write_text("raise ModuleNotFoundError('tensorflow')\n")
    paths = [str(missing.parent), str(notebooks.NOTEBOOKS.parent), os.environ.get("PYTHONPATH")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    monkeypatch.setenv(replay.MACHINE, "1")
    monkeypatch.setenv("WORKBOOK_MINE", "")
    monkeypatch.delenv("WORKBOOK_QUICK", raising=False)

    def run(book):
        resources = {"metadata": {"path": str(notebooks.NOTEBOOKS)}}
        NotebookClient(book, timeout=120, resources=resources, allow_errors=True).execute()
        return book

    return run


def _said(book):
    return "\n".join(
        output.get("text", "") + "".join(map(str, output.get("data", {}).values()))
        for cell in book.cells
        if cell.cell_type == "code"
        for output in cell.outputs
    )


def _figures(book):
    return re.findall(r'<img[^>]*alt="([^"]*)"', _said(book))


PATHS = [path for path in notebooks.paths() if path.name[:2] in ("00", "10", "12")]
"""With a panel, with the doctor, with a model: of each kind one."""


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_a_notebook_is_shown_without_tensorflow(path, without):
    stored = nbformat.read(path, as_version=4)
    found = without(nbformat.read(path, as_version=4))
    wrong = [
        output
        for cell in found.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert wrong == []
    assert len(_figures(found)) >= len(_figures(stored))
    measures = any("= run(" in cell.source for cell in stored.cells)
    assert ("Replayed from a committed run" in _said(found)) or not measures
    assert "QUICK" not in _said(found)


def test_a_readers_own_error_stays_theirs(without):
    cells = ["from helpers.quiet import tf\ntf.data.Dataset", "def mine():\n    1 / 0\n\nmine()"]
    book = new_notebook(cells=[new_code_cell(cell) for cell in cells])
    book = without(book)
    assert "needs TensorFlow" in str(book.cells[0].outputs)
    assert "ZeroDivisionError" in str(book.cells[1].outputs)


def test_there_is_a_run_to_replay():
    assert reproduce.machines(RESULTS)
