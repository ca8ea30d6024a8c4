"""Figures under a reader's hand: on a dark page, and timelines stepped through by keys."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
ONE_KERNEL = True

TIMELINES = """
from helpers.measure import this_machine
from helpers.show import Timelines
from helpers.study import Stretch, Timeline


def recorded(label, wait_ms):
    spans = {"waiting": (0, wait_ms), "generator": (1 - wait_ms, 1), "consumer": (wait_ms, 1)}
    stretches = tuple(
        Stretch(lane, int((row + start) * 1e6), int((row + end) * 1e6))
        for lane, (start, end) in spans.items()
        for row in range(6)
    )
    return Timeline(label, 6, 6 * 10**6, stretches, this_machine())


Timelines(recorded("no prefetch", 0.7), recorded("prefetch", 0.1), title="Who works?")
"""


def test_timelines_are_stepped_through_together_by_keys_alone(page, scratch):
    book = scratch(TIMELINES)
    place = page.locator(".wb-timelines")
    status, said = place.locator(".wb-status"), place.locator(".tl-said")
    expect(status).to_have_text("element 1 of 6")
    cells = book.cells.count()
    slider = place.get_by_role("slider")
    slider.focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    expect(status).to_have_text("element 2 of 6")
    expect(said.first).to_have_text(
        "waits 0.7 ms, in which the generator works 0.4 ms; "
        "then a step of 0.3 ms, in which the generator works 0.3 ms."
    )
    expect(said.last).to_contain_text("waits 0.1 ms")
    expect(place.locator("rect.tl-at")).to_have_count(4)
    on = place.get_by_role("button", name="Next element")
    on.focus()
    for _ in range(9):
        page.keyboard.press("Enter")
    expect(status).to_have_text("element 6 of 6")
    expect(on).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("d")
    page.keyboard.press("d")
    expect(status).to_have_text("element 5 of 6")
    assert book.cells.count() == cells


def test_nothing_moves_when_timelines_are_stepped_through(page, scratch):
    scratch(TIMELINES)
    place = page.locator(".wb-timelines")
    for width in (900, 1400):
        page.set_viewport_size({"width": width, "height": 900})
        place.get_by_role("slider").focus()
        page.keyboard.press("Home")
        before = place.bounding_box()
        for _ in range(5):
            page.keyboard.press("ArrowRight")
            assert place.bounding_box() == before
        assert place.evaluate("box => box.scrollWidth <= box.clientWidth")


def test_a_figure_is_no_white_slab_on_a_dark_page(page, scratch):
    scratch(
        "from helpers.show import figure, plots\n"
        "figure(plots.stacked, {'a bar': {'a part': 3.0}}, provenance='a machine', title='Time')"
    )
    drawn = page.locator("img.wb-drawn")
    assert drawn.evaluate("image => getComputedStyle(image).filter") == "none"
    page.evaluate("document.body.dataset.jpThemeLight = 'false'")
    assert "invert" in drawn.evaluate("image => getComputedStyle(image).filter")


def test_a_printed_sentence_is_broken_between_its_words(page, scratch):
    scratch(
        "from IPython.display import HTML\nfrom helpers.show import page\nHTML(page.STYLE)",
        "print('a sentence that is longer than a line ' * 9)",
    )
    printed = page.locator(".jp-OutputArea-output pre", has_text="a sentence")
    assert printed.evaluate("text => getComputedStyle(text).wordBreak") == "normal"
