"""The first notebook as a reader goes through it: run, predict, solve."""

import pytest
from browser import lab
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

SOLUTION = """mine = PipelineOptions(source="generator", take=TAKE, batch=50, prefetch="autotune")
task.check(mine)"""


def test_the_start_page_runs_and_answers(page, server):
    book = lab.Notebook.open(page, server, "00-start-here.ipynb")
    book.run_all()
    assert book.errors() == []
    expect(book.panel.measure).to_be_enabled()
    expect(page.locator(".wb-bad")).to_have_count(0)

    prediction = page.locator(".wb-prediction").first
    prediction.get_by_label("half as fast").check()
    reveal = book.cell("speed.reveal(")
    expect(reveal).to_contain_text("You made no prediction.")
    book.run(reveal)
    expect(reveal).to_contain_text("You said “half as fast”")

    exercise = book.cell("task.check(")
    expect(exercise).to_contain_text("Not yet: batch is None")
    book.write(exercise, SOLUTION)
    book.run(exercise)
    expect(exercise.locator(".wb-good")).to_have_text("Right.")
    assert book.errors() == []
