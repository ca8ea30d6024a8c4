"""The first notebook as a reader goes through it: run and predict."""

import pytest
from browser import lab
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_the_start_page_runs_and_answers(page, server):
    book = lab.Notebook.open(page, server, "00-start-here.ipynb")
    book.run_all()
    assert book.errors() == []
    expect(book.panel.measure).to_be_enabled()
    expect(page.locator(".wb-bad")).to_have_count(0)

    figure = book.cell("speed.reveal(").get_by_role("img").locator("visible=true")
    expect(figure).to_have_count(0)
    prediction = page.locator(".wb-prediction:visible").first
    prediction.get_by_label("less than half as fast").check()
    expect(prediction).to_contain_text("You said “less than half as fast”")
    expect(prediction).to_contain_text("the speed of from_tensor_slices")
    expect(prediction).to_contain_text("a quick run: its numbers show nothing")
    expect(figure).to_have_count(1)
    assert book.errors() == []
