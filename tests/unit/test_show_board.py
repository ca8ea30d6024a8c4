"""The scoreboard without a browser: what it shows, and claims tried from it."""

import html
import re
import threading
from dataclasses import replace

import pytest
from unit.fake_runs import claim_of, make_run, result

from helpers.claims import Checked, Finding
from helpers.measure import mine
from helpers.show.board import KEPT, Board, when
from helpers.show.machines import machines_beside


@pytest.fixture(autouse=True)
def own_folder(monkeypatch, tmp_path):
    monkeypatch.setenv(mine.FOLDER, str(tmp_path))
    monkeypatch.setattr(mine, "_here", {})


@pytest.fixture
def run():
    return make_run()


@pytest.fixture
def claims(run):
    return [claim_of(id_) for id_ in run.claims]


def checking(id_, check):
    return replace(claim_of(id_), conditions=(Checked("whenever it runs", check),))


def test_every_claim_stands_with_verdict_condition_and_evidence(run, claims):
    board = Board(run, claims)
    for shown in (board._list.claims, board.saved()):
        assert shown.count('<details class="wb-claim"') == 5
        for id_, found in run.claims.items():
            assert f"What {id_} says about a generator &amp; its consumer." in shown
            assert f'<span class="badge {found.verdict.replace(" ", "-")}">' in shown
        assert "holds behind a step of 1 ms &amp; more; fails behind an idle consumer" in shown
        assert "it raises &lt;TypeError&gt;" in shown
        assert 'href="03-prefetched-generator.ipynb"' in shown
    assert board._list.counts == [
        ["supported", "supported", 1],
        ["refuted", "refuted", 1],
        ["depends", "depends", 1],
        ["inconclusive", "inconclusive", 1],
        ["cannot run here", "cannot-run-here", 1],
    ]
    assert "<button" not in board.saved()


def test_without_a_run_every_claim_waits_to_be_tried(claims):
    board = Board(None, claims)
    assert board._list.counts == [["not measured yet", "not-measured-yet", 5]]
    assert "<table" not in board._list.claims
    assert board._list.claims.count("data-try=") == 5


def test_a_condition_is_said_in_a_few_words():
    found = result("x", "depends")
    assert when(found) == "holds behind a step of 1 ms & more; fails behind an idle consumer"
    many = replace(found, conditions=found.conditions[1:] * 4)
    assert when(many).endswith(" and 2 more")
    one, *others = found.conditions
    commas = replace(found, conditions=(replace(one, name="for 1, 2"), one, *others))
    assert ". Fails for 1, 2; behind an idle consumer" in when(commas)


def test_a_saved_board_reads_well_without_its_style_and_its_drawings(run, claims):
    saved = Board(run, claims).saved()
    bare = re.sub(r"<style>.*?</style>", "", saved, flags=re.DOTALL)
    drawn = " ".join(re.findall(r"<svg.*?</svg>", bare, flags=re.DOTALL))
    assert drawn and not re.sub(r"<[^>]*>", "", drawn).strip()
    words = html.unescape(re.sub(r"<[^>]*>", "", bare.replace("<br>", "\n")))
    assert "depends: What claim-depends says about a generator & its consumer.\nholds" in words
    assert re.search(r"\] \(expected at (?:least|most) [\d.]+×\)", words)
    assert "speed, drawn" not in words


def test_a_claim_that_was_tried_stands_beside_the_reference_and_is_kept(run):
    claims = [checking("claim-refuted", lambda: Finding(True, "it ran <well>"))]
    board = Board(run, claims)
    board._asked(None, {"do": "try", "claim": "claim-refuted"}, [])
    assert board.wait(30)
    said = board.tried["claim-refuted"]
    assert "Tried here" in said and "supported" in said and "it ran &lt;well&gt;" in said
    assert said in board.saved()
    assert board._list.running == {}
    assert mine.read(KEPT)["claim-refuted"]["reference"] == "refuted"
    assert Board(run, claims).tried == {"claim-refuted": said}


def test_in_full_mode_it_says_whether_the_verdict_is_the_same(run, monkeypatch):
    monkeypatch.delenv("WORKBOOK_QUICK")
    claims = [
        checking("claim-refuted", lambda: Finding(True, "it ran")),
        checking("claim-supported", lambda: Finding(True, "it ran")),
    ]
    board = Board(run, claims)
    for claim in claims:
        board.try_claim(claim.id)
        assert board.wait(30)
    assert "above it is refuted" in board.tried["claim-refuted"]
    assert "as above" in board.tried["claim-supported"]


def test_one_claim_at_a_time_and_stopping_keeps_nothing(run):
    started, leave = threading.Event(), threading.Event()

    def slow():
        started.set()
        leave.wait(30)
        return Finding(True, "it ran")

    first = checking("claim-refuted", slow)
    first = replace(first, conditions=first.conditions * 2)  # looked at between the two
    board = Board(run, [first, claim_of("claim-depends")])
    board.try_claim("claim-refuted")
    assert started.wait(30)
    board.try_claim("claim-depends")
    assert board._list.running["claim"] == "claim-refuted"
    board._asked(None, {"do": "stop"}, [])
    leave.set()
    assert board.wait(30)
    assert "nothing of this was kept" in board.tried["claim-refuted"]
    assert "claim-depends" not in board.tried
    assert mine.read(KEPT) == {}


def test_what_a_claim_raises_is_a_sentence_in_its_place(run):
    def broken():
        raise LookupError("no <row>")

    board = Board(run, [checking("claim-refuted", broken)])
    board.try_claim("claim-refuted")
    assert board.wait(30)
    assert "LookupError: no &lt;row&gt;" in board.tried["claim-refuted"]
    assert board._list.running == {}


def test_another_board_ends_the_trial_of_the_one_before(run):
    started, leave = threading.Event(), threading.Event()

    def slow():
        started.set()
        leave.wait(30)
        return Finding(True, "it ran")

    claim = checking("claim-refuted", slow)
    old = Board(run, [replace(claim, conditions=claim.conditions * 2)])
    old.try_claim(claim.id)
    assert started.wait(30)
    Board(run, [claim])
    leave.set()
    assert old.wait(30)
    assert "nothing of this was kept" in old.tried[claim.id]


def test_one_machine_is_a_sentence_and_two_are_compared(run):
    assert "No machine so far" in machines_beside({}).data
    alone = machines_beside({"here": run}).data
    assert "One machine so far: Fake &lt;CPU&gt; 9" in alone and "<table" not in alone
    other = make_run(seed=50)
    assert "No claim's verdict differs" in machines_beside({"here": run, "there": other}).data
    turned = {**other.claims, "claim-supported": result("claim-supported", "depends")}
    both = machines_beside({"here": run, "there": replace(other, claims=turned)}).data
    assert both.count("<tr>") == 2 and "claim-supported" in both
