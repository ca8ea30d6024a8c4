"""What the README shows is what the committed reference run found: else `make figures` is due."""

import importlib.util
import struct
from dataclasses import replace
from pathlib import Path

import pytest
from unit.fake_runs import measured

from helpers.measure import Ratio

ROOT = Path(__file__).resolve().parents[2]
SPEC = importlib.util.spec_from_file_location("make_figures", ROOT / "scripts" / "make_figures.py")
make_figures = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(make_figures)

DUE = "the README is not what results/ holds: run `make figures`"
PAGE = (
    "![old](docs/ladder.svg)\nbefore\n<!-- ladder -->\nold\n<!-- /ladder -->\nafter\n"
    "<!-- article -->\nold\n<!-- /article -->\nthen\n"
    "<!-- bridge -->\nold\n<!-- /bridge -->\nend\n"
    "<!-- agreement -->\nold\n<!-- /agreement -->\n"
)
AGREED = "Most agree."


@pytest.fixture(scope="module")
def ladder():
    return make_figures.kept(make_figures.LADDER)


@pytest.fixture(scope="module")
def article():
    return make_figures.kept(make_figures.ARTICLE)


@pytest.fixture(scope="module")
def bench():
    return make_figures.committed()


def test_the_readme_shows_the_committed_runs(ladder, article, bench):
    text = make_figures.README.read_text(encoding="utf-8")
    agreed = make_figures.agreement()
    assert make_figures.readme(text, ladder, article, bench, agreed) == text, DUE


def test_the_ladder_is_drawn_from_the_committed_run(ladder):
    drawn = make_figures.LADDER_SVG.read_bytes()
    title = make_figures.svg(ladder).partition(b"<title>")[2].partition(b"</title>")[0]
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


def test_the_readme_is_renewed_in_its_places_only(article, bench):
    found = measured(0.5, 1.5, title="A ladder")
    page = PAGE
    new = make_figures.readme(page, found, article, bench, AGREED)
    assert new.startswith("![A ladder. Speed relative to the baseline")
    assert "<!-- /ladder -->\nafter\n<!-- article -->\n| pipeline |" in new
    assert "<!-- /article -->\nthen\n<!-- bridge -->\n| rows |" in new
    assert "<!-- /bridge -->\nend\n" in new
    assert new.endswith(f"<!-- agreement -->\n{AGREED}\n<!-- /agreement -->\n")
    assert bench.provenance in new
    assert "](docs/ladder.svg)\nbefore\n<!-- ladder -->\n| pipeline |" in new
    assert found.provenance in new
    assert make_figures.readme(new, found, article, bench, AGREED) == new


def test_other_results_give_another_readme(article, bench):
    first, second = (measured(speed, 1.5, title="A ladder") for speed in (0.5, 0.6))
    new = make_figures.readme(PAGE, first, article, bench, AGREED)
    assert make_figures.readme(new, second, article, bench, AGREED) != new
    faster = replace(bench, workloads=bench.workloads[:1])
    assert make_figures.readme(new, first, article, faster, AGREED) != new
    assert make_figures.readme(new, first, second, bench, AGREED) != new
    assert make_figures.svg(first) != make_figures.svg(second)


def test_a_readme_without_its_places_is_a_sentence(bench):
    with pytest.raises(ValueError, match=r"README\.md has 0 places"):
        make_figures.readme("nothing", measured(0.5), measured(0.5), bench, AGREED)


def test_without_a_second_run_there_is_nothing_to_agree(monkeypatch, tmp_path):
    monkeypatch.setattr(make_figures, "RESULTS", tmp_path)
    with pytest.raises(ValueError, match="--again"):
        make_figures.agreement()


def test_no_full_run_is_a_sentence(monkeypatch):
    monkeypatch.setattr(make_figures, "machines", dict)
    with pytest.raises(ValueError, match="make reproduce"):
        make_figures.kept("04-ladder")


def test_the_ladder_is_of_the_first_machine_that_has_one(monkeypatch):
    class Book:
        def __init__(self, **measurements):
            self.measurements = {name.replace("_", "-"): one for name, one in measurements.items()}

    found = replace(measured(0.5), title="the one")
    books = {"a": Book(other=found), "b": Book(**{"04_ladder": found})}
    monkeypatch.setattr(make_figures, "machines", lambda: books)
    assert make_figures.kept("04-ladder").title == "the one"


@pytest.mark.parametrize(
    ("ratio", "said"),
    [
        (Ratio(0.0058, 0.0057, 0.0069, 9), "172_times_slower"),
        (Ratio(0.573, 0.55, 0.597, 9), "1.7_times_slower"),
        (Ratio(8.42, 8.11, 9.07, 9), "8.4_times_faster"),
        (Ratio(0.99, 0.915, 1.04, 9), "within the noise"),
    ],
)
def test_a_ratio_is_said_as_people_say_it(ratio, said):
    words = make_figures.in_words(ratio, Ratio(1, 0.98, 1.02, 9))
    assert words == said.replace("_", "\N{NO-BREAK SPACE}")
