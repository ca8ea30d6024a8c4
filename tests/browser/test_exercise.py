"""An exercise as a reader meets it: nothing yet, a hint, a wrong answer, the solution, right."""

import pytest
from playwright.sync_api import expect

from helpers.exercises import EXERCISES

pytestmark = pytest.mark.browser

EXERCISE = EXERCISES["02-ten-at-a-time"]
WRONG = EXERCISE.cell().replace("yield row", "yield list(rows[:10])")
IMPORTS = "import numpy as np\nfrom helpers.show import check"


def test_nothing_yet_hint_wrong_solution_right(scratch):
    book = scratch(IMPORTS, EXERCISE.cell())
    place = book.page.locator(".wb-frame.wb-exercise")
    message = place.locator(".wb-message")
    expect(message).to_contain_text("Nothing is here yet")
    expect(place).not_to_contain_text(EXERCISE.hint[:20])
    hint = place.get_by_role("button", name="Hint")
    hint.focus()
    book.page.keyboard.press("Enter")  # by keys alone
    expect(place.locator(".wb-hint-text")).to_contain_text("Which starts do the slices have?")
    expect(place).not_to_contain_text("range(0, len(rows), 10)")
    cell = book.cell("def ten_at_a_time")

    book.write(cell, WRONG)
    book.run(cell)
    expect(message).to_contain_text("a list of 10 arrays")
    expect(place.locator(".wb-counts")).to_contain_text("60")

    place.get_by_role("button", name="Solution").click()
    solution = place.locator(".wb-solution-text pre")
    expect(solution).to_contain_text("range(0, len(rows), 10)")
    book.write(cell, f'{solution.inner_text()}\n\ncheck("{EXERCISE.name}", ten_at_a_time)')
    book.run(cell)
    expect(message).to_contain_text("Right. 6 crossings carry the 60 rows")
    assert book.errors() == []
