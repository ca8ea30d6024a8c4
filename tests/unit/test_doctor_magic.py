"""`%%doctor` on cells that define, build and raise."""

import pytest
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell

from helpers.diagnose.magic import brought_by, options

ROWS = """
import numpy as np
def rows():
    for index in range(100):
        yield np.float32(index)
"""


@pytest.fixture
def shell():
    made = InteractiveShell()
    made.run_line_magic("load_ext", "helpers")
    yield made
    made.reset(new_session=False)


def test_a_cell_that_defines_a_generator_is_examined(shell):
    found = shell.run_cell_magic("doctor", "--budget 4 --batch 8", ROWS)
    assert found.subject == "rows" and found.batch_size == 8
    assert shell.user_ns["diagnosis"] is found


def test_a_cell_that_ends_in_an_expression_is_examined_by_it(shell):
    shell.run_cell("import numpy as np")
    found = shell.run_cell_magic("doctor", "--budget 4", "data = np.zeros((64, 2))\ndata[:48]")
    assert found.kind == "sequence" and "48 rows" in found.seen


def test_a_cell_with_magics_of_its_own_is_examined(shell):
    found = shell.run_cell_magic("doctor", "--budget 4", "%pwd\n" + ROWS)
    assert found.subject == "rows"


def test_code_to_paste_does_not_call_a_sequence_by_its_type(shell):
    found = shell.run_cell_magic("doctor", "--budget 4", "data = [1.0, 2.0] * 200\ndata")
    assert "from_source(list" not in str(found)


def test_a_cell_that_raises_is_not_examined(shell, capsys):
    assert shell.run_cell_magic("doctor", "", "1 / 0\nx = 3") is None
    assert "ZeroDivisionError" in capsys.readouterr().out


def test_what_a_cell_brings():
    assert brought_by("import os\ndef rows(): pass") == "rows"
    assert brought_by("x = 3\ny = x") == "y"
    assert brought_by("build()") == "build()"
    with pytest.raises(ValueError, match="defines nothing"):
        brought_by("import os")


@pytest.mark.parametrize(
    ("line", "cell", "said"),
    [
        ("--budget five", ROWS, "argument --budget: invalid float value"),
        ("--consumer nostep", ROWS, "name 'nostep' is not defined"),
        ("", "x = 3", "takes a generator function, a sequence"),
        ("", "import os", "defines nothing to examine"),
    ],
)
def test_what_cannot_be_examined_is_one_sentence(shell, line, cell, said):
    with pytest.raises(UsageError, match=said):
        shell.run_cell_magic("doctor", line, cell)


def test_a_cell_that_is_no_python_is_shown_as_that(shell, capsys):
    assert shell.run_cell_magic("doctor", "", "def rows(:") is None
    assert "SyntaxError" in capsys.readouterr().out


def test_what_a_cells_last_line_raises_is_the_users_own(shell):
    cell = "def build():\n    raise ValueError('theirs')\nbuild()"
    with pytest.raises(ValueError, match=r"^theirs$"):
        shell.run_cell_magic("doctor", "", cell)


def test_an_unknown_option_is_one_sentence():
    assert options("rows --batch 4").name == "rows"
    with pytest.raises(ValueError, match="unrecognized arguments"):
        options("--fast")
