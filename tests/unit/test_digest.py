"""The digest of the measuring code: what changes a number changes it, and nothing else does."""

import json

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from helpers.claims import CLAIMS
from helpers.measure import load
from helpers.reproduce import RESULTS, planning
from helpers.reproduce.digest import READER, Code, together

FILES = {
    "measure/one.py": (
        '"""What it is for."""\nfrom .two import scale as by\n\n'
        'def measured(value):\n    """Measures."""\n    return by(value) + 1\n'
    ),
    "measure/two.py": "FACTOR = 3\n\n\ndef scale(value):\n    return FACTOR * value\n",
    "diagnose/three.py": "def elsewhere():\n    return 4\n\n\ndef scale(value):\n    return 1\n",
    "measure/child.py": "def main():\n    return 5\n\n\nmain()\n",
    "measure/__init__.py": "from .one import measured\n",
    "claims/ledger.py": (
        "from ..measure import measured\nfrom ..diagnose.three import elsewhere\n"
        'RUN = "-m helpers.measure"\n\n'
        "def arms():\n    return measured(2)\n\n"
        'CLAIMS = (Claim(id="one", arms=arms), Claim(id="two", says="it", arms=elsewhere))\n'
    ),
}


@pytest.fixture
def digest(tmp_path):
    """The digest of a claim in a house with those files, some of them changed."""

    def of(id_="one", **changes):
        for name, text in (FILES | changes).items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return Code(tmp_path).of_claim(id_)

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
        ("diagnose/three.py", "return 1", "return 2"),
        ("claims/ledger.py", 'says="it"', 'says="that"'),
        ("measure/child.py", "5", "6"),
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


def test_a_claim_depends_on_what_its_own_entry_reaches(digest):
    changes = {"diagnose/three.py": FILES["diagnose/three.py"].replace("4", "5")}
    assert digest("two") != digest("two", **changes)
    assert digest("one") != digest("two")


def test_a_module_that_is_run_in_a_process_of_its_own_counts(digest):
    named = FILES["measure/two.py"].replace("= 3", '= ["-m", "helpers.measure.child"]')
    other = {"measure/child.py": FILES["measure/child.py"].replace("5", "6")}
    assert digest(**{"measure/two.py": named}) != digest(**{"measure/two.py": named}, **other)


@pytest.fixture(scope="module")
def house():
    return Code()


@pytest.fixture
def of_notebook(tmp_path, house):
    """The digest of a notebook with some cells."""

    def of(*code, prose="", about_reader=()):
        cells = [new_markdown_cell(prose), *(new_code_cell(source) for source in code)]
        tagged = {"tags": ["nbval-check-output", READER]}
        cells += [new_code_cell(source, metadata=tagged) for source in about_reader]
        nbformat.write(new_notebook(cells=cells), tmp_path / "00-a.ipynb")
        return house.of_notebook(tmp_path / "00-a.ipynb")

    return of


def test_a_notebook_is_its_code_and_what_that_reaches(of_notebook):
    plain = of_notebook("x = 1")
    assert plain == of_notebook("x = 1  # why", prose="Why")
    assert plain != of_notebook("x = 2")
    used = "from helpers.bridge import from_generator\n"
    assert of_notebook(used) == of_notebook(""), "what is imported and not used"
    assert of_notebook(used + "from_generator") != of_notebook("from_generator")
    assert of_notebook("%%doctor\nx = 1") != of_notebook("%%doctor\nx = 2")
    assert of_notebook("def (") != of_notebook("def ["), "a cell that somebody broke"


def test_a_cell_about_the_reader_alone_is_no_part_of_it(of_notebook):
    plain = of_notebook("from_generator")
    assert plain == of_notebook("from_generator", about_reader=["progress('00')", "from_source"])
    assert plain != of_notebook("from_generator", "progress('00')")


def test_every_claim_has_an_entry(house):
    assert house.claims == {claim.id for claim in CLAIMS}


def test_a_notebook_that_shows_the_claims_depends_on_theirs(of_notebook, monkeypatch):
    def shown():
        return of_notebook("reference()"), of_notebook("x = 1")

    before = shown()
    monkeypatch.setattr(Code, "of_claim", lambda self, id_: "another")
    after = shown()
    assert before[0] != after[0] and before[1] == after[1]


def _runs():
    return [path for path in sorted(RESULTS.glob("*.json")) if _read(path)["kind"] == "Run"]


def _read(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def code_now():
    return planning.digests()


TO_MEASURE: frozenset[str] = frozenset()
"""What a mend has made stale, where there was no time to measure it again; empty it then."""


@pytest.mark.parametrize("path", _runs(), ids=lambda path: path.stem)
def test_committed_results_were_made_by_the_committed_code(path, code_now):
    data = _read(path)
    if data["schema"] < 2:
        pytest.xfail("made before results had a digest of what changes a number")
    codes = data["record"]["codes"]
    stale = {name for name, digest in code_now.items() if codes.get(name) != digest}
    assert stale == TO_MEASURE, "run `workbook reproduce --store --changed`, and with `--again`"
    assert data["record"]["code"] == together(codes)
    if stale:
        pytest.xfail(f"mended since and to be measured again: {', '.join(sorted(stale))}")


@pytest.mark.parametrize("path", _runs(), ids=lambda path: path.stem)
def test_what_is_published_was_measured_in_several_processes(path):
    """All but models and servers, which cannot be sent: other arms that cannot are a fault."""
    run = load(path)
    measured = dict(run.measurements)
    for name, claim in run.claims.items():
        for condition in claim.conditions:
            if condition.measurement is not None:
                measured[f"{name}: {condition.name}"] = condition.measurement
    alone = {name for name, found in measured.items() if found.processes == 1}
    assert {name for name in alone if not name.startswith(("12-", "13-"))} == set()
