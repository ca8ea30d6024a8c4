"""The doctor's panel as a reader meets it: guess, examine, verify, cancel, an error of theirs."""

import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

CELL = """
import time
import numpy as np
from helpers.show.clinic import Clinic

ROWS = np.zeros((400, 8), np.float32)

def small_rows():
    def rows():
        yield from ROWS
    return rows, {}

def missing_row():
    def rows():
        yield ROWS[0]
        raise LookupError("row one is not there")
    return rows, {}

def waits():
    def rows():
        while True:
            time.sleep(0.01)
            yield ROWS[0]
    return rows, {}

Clinic({each.__name__: each for each in (small_rows, missing_row, waits)}, budget_s=5, verify_s=1)
"""

ANSWER_MS = 40_000


def test_guess_examine_verify_cancel_and_an_error_of_theirs(scratch):
    book = scratch(CELL)
    place = book.page.locator(".wb-clinic")
    examine, cancel, verify = (
        place.locator(f"button.wb-{name}") for name in ("examine", "cancel", "verify")
    )
    message = place.locator(".wb-message")
    expect(examine).to_be_disabled()
    place.get_by_label("the crossing into TensorFlow").check()
    examine.click()
    expect(message).to_contain_text("and so it is", timeout=ANSWER_MS)
    expect(place.locator(".wb-figure img")).to_have_count(1)
    expect(place.locator(".wb-answer")).to_contain_text("What to do")
    verify.click()
    expect(message).to_contain_text("measured", timeout=ANSWER_MS)

    place.locator(".wb-choice select").select_option(label="missing_row")
    expect(examine).to_be_disabled()
    place.get_by_label("waiting").check()
    examine.click()
    expect(message).to_contain_text("row one is not there", timeout=ANSWER_MS)
    expect(verify).to_be_disabled()

    place.locator(".wb-choice select").select_option(label="waits")
    expect(place.get_by_label("waiting")).not_to_be_checked()  # the guess before is forgotten
    place.get_by_label("waiting").check()
    examine.click()
    expect(cancel).to_be_enabled()
    cancel.click()
    expect(message).to_contain_text("Cancelled", timeout=ANSWER_MS)
    expect(examine).to_be_enabled()
