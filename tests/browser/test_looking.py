"""Opening a notebook leaves it as it is, and asks the reader nothing."""

import pytest
from browser import lab
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

BOOKS = sorted(path.name for path in lab.NOTEBOOKS.glob("[0-9][0-9]-*.ipynb"))[::5]
"""Every fifth one: opening is of one kind, and takes ten seconds each."""


@pytest.mark.parametrize("name", BOOKS)
def test_a_notebook_that_was_opened_and_saved_is_the_same_file(page, server, name):
    file = server.root / name
    before = file.read_bytes()
    lab.Notebook.open(page, server, name)
    # A pop-up would stand here: of news, of updates, of anything else.
    expect(page.locator(".Toastify__toast, .jp-Dialog")).to_have_count(0)
    page.locator(".jp-Notebook .jp-Cell").first.click()
    with page.expect_response(
        lambda response: response.request.method == "PUT" and name in response.url
    ) as saved:
        page.keyboard.press("Control+s")
    assert saved.value.ok
    assert file.read_bytes() == before
