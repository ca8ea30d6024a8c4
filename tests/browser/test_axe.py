"""No serious finding of axe in what the workbook shows."""

import json
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import lab
from browser.test_board import ALL, BOARD
from playwright.sync_api import expect
from unit.fake_runs import make_run

from helpers.show import report

pytestmark = pytest.mark.browser
ONE_KERNEL = True

SHOWN = """
from unit.fake_runs import measured

from helpers.show import Panel, Prediction, figure, plots
from helpers.study import PipelineOptions

display(Panel(PipelineOptions(take=100), title="Is anything in the way?"))
display(Prediction("How fast is it?", {"slower": 1, "as fast or faster": float("inf")}))
display(figure(plots.ratios, measured(0.5, 1.5, title="A figure")))
"""

TESTS = Path(__file__).resolve().parents[1]

OURS = ".wb-frame, .jp-RenderedHTMLCommon img"
"""The rest of the page is JupyterLab's."""


def serious(page, within):
    """What axe finds, in words: the rule, and where."""
    # No preload: axe would fetch style sheets anew, which a page on the disk may not.
    options = {"resultTypes": ["violations"], "preload": False}
    found = Axe().run(page, within, options=options).response
    return [
        f"{rule['id']}: {node['html'][:160]} {node['any'][:1]}"
        for rule in found["violations"]
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


@pytest.fixture(params=["Light", "Dark"])
def themed(request, server):
    """Gives the tabs that are opened from now on one of JupyterLab's themes."""
    file = server.root.parent / "settings" / "@jupyterlab" / "apputils-extension"
    file.mkdir(parents=True, exist_ok=True)
    settings = file / "themes.jupyterlab-settings"
    settings.write_text(json.dumps({"theme": f"JupyterLab {request.param}"}))
    yield request.param == "Light"
    settings.unlink()


def test_panel_prediction_figure_and_scoreboard(themed, server, page):
    name = server.write(
        "axe.ipynb", f"import sys\n\nsys.path.append({str(TESTS)!r})\n{SHOWN}", BOARD
    )
    book = lab.Notebook.open(page, server, name)
    book.run_all()
    assert book.errors() == []
    board = page.locator(".wb-frame.wb-board")
    expect(board.locator(".wb-shown")).to_have_text(f"{ALL} of {ALL} claims")
    board.locator(".wb-claim summary").first.click()
    light = page.locator("body").get_attribute("data-jp-theme-light")
    assert light == str(themed).lower()
    assert serious(page, OURS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_report(chrome, scheme, tmp_path):
    file = tmp_path / "report.html"
    file.write_text(report.build(make_run(), make_run(seed=50)), encoding="utf-8")
    page = chrome.new_page()
    page.emulate_media(color_scheme=scheme)
    page.goto(file.as_uri())
    found = serious(page, "html")
    page.close()
    assert found == []
