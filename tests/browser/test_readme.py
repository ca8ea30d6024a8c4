"""The README as GitHub shows it: in a column of 830 pixels, nothing scrolls sideways."""

from pathlib import Path

import pytest
from markdown_it import MarkdownIt

pytestmark = pytest.mark.browser

README = Path(__file__).resolve().parents[2] / "README.md"
COLUMN = 830
STYLE = """
body { margin: 0; font: 16px/1.5 -apple-system, "Segoe UI", "Noto Sans", Helvetica, Arial; }
table { display: block; width: max-content; max-width: 100%; overflow: auto;
  border-collapse: collapse; }
th, td { padding: 6px 13px; border: 1px solid #d1d9e0; }
code { font: 85% ui-monospace, Menlo, monospace; padding: .2em .4em; }
pre { padding: 16px; overflow: auto; background: #f6f8fa; }
pre code { padding: 0; }
img { max-width: 100%; }
"""


@pytest.fixture
def page(chrome, tmp_path):
    page = chrome.new_page()
    page.set_viewport_size({"width": COLUMN, "height": 1000})
    body = MarkdownIt("commonmark").enable("table").render(README.read_text(encoding="utf-8"))
    # Beside the README, so that its pictures are found.
    base = f'<base href="{README.parent.as_uri()}/">'
    file = tmp_path / "readme.html"
    file.write_text(f"<!DOCTYPE html><meta charset=utf-8>{base}<style>{STYLE}</style>{body}")
    page.goto(file.as_uri())
    yield page
    page.close()


def test_every_table_and_the_fix_fit_the_column(page):
    # Whatever has a bar of its own: tables, and the code of the first screen.
    wide = page.evaluate(
        """() => [...document.querySelectorAll("table, pre:has(.language-python)")]
            .filter(one => one.scrollWidth > one.clientWidth).map(one => one.innerText)"""
    )
    assert wide == []
    assert page.evaluate("document.querySelectorAll('table').length") >= 5


def test_the_ladder_is_met_before_anything_else(page):
    ladder = page.locator("img[src='docs/ladder.svg']")
    assert ladder.evaluate("image => image.decode().then(() => image.width)") > 500
    assert ladder.bounding_box()["y"] < 500
    heads = page.locator("h2").first.bounding_box()["y"]
    assert page.get_by_text("times slower").first.bounding_box()["y"] < heads


def test_the_article_is_introduced_before_it_is_named(page):
    text = page.locator("body").inner_text()
    assert text.lower().index("the article") == text.index("We call it the article") + len(
        "We call it "
    )
