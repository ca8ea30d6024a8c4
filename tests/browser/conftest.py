"""One server for the session; for each test a tab and a kernel of its own."""

import re

import pytest
from browser import lab


@pytest.fixture(scope="session")
def server(tmp_path_factory, chromium_path):
    with lab.Server.start(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="module")  # not longer: Playwright keeps an event loop running
def chrome(chromium_path):
    with lab.browser(chromium_path) as chrome:
        yield chrome


@pytest.fixture
def tab(chrome, server):
    """A fresh tab; that nothing went wrong in its console is part of every test."""
    tab = lab.Tab(chrome.new_page())
    try:
        yield tab
        assert tab.errors == []
    finally:
        tab.page.close()
        server.end_kernels()


@pytest.fixture
def page(tab):
    return tab.page


@pytest.fixture
def scratch(page, server, request):
    """Opens a notebook of the cells it is given, and runs them."""

    def open_and_run(*cells):
        name = re.sub(r"\W+", "-", request.node.name).strip("-")  # it is part of an address
        name = server.write(f"{name}.ipynb", *cells)
        book = lab.Notebook.open(page, server, name)
        book.run_all()
        assert book.errors() == []
        return book

    return open_and_run
