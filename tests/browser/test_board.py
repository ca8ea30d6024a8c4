"""The scoreboard in a real JupyterLab: sorting out, looking into, trying; by mouse and by keys."""

import pytest
from browser import lab
from playwright.sync_api import expect

from helpers.claims import CLAIMS

pytestmark = pytest.mark.browser
ALL = len(CLAIMS)

BOARD = """
from helpers.measure import this_machine
from helpers.reproduce import reference
from helpers.show.board import Board

Board(reference(this_machine()))
"""


@pytest.fixture(scope="module")
def tab(chrome):
    """One for all tests: to run the cell again gives a new board, and sooner than a new tab."""
    tab = lab.Tab(chrome.new_page())
    yield tab
    tab.page.close()


@pytest.fixture(scope="module")
def book(tab, server):
    return lab.Notebook.open(tab.page, server, server.write("board.ipynb", BOARD))


@pytest.fixture
def board(book, tab, page):
    """The board's cell, which has run; nothing went wrong in the tab's console meanwhile."""
    page.set_viewport_size({"width": 1400, "height": 1000})
    page.evaluate("document.querySelectorAll('.wb-board').forEach(one => one.dataset.before = 1)")
    book.run_all()
    assert book.errors() == []
    place = page.locator(".wb-frame.wb-board:not([data-before])")
    expect(place.locator(".wb-shown")).to_have_text(f"{ALL} of {ALL} claims")
    yield place
    assert tab.errors == []


def test_claims_are_sorted_out_looked_into_and_tried(board, page):
    claims = board.locator(".wb-claim:visible")
    button = board.get_by_role("button", name="refuted")
    count = int(button.inner_text().split()[0])
    button.click()
    expect(claims).to_have_count(count)
    expect(board.locator(".wb-shown")).to_have_text(f"{count} of {ALL} claims")
    expect(button).to_have_attribute("aria-pressed", "true")
    board.get_by_role("button", name=f"all {ALL}").click()
    board.get_by_role("searchbox").fill("iterator class")
    expect(claims).to_have_count(1)
    expect(claims).to_contain_text("fails in an iterator class")
    board.get_by_role("searchbox").fill("no such word")
    expect(board.get_by_text("No claim has these words")).to_be_visible()
    board.get_by_role("searchbox").fill("iterator class")

    claims.locator("summary").first.click()
    expect(claims.locator("table.conditions").first).to_be_visible()
    claims.get_by_role("button", name="Try it here").click()
    expect(claims.get_by_text("Tried here")).to_be_visible(timeout=lab.RUN_S * 1000)
    expect(claims.locator(".wb-tried .badge").first).to_have_text("depends")
    expect(claims.get_by_role("button", name="Try it here")).to_be_enabled()


def test_a_trial_shows_how_far_it_is_and_stops_at_once(board):
    board.get_by_role("searchbox").fill("python-numerics")
    claim = board.locator(".wb-claim:visible")
    claim.locator("summary").first.click()
    claim.get_by_role("button", name="Try it here").click()
    expect(claim.locator(".wb-words")).to_contain_text("…")
    expect(claim.get_by_role("button", name="Try it here")).to_be_disabled()
    claim.get_by_role("button", name="Stop").click()
    expect(claim.get_by_text("Stopped; nothing of this was kept.")).to_be_visible()
    expect(claim.get_by_role("button", name="Try it here")).to_be_enabled()


def test_by_keys_alone(board, page):
    cells = page.locator(".jp-Notebook .jp-Cell").count()
    board.get_by_role("button", name=f"all {ALL}").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(board.locator("[aria-pressed=true]")).to_have_count(1)
    few = board.locator(".wb-claim:visible").count()
    assert 0 < few < ALL
    board.get_by_role("searchbox").focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(board.locator(".wb-claim[open]")).to_have_count(1)
    for key in "ddxx":  # would delete the cell
        page.keyboard.press(key)
    assert page.locator(".jp-Notebook .jp-Cell").count() == cells


def test_nothing_is_cut_off_at_any_width(board, page):
    for width in (1400, 900):
        page.set_viewport_size({"width": width, "height": 1000})
        board.get_by_role("searchbox").fill("lean-generator")
        claim = board.locator(".wb-claim:visible")
        if claim.get_attribute("open") is None:
            claim.locator("summary").first.click()
        cut = board.evaluate(
            """board => [...board.querySelectorAll(".wb-claim[open] :is(td, th, svg, p, button)")]
                .filter(one => one.getBoundingClientRect().width
                    && one.getBoundingClientRect().right > board.getBoundingClientRect().right + 1)
                .map(one => one.outerHTML.slice(0, 80))"""
        )
        assert cut == []


def test_a_saved_notebook_shows_the_claims_without_a_kernel(board, book, page):
    book.save()
    page.reload()
    saved = page.locator(".wb-saved .wb-board")
    expect(saved.locator(".wb-claim")).to_have_count(ALL, timeout=lab.START_S * 1000)
    expect(saved).to_contain_text("holds in a generator function; fails in an iterator class")
    expect(page.get_by_text("model not found")).to_have_count(0)


def test_a_link_opens_the_notebook_beside_this_one(board, page):
    board.get_by_role("searchbox").fill("iterator class")
    claim = board.locator(".wb-claim:visible")
    claim.locator("summary").first.click()
    claim.get_by_role("link", name="Read notebook 02").click()
    tab = page.locator(".lm-TabBar-tabLabel", has_text="02-inefficient-generator.ipynb")
    expect(tab).to_be_visible()
