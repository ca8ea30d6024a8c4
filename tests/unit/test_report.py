import dataclasses
import re
from html.parser import HTMLParser

import pytest
from unit.fake_runs import claim_of, make_run, measured, result

from helpers.claims import ledger
from helpers.claims.expectation import about, at_least, at_most
from helpers.measure import Ratio, save
from helpers.show import report
from helpers.show.intervals import WIDTH, Row, Scale, arms_table

VOID = {"meta", "br", "circle", "path"}


class Page(HTMLParser):
    """Elements with their attributes, the text, and whether every tag is closed in its turn."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.words, self.ids = [], [], [], []
        self.feed(text)
        assert not self.open
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.elements.append((tag, attrs))
        if "id" in attrs:
            self.ids.append(attrs["id"])
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.words.append(data)

    def of(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture
def run(monkeypatch):
    run = make_run()
    monkeypatch.setattr(ledger, "CLAIMS", tuple(map(claim_of, run.claims)))
    return run


def test_the_page_is_whole_and_needs_no_other_file(run):
    text = report.build(run)
    page = Page(text)
    assert text.startswith("<!DOCTYPE html>")
    names = {name for name, _ in page.elements}
    assert not names & {"script", "link", "img", "iframe", "object"}
    assert not re.search(r"https?:|url\(|@import|src=", text)
    assert all(attrs["href"].startswith("#") for attrs in page.of("a"))
    assert len(page.ids) == len(set(page.ids))
    assert {attrs["href"][1:] for attrs in page.of("a")} <= set(page.ids)
    assert page.of("html") == [{"lang": "en"}]


def test_it_says_what_ran_it(run):
    text = Page(report.build(run)).text
    assert "Fake <CPU> 9, 2 cores, 8 GiB, Linux" in text
    assert "tensorflow 2.21.0" in text
    assert "full run, 3 minutes" in text
    assert "12 in a comparison" in text


def test_every_claim_is_there_with_statement_verdict_sentence_and_conditions(run):
    page = Page(report.build(run))
    for id_, found in run.claims.items():
        assert f"claim-{id_}" in page.ids
        assert claim_of(id_).statement in page.text
        assert found.sentence in page.text
        for condition_ in found.conditions:
            assert condition_.name in page.text
    assert "it raises <TypeError>" in page.text
    places = [page.text.index(f" {verdict.capitalize()} ") for verdict in report.VERDICTS]
    assert places == sorted(places), "claims are grouped by verdict"


def test_counts_lead_to_their_group(run):
    run = dataclasses.replace(run, claims={**run.claims, "more": result("more", "refuted")})
    text = report.build(run)
    assert '<a class="refuted" href="#refuted"><b>2</b> refuted</a>' in text
    assert '<a class="cannot-run-here" href="#cannot-run-here"><b>1</b> cannot run here</a>' in text


def test_every_measurement_is_there_once_and_the_ladder_comes_first(run):
    page = Page(report.build(run))
    assert page.text.count("From the baseline to the recipe") == 1
    assert page.text.index("The ladder") < page.text.index("The claims")
    assert page.text.count("Idle <consumer>") == 1
    assert "03 prefetch" in page.text
    ratio = run.measurements["03-idle"].ratio("generator")
    assert f"{ratio.value:.3f}× [{ratio.low:.3f}×, {ratio.high:.3f}×]" in page.text


def test_a_claim_that_is_no_longer_known_still_shows_its_numbers(run, monkeypatch):
    monkeypatch.setattr(ledger, "CLAIMS", ())
    text = Page(report.build(run)).text
    assert "This version of the workbook has no such claim." in text
    assert run.claims["claim-refuted"].sentence in text


def test_quick_and_unfinished_runs_say_so_first(run):
    assert 'role="note"' not in report.build(run)
    quick = Page(report.build(make_run(quick=True))).text
    assert quick.index("A quick run.") < quick.index("How to read it")
    unfinished = dataclasses.replace(run, missing=("notebook <9> failed.",))
    assert (
        "An unfinished run. Not here: notebook <9> failed." in Page(report.build(unfinished)).text
    )


@pytest.mark.parametrize("without", ["claims", "measurements"])
def test_a_selection_has_no_empty_sections(run, without):
    text = Page(report.build(dataclasses.replace(run, **{without: {}, "selected": True}))).text
    heads = {"claims": "The claims", "measurements": "What the notebooks measured"}
    assert (heads[without] in text) is False
    assert "of a selection" in text


def test_a_second_run_is_drawn_and_its_agreement_told(run):
    other = make_run(seed=50)
    other = dataclasses.replace(
        other, claims={**other.claims, "claim-supported": result("claim-supported", "depends")}
    )
    alone, both = report.build(run), report.build(run, other)
    assert 'class="again"' not in alone and "The second run" not in alone
    page = Page(both)
    assert "2 of 3 claims (67 %) have the same verdict in both runs." in page.text
    assert "In the second run: depends." in page.text
    assert "Verdicts that differ" in page.text
    assert both.count('<td><a href="#claim-claim-supported">claim-supported</a></td>') == 1


def test_a_pair_of_files_shares_one_report(run, tmp_path):
    first = save(run, tmp_path / "x.json")
    assert report.write(first) == tmp_path / "x.html"
    assert "The second run" not in (tmp_path / "x.html").read_text()
    again = save(make_run(seed=50), tmp_path / "x.again.json")
    assert report.write(again) == tmp_path / "x.html"
    assert "The second run" in (tmp_path / "x.html").read_text()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.again.json", "x.html", "x.json"]


def test_a_pair_that_shares_nothing_is_still_reported(run, tmp_path):
    claims = dataclasses.replace(run, measurements={}, selected=True)
    books = dataclasses.replace(run, claims={}, selected=True)
    save(claims, tmp_path / "x.part.json")
    save(books, tmp_path / "x.part.again.json")
    text = report.write(tmp_path / "x.part.json").read_text()
    assert "The claims" in text and "The second run" not in text


def test_a_report_of_something_else_is_one_sentence(run, tmp_path):
    path = save(run.measurements["03-idle"], tmp_path / "m.json")
    with pytest.raises(ValueError, match="holds a Measurement, not a run"):
        report.write(path)


FLOOR = Ratio(1.0, 0.98, 1.02, 9)


@pytest.mark.parametrize(
    "row",
    [
        Row(None, FLOOR, "#000000"),
        Row(Ratio(0.004, 0.003, 0.005, 9), FLOOR, "#000000"),
        Row(Ratio(120, 90, 150, 9), FLOOR, "#000000", at_most(0.5)),
        Row(Ratio(1.01, 1.0, 1.03, 9), FLOOR, "supported", about(1.2)),
        Row(Ratio(2, 1.9, 2.2, 9), FLOOR, "refuted", at_least(4), Ratio(9, 8, 10, 9)),
    ],
)
def test_a_scale_holds_everything_and_has_ticks(row):
    scale = Scale([row])
    drawn = scale.draw(row)
    for x in re.findall(r"(?:[MH]|cx=\")([-\d.]+)", drawn):
        assert 0 <= float(x) <= WIDTH
    ticks = scale.ticks()
    assert 2 <= len(ticks) <= 6
    assert ticks == sorted(set(ticks))
    assert all(scale.low <= tick <= scale.high for tick in ticks)


def test_an_interval_is_filled_only_when_clear_of_the_noise_floor():
    def draw(low, high):
        row = Row(Ratio(1.1, low, high, 9), FLOOR, "#0072B2")
        return Scale([row]).draw(row)

    assert "hollow" not in draw(1.05, 1.2)
    assert "hollow" in draw(1.01, 1.2)


@pytest.mark.parametrize(("share", "shown"), [(0.5, True), (1, False)])
def test_waiting_is_shown_where_a_consumer_is_busy(share, shown):
    idle = measured(0.5)
    trials = tuple(
        dataclasses.replace(trial, wait_ns=int(share * trial.steady_ns)) for trial in idle.trials
    )
    table = arms_table(dataclasses.replace(idle, trials=trials), "x")
    assert ("waiting" in table) is shown
    assert (">50\u00a0%<" in table) is shown


def test_a_large_run_stays_small(run):
    claims = {f"c{index}": result(f"c{index}", "depends") for index in range(60)}
    books = {f"{index:02}-x": run.measurements["04-ladder"] for index in range(60)}
    text = report.build(dataclasses.replace(run, claims=claims, measurements=books))
    assert len(text) < 1_000_000
