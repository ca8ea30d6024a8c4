"""The digest of the measuring code: what changes a number changes it, and nothing else does."""

import json

import pytest

from helpers.reproduce import RESULTS
from helpers.reproduce.digest import MEASURING, code_digest, digest_of

FILES = {
    "measure/one.py": (
        '"""What it is for."""\nfrom .two import scale as by\n\n'
        'def measured(value):\n    """Measures."""\n    return by(value) + 1\n'
    ),
    "measure/two.py": "FACTOR = 3\n\n\ndef scale(value):\n    return FACTOR * value\n",
    "diagnose/three.py": "def elsewhere():\n    return 4\n",
}


@pytest.fixture
def digest(tmp_path):
    """The digest of a house with those files, some of them changed."""

    def of(**changes):
        for name, text in (FILES | changes).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return digest_of(tmp_path, {"measured"})

    return of


def test_a_function_that_moves_is_no_change(digest):
    one, two = FILES["measure/one.py"], FILES["measure/two.py"]
    before = digest()
    scale = "def scale(value):\n    return FACTOR * value\n"
    moved = {
        "measure/one.py": one.replace("from .two", "from ..study.four"),
        "measure/two.py": two.replace(scale, ""),
        "study/four.py": f"from ..measure.two import FACTOR\n\n\n{scale}",
    }
    assert digest(**moved) == before


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("measure/one.py", "Measures.", "Measures a value."),
        ("measure/one.py", "(value):", "(value: int) -> int:"),
        ("measure/one.py", "import scale as by", "import scale as by  # why"),
        ("measure/two.py", "\n\n\ndef", '\n"""By how much."""\n\n\ndef'),
        ("diagnose/three.py", "4", "5"),
    ],
)
def test_what_no_number_depends_on_is_no_change(digest, name, old, new):
    changed = FILES[name].replace(old, new)
    assert changed != FILES[name]
    assert digest() == digest(**{name: changed})


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("measure/one.py", "+ 1", "+ 2"),
        ("measure/two.py", "= 3", "= 4"),
        ("measure/two.py", "* value", "/ value"),
        ("measure/two.py", "FACTOR = 3\n", "FACTOR = 3\nset_threads(1)\n"),
    ],
)
def test_what_a_number_depends_on_is_a_change(digest, name, old, new):
    changed = FILES[name].replace(old, new)
    assert changed != FILES[name]
    assert digest() != digest(**{name: changed})


def _runs():
    return [path for path in sorted(RESULTS.glob("*.json")) if _read(path)["kind"] == "Run"]


def _read(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", _runs(), ids=lambda path: path.stem)
def test_committed_results_were_made_by_the_committed_code(path):
    data = _read(path)
    if data["schema"] < 2:
        pytest.xfail("made before results had a digest of what changes a number")
    assert data["record"]["code"] == code_digest(), "run `workbook reproduce --store` and `--again`"


def test_the_rooms_are_there_and_the_ledger_is_reached():
    assert len(code_digest()) == 12
    assert "claims" in MEASURING
