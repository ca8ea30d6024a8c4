"""What the README shows is what the committed reference run found: else `make figures` is due."""

import importlib.util
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from unit.fake_runs import measured

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("make_figures", ROOT / "scripts" / "make_figures.py")
make_figures = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_figures)

DUE = "the README is not what results/ holds: run `make figures`"
PAGE = (
    "![old](docs/ladder.svg)\nbefore\n<!-- ladder -->\nold\n<!-- /ladder -->\nafter\n"
    "<!-- bridge -->\nold\n<!-- /bridge -->\nend\n"
)


@pytest.fixture(scope="module")
def committed():
    return make_figures.ladder()


@pytest.fixture(scope="module")
def bench():
    return make_figures.committed()


def test_the_readme_shows_the_committed_runs(committed, bench):
    text = make_figures.README.read_text(encoding="utf-8")
    assert make_figures.readme(text, committed, bench) == text, DUE


def test_the_ladder_is_drawn_from_the_committed_run(committed):
    drawn = make_figures.LADDER_SVG.read_bytes()
    title = make_figures.svg(committed).partition(b"<title>")[2].partition(b"</title>")[0]
    assert title
    assert title in drawn, DUE  # the glyphs' outlines may differ with the version of FreeType


def test_the_picture_of_the_panel_is_sharp_and_light():
    data = make_figures.PANEL_PNG.read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    assert data.startswith(b"\x89PNG")
    assert width >= 1400
    assert height >= 1400
    assert len(data) < 400_000


def test_the_ladder_is_the_same_bytes_each_time():
    found = measured(0.5, 1.5, title="A ladder")
    assert make_figures.svg(found) == make_figures.svg(found)


def test_the_readme_is_renewed_in_its_places_only(bench):
    found = measured(0.5, 1.5, title="A ladder")
    page = PAGE
    new = make_figures.readme(page, found, bench)
    assert new.startswith("![A ladder. Speed relative to the baseline")
    assert "<!-- /ladder -->\nafter\n<!-- bridge -->\n| rows |" in new
    assert new.endswith("<!-- /bridge -->\nend\n")
    assert bench.provenance in new
    assert "](docs/ladder.svg)\nbefore\n<!-- ladder -->\n| pipeline |" in new
    assert found.provenance in new
    assert make_figures.readme(new, found, bench) == new


def test_other_results_give_another_readme(bench):
    first, second = (measured(speed, 1.5, title="A ladder") for speed in (0.5, 0.6))
    new = make_figures.readme(PAGE, first, bench)
    assert make_figures.readme(new, second, bench) != new
    faster = replace(bench, workloads=bench.workloads[:1])
    assert make_figures.readme(new, first, faster) != new
    assert make_figures.svg(first) != make_figures.svg(second)


def test_a_readme_without_its_places_is_a_sentence(bench):
    with pytest.raises(ValueError, match=r"README\.md has 0 places"):
        make_figures.readme("nothing", measured(0.5), bench)


def test_no_full_run_is_a_sentence(monkeypatch):
    monkeypatch.setattr(make_figures, "machines", dict)
    with pytest.raises(ValueError, match="make reproduce"):
        make_figures.ladder()


def test_the_ladder_is_of_the_first_machine_that_has_one(monkeypatch):
    class Book:
        def __init__(self, **measurements):
            self.measurements = {name.replace("_", "-"): one for name, one in measurements.items()}

    found = replace(measured(0.5), title="the one")
    books = {"a": Book(other=found), "b": Book(**{"04_ladder": found})}
    monkeypatch.setattr(make_figures, "machines", lambda: books)
    assert make_figures.ladder().title == "the one"
