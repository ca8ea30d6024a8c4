"""The panel as a reader meets it: toggled, measured, cancelled, left alone by a restart."""

import csv
import io
import json

import psutil
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
ONE_KERNEL = True

PANEL = """
from helpers.measure import Settings
from helpers.show import Panel
from helpers.study import PipelineOptions

Panel(
    PipelineOptions(take=100, shape=(10, 10)),
    title="Does the panel work? {test}.",
    settings=Settings(precision=0.001, budget_s={seconds}, min_rounds=3, max_rounds=99_999),{more}
)
"""
FEW = """
    toggles=("batch", "transform", "prefetch"),"""


def short(test, more=FEW):
    """A panel whose runs are short; runs are kept by its title, which says whose it is."""
    return PANEL.format(test=test, seconds=1.5, more=more)


def endless(test):
    return PANEL.format(test=test, seconds=600, more=FEW)


RUN_MS = 60_000
"""A short run, its process started on a busy machine."""

SOON_MS = 3000
"""Cancelling ends a run within a second; the rest is for a busy machine and the browser."""


def test_what_makes_no_sense_is_said_and_what_does_is_measured_drawn_compared_and_saved(scratch):
    panel = scratch(short("Measured")).panel
    expect(panel.measure).to_be_enabled()
    expect(panel.cancel).to_be_disabled()
    panel.toggle("transform").select_option(label="map after batch")
    expect(panel.complaint).to_contain_text("Map after batch needs a Batch.")
    expect(panel.measure).to_be_disabled()
    expect(panel.code).to_contain_text("from_generator(")  # the code before stays
    panel.toggle("batch").select_option(label="32")
    expect(panel.complaint).to_have_count(0)
    expect(panel.measure).to_be_enabled()
    expect(panel.code).to_contain_text(".batch(32)")

    panel.toggle("transform").select_option(label="none")
    expect(panel.runs).to_have_count(0)
    panel.remember(panel.status)
    panel.remember(panel.count)
    panel.measure_until(runs=1)
    assert panel.remembered(panel.status)[0].startswith("Starting")
    rounds = [int(line.split()[1]) for line in panel.remembered(panel.count)]
    assert len(rounds) >= 3
    assert rounds == sorted(rounds)
    expect(panel.message).to_contain_text("Run 1, batch 32: ")
    assert panel.runs.first.locator("svg .span").count() == 1

    panel.toggle("prefetch").select_option(label="AUTOTUNE")
    expect(panel.code).to_contain_text(".prefetch(")
    panel.measure_until(runs=2)
    expect(panel.message).to_contain_text("Run 2, batch 32, prefetch AUTOTUNE: ")
    names = panel.runs.locator(".wb-recall").all_inner_texts()
    assert len(set(names)) == 2

    rows = list(csv.DictReader(io.StringIO(panel.saved("CSV"))))
    assert {row["run"] for row in rows} == {"1", "2"}
    record = json.loads(panel.saved("JSON"))
    assert [run["number"] for run in record["record"]["runs"]] == [1, 2]
    expect(panel.complaint).to_have_count(0)

    panel.runs.nth(0).locator(".wb-tick").check()
    panel.runs.nth(1).locator(".wb-tick").check()
    expect(panel.differs).to_contain_text("Run 1 → run 2 Prefetch: none written → AUTOTUNE")
    expect(panel.code.locator(".wb-came")).to_contain_text(["prefetch"])
    panel.pair.click()
    expect(panel.runs).to_have_count(3, timeout=RUN_MS)
    expect(panel.message).to_contain_text("Run 3, run 2: ")

    panel.runs.filter(has_text="1 batch 32").locator(".wb-recall").click()
    expect(panel.toggle("prefetch")).to_have_value("none written")
    expect(panel.code).not_to_contain_text("prefetch")


WIDTHS = (1400, 900)


SETTLED = """() => new Promise(settled => {
    let before = "", same = 0;
    const look = () => {
        const now = [...document.querySelectorAll(".wb-frame")].map(one => one.offsetHeight).join();
        same = now === before ? same + 1 : 0;
        before = now;
        same < 6 ? setTimeout(look, 60) : settled();
    };
    look();
})"""
"""A new width is laid out in several steps, later where other tests keep the cores busy."""


def test_all_toggles_fit_a_screen_work_by_keys_and_nothing_jumps(scratch, page):
    panel = scratch(short("All toggles", more="")).panel

    def at(width):
        page.set_viewport_size({"width": width, "height": 1000})
        page.evaluate(SETTLED)

    def place():
        outer, inner = panel.place.bounding_box(), panel.measure.bounding_box()
        return inner["y"] - outer["y"], outer["height"]

    def places():
        found = {}
        for width in WIDTHS:
            at(width)
            found[width] = place()
        return found

    first = places()
    for width in WIDTHS:
        at(width)
        assert first[width][0] < 420
        assert panel.place.evaluate("place => place.scrollWidth <= place.clientWidth")
        if width == 1400:
            assert first[width][1] < 750
            code, runs = panel.code.bounding_box(), page.locator(".wb-runs").bounding_box()
            assert code["x"] + code["width"] < runs["x"]

    panel.toggle("transform").focus()
    page.keyboard.press("End")
    expect(panel.complaint).to_have_text("Map after batch needs a Batch.")
    assert places() == first
    panel.toggle("consumer").focus()
    page.keyboard.press("End")
    expect(panel.complaint).to_have_count(2)
    panel.toggle("batch").focus()
    page.keyboard.press("ArrowDown")
    expect(panel.complaint).to_have_count(0)
    expect(panel.place).to_contain_text("The baseline gets batch 8 too")
    for width in WIDTHS:
        at(width)
        for note in panel.place.locator(".wb-why").all():
            assert note.evaluate("place => place.scrollHeight <= place.clientHeight")
    assert places() == first

    panel.measure.focus()
    page.keyboard.press("Enter")
    expect(panel.running).to_have_count(1)
    assert places() == first
    expect(panel.runs).to_have_count(1, timeout=RUN_MS)
    assert places() == first
    panel.runs.first.locator(".wb-tick").focus()
    page.keyboard.press("Space")
    expect(panel.differs).to_have_text("Tick one more run to compare the two.")
    panel.toggle("batch").focus()
    page.keyboard.press("Home")
    panel.runs.first.locator(".wb-recall").focus()
    page.keyboard.press("Enter")
    expect(panel.toggle("batch")).to_have_value("8")
    assert page.locator("[aria-live=polite]").filter(has=page.locator(".wb-faint")).count() > 0
    expect(page.locator(".jp-CodeCell")).to_have_count(1)  # no key went to the notebook


def test_cancel_ends_a_run_at_once_and_the_next_can_start(scratch, server):
    panel = scratch(endless("Cancelled")).panel
    panel.measure.click()
    expect(panel.measure).to_be_disabled()
    panel.cancel.click()  # while its process starts
    expect(panel.message).to_contain_text("was cancelled", timeout=SOON_MS)
    expect(panel.measure).to_be_enabled()

    panel.measure.click()
    panel.wait_for_round()
    measuring = server.measuring()
    panel.cancel.click()
    expect(panel.measure).to_be_enabled(timeout=SOON_MS)
    expect(panel.cancel).to_be_disabled()
    expect(panel.status).to_contain_text("Cancelled")
    expect(panel.runs).to_have_count(0)
    expect(panel.complaint).to_have_count(0)
    assert any(not process.is_running() for process in measuring)
    assert not any(is_measuring(process) for process in server.measuring())


def test_a_cell_run_again_or_a_restart_ends_its_run_and_kept_runs_are_back(scratch, server):
    here = 'import os\nos.environ["WORKBOOK_MINE"] = "kept"\n'
    book = scratch(here, short("Kept"))
    book.panel.measure_until(runs=1)
    book.write(book.cells.last, endless("Kept"))
    book.run(book.cells.last)
    expect(book.panel.runs).to_have_count(1)
    book.panel.measure.click()
    book.panel.wait_for_round()
    book.run(book.cells.last)
    expect(book.panel.measure).to_be_enabled()
    expect(book.panel.cancel).to_be_disabled()
    expect(book.panel.runs).to_have_count(1)  # the one that was ended left none

    book.panel.measure.click()
    book.panel.wait_for_round()
    measuring = server.measuring()
    assert any(is_measuring(process) for process in measuring)
    book.restart()
    _, left = psutil.wait_procs(measuring, timeout=10)
    assert left == []
    expect(book.panel.message).to_contain_text("The kernel was restarted: run this cell again")
    expect(book.panel.cancel).to_be_disabled()
    expect(book.panel.status).to_have_text("")

    book.run_all()
    expect(book.panel.runs).to_have_count(1)
    expect(book.panel.message).to_contain_text("is the latest of 1 that were kept")


def is_measuring(process):
    """Whether it holds TensorFlow, and so is no mere helper of loky's."""
    try:
        return process.memory_info().rss > 150 * 2**20
    except psutil.NoSuchProcess:
        return False
