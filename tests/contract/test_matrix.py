"""The representative part of the matrix, and that the matrix misses nothing of tf.data."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from contract import options, transformations
from contract.refused import REFUSED
from contract.result import DIFFERENT, SKIPPED
from contract.run import pairs, run
from contract.uses import USES
from contract.ways import WAYS

_NONE = SimpleNamespace(params={})


@pytest.fixture(scope="session")
def cells(request):
    """What the cells of this session's tests are found to be: run together, in few processes."""
    chosen = [
        item.callspec.params["cell"]
        for item in request.session.items
        if item.path == Path(__file__) and "cell" in getattr(item, "callspec", _NONE).params
    ]
    return {(cell.way, cell.use): cell for cell in run(only=chosen).cells}


@pytest.mark.parametrize("cell", pairs(full=False), ids=" × ".join)
def test_cell(cells, cell):
    found = cells[cell]
    if found.status == SKIPPED:
        pytest.skip(found.text)
    assert found.status != DIFFERENT, found.text
    assert "Keras cannot be imported" not in found.text  # a child that should have had it


def test_every_public_name_of_the_data_set_has_a_row():
    assert transformations.missing() == []


def test_every_rewrite_has_its_rows():
    for name in options.rewrites():
        assert {f"{name} on", f"{name} off"} <= {*USES}


def test_what_is_refused_is_in_the_matrix():
    assert {*REFUSED} <= {*pairs(full=True)}


def test_every_way_and_every_use_has_a_cell():
    whole = pairs(full=True)
    assert {way for way, _ in whole} == {*WAYS}
    assert {use for _, use in whole} == {*USES}
