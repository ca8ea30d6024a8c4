"""One server for the session; for each test a tab, and a kernel of its own.

Importing TensorFlow is most of what a test takes. The tests of a module that says `ONE_KERNEL =
True` leave nothing in a kernel that the next would meet, and have one together.
"""

import re

import pytest
from browser import lab


@pytest.fixture(scope="session")
def server(tmp_path_factory, chromium_path):
    with lab.Server.start(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="module")  # not longer: Playwright keeps an event loop running
def chrome(chromium_path, server):
    with lab.browser(chromium_path) as chrome:
        yield chrome
    server.end_kernels()


@pytest.fixture
def one_kernel(request):
    """Whether the module's tests share one."""
    return getattr(request.module, "ONE_KERNEL", False)


@pytest.fixture
def tab(chrome, server, one_kernel):
    """A fresh tab; that nothing went wrong in its console is part of every test."""
    tab = lab.Tab(chrome.new_page())
    try:
        yield tab
        assert tab.errors == []
    finally:
        tab.page.close()
        if not one_kernel:
            server.end_kernels()


@pytest.fixture
def from_disk(chrome):
    """Gives a tab for the pages of a folder; that they ask nobody else is part of every test."""
    asked, folders = [], []
    tab = lab.Tab(chrome.new_page())
    tab.page.on("request", lambda request: asked.append(request.url))

    def of(folder):
        folders.append(folder.as_uri())
        return tab.page

    yield of
    tab.page.close()
    assert tab.errors == []
    assert [url for url in asked if not url.startswith((*folders, "data:"))] == []


@pytest.fixture
def page(tab):
    return tab.page


@pytest.fixture
def written(server, request, one_kernel):
    """Writes a notebook of the cells it is given, and returns its name."""

    def write(*cells):
        of = request.module.__name__ if one_kernel else request.node.name  # a name has a kernel
        name = re.sub(r"\W+", "-", of).strip("-")  # it is part of an address
        return server.write(f"{name}.ipynb", *cells)

    return write


@pytest.fixture
def scratch(page, server, written):
    """Opens a notebook of the cells it is given, and runs them."""

    def open_and_run(*cells):
        book = lab.Notebook.open(page, server, written(*cells))
        book.run_all()
        assert book.errors() == []
        return book

    return open_and_run
