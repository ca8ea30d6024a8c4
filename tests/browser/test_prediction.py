"""A prediction as a reader makes it: before, during and after the measurement, and by keys."""

import re

import nbformat
import pytest
from browser import lab
from playwright.sync_api import expect

pytestmark = pytest.mark.browser
ONE_KERNEL = True

ASK = """
import time
from math import inf
from helpers.show import Prediction

guess = Prediction(
    "How fast is it WHEN?",
    {"slower": 0.95, "no different": 1.05, "faster": inf},
    says="it runs at {} the speed of the other",
)
guess
"""
WAIT = """
from pathlib import Path
while not Path("{}").exists():
    time.sleep(0.05)
"""
MEASURE = "guess.reveal(0.5, ' '.join(('Half', 'of it.')))"
VERDICT = "it runs at 0.5× the speed of the other"


def ask(when):
    """The cell that asks; answers are kept by their question, and the kernel is shared."""
    return ASK.replace("WHEN", when)


class PredictionObject:
    """A question and its result: what a reader sees of them, and can press."""

    def __init__(self, page):
        self.box = page.locator(".wb-prediction:visible")
        self.told = self.box.locator(".wb-told")
        self.result = page.get_by_text("Half of it.").locator("visible=true")
        self.cover = page.locator(".wb-cover:visible")

    def choice(self, label):
        return self.box.get_by_label(label)

    def expect_covered(self):
        expect(self.cover).to_be_visible()
        expect(self.result).to_have_count(0)

    def expect_shown(self, said):
        expect(self.told).to_contain_text(said)
        expect(self.result).to_be_visible()
        expect(self.cover).to_have_count(0)
        expect(self.choice("slower")).to_be_disabled()


def test_a_result_is_covered_until_an_answer_and_the_verdict_stands_with_the_question(scratch):
    seen = PredictionObject(scratch(ask("covered"), MEASURE).page)
    expect(seen.box).to_contain_text("0.95 to 1.05×")
    seen.expect_covered()
    expect(seen.told).not_to_contain_text("0.5×")
    seen.choice("no different").check()
    seen.expect_shown(f"You said “no different”; {VERDICT}, so “slower” (below 0.95×).")


def test_a_result_can_be_had_without_an_answer(scratch):
    seen = PredictionObject(scratch(ask("without an answer"), MEASURE).page)
    seen.cover.get_by_role("button", name="Show the result").click()
    seen.expect_shown(VERDICT.capitalize())
    expect(seen.told).not_to_contain_text("You said")


def test_an_answer_given_while_cells_run_counts(page, server, written):
    measured, ended = (WAIT.format(name) for name in ("measured", "ended"))
    cells = ask("while cells run"), measured + MEASURE, ended + "'all is done'"
    book = lab.Notebook.open(page, server, written(*cells))
    book.menu("Run", "Run All Cells")
    seen = PredictionObject(page)
    seen.choice("slower").check(timeout=lab.RUN_S * 1000)
    expect(seen.told).to_contain_text("Kept.")
    (server.root / "measured").touch()
    expect(seen.told).to_contain_text(f"and so it is: {VERDICT}", timeout=lab.RUN_S * 1000)
    seen.expect_shown(VERDICT)  # while the kernel still runs cells and has heard of no answer
    (server.root / "ended").touch()
    done = page.locator(".jp-OutputArea-output pre", has_text="all is done")
    expect(done).to_be_visible(timeout=lab.RUN_S * 1000)
    book.wait_until_idle()
    seen.expect_shown(f"You said “slower”, and so it is: {VERDICT}")
    assert book.errors() == []


def test_keys_alone_will_do_and_are_not_the_notebooks(scratch):
    book = scratch(ask("by keys"), MEASURE)
    page, seen = book.page, PredictionObject(book.page)
    cells = book.cells.count()
    book.cell("guess.reveal(").locator(".jp-InputPrompt").click()
    radios = seen.box.locator("input:focus")
    for _ in range(20):
        page.keyboard.press("Shift+Tab")
        if radios.count():
            break
    for _ in range(3):
        if not seen.choice("faster").is_checked():
            page.keyboard.press("ArrowDown")
    expect(seen.choice("faster")).to_be_checked()
    seen.expect_covered()  # the choices that were passed over are no answers
    page.keyboard.press("d")
    page.keyboard.press("d")
    page.keyboard.press("Enter")
    seen.expect_shown("You said “faster”;")
    expect(seen.told).to_be_focused()
    page.keyboard.press("d")
    page.keyboard.press("d")
    assert book.cells.count() == cells


def test_what_was_said_and_shown_survives_saving_and_a_reload(scratch, server, page):
    book = scratch(ask("after a reload"), MEASURE)
    seen = PredictionObject(page)
    seen.choice("faster").check()
    seen.expect_shown("You said “faster”;")
    book.wait_until_idle()
    book.save()
    page.reload()
    book.wait_until_idle()
    seen.expect_shown(f"You said “faster”; {VERDICT}")

    (file,) = server.root.glob("*test_prediction.ipynb")
    saved = "".join(
        output.data.get("text/html", "")
        for cell in nbformat.read(file, as_version=4).cells
        for output in cell.outputs
    )
    assert re.search(f"You said “faster”; {VERDICT}", saved)
    assert "<details>" not in saved
    book.menu("Kernel", "Shut Down Kernel")
    page.reload()
    said = page.get_by_text("You said “faster”;").locator("visible=true")
    expect(said).to_have_count(1, timeout=lab.START_S * 1000)
    expect(seen.result).to_have_count(1)
