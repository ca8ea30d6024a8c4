"""The pages to read without running, opened from the disk: nothing asked of anybody, keys, axe."""

import re

import make_site
import pytest
from browser.test_axe import serious
from playwright.sync_api import expect

pytestmark = pytest.mark.browser

PAGES = sorted(path.stem for path in make_site.NOTEBOOKS.glob("*.ipynb"))
PAGES = ["index", *PAGES, "claims", "traps", "glossary", *make_site.GUIDES]


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The site, built once."""
    folder = tmp_path_factory.mktemp("pages") / "site"
    make_site.build(folder)
    return folder


@pytest.fixture
def opened(site, from_disk):
    """Opens a page from the disk."""
    page = from_disk(site)

    def open_(name="index", scheme="light", width=1400):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 1000})
        page.goto((site / f"{name}.html").as_uri())
        return page

    return open_


def found(page, query):
    """What a search finds, best first."""
    page.locator("#query").fill(query)
    return page.locator("#found li b").all_inner_texts()


def test_every_page_is_there(site):
    assert sorted(path.stem for path in site.glob("*.html")) == sorted(PAGES)


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_by_everybody_and_fits_the_screen(opened, name):
    """Colours hang on the scheme, overflow on the width: two of four will do, loaded once."""
    page = opened(name)
    page.evaluate("document.querySelectorAll('main .text details').forEach(d => d.open = true)")
    for scheme, width in (("light", 1400), ("dark", 400)):
        page.emulate_media(color_scheme=scheme)
        page.set_viewport_size({"width": width, "height": 1000})
        page.wait_for_timeout(100)  # what scrolls is found out a frame later
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert serious(page, "html") == []
    text = page.locator("main").inner_text().lower()
    assert "model not found" not in text and "jupyter widget" not in text
    assert page.evaluate(
        "[...document.images].every(one => one.alt.length > 20 && one.naturalWidth > 100)"
    )


def test_the_order_of_pages_is_the_notebooks_own(opened):
    page = opened()
    for name in PAGES[1:]:
        page.locator("a[rel=next]").click()
        page.wait_for_url(re.compile(f"/{name}.html$"))
        expect(page.locator(".pages a[aria-current]")).to_have_count(1)
    expect(page.locator("a[rel=next]")).to_have_count(0)
    page.locator("a[rel=prev]").click()
    page.wait_for_url(re.compile(f"/{PAGES[-2]}.html$"))


def test_dark_or_light_is_the_systems_until_chosen_and_then_remembered(opened):
    page = opened("02-inefficient-generator", "dark")
    figure = page.locator("main img.wb-drawn").first

    def looks():
        paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
        return paper, figure.evaluate("image => getComputedStyle(image).filter").partition("(")[0]

    assert looks() == ("rgb(17, 17, 17)", "invert")
    page.get_by_role("button", name="Show the pages light").click()
    assert looks() == ("rgb(255, 255, 255)", "none")
    page.locator("a[rel=next]").click()
    page.wait_for_url(re.compile("03-"))
    assert looks() == ("rgb(255, 255, 255)", "none")
    page.evaluate("localStorage.clear()")


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("GIL", "GIL"),
        ("gil", "GIL"),
        ("noise floor", "noise floor"),
        ("cold start", "cold start"),
        ("from_generator slow", "One crossing for each row"),
        ("slow generator", "One crossing for each row"),
        ("why is from_generator so slow", "One crossing for each row"),
        ("all rows are the same", "A buffer that is filled again"),
        ("second epoch empty", "The second epoch is empty"),
        ("your input ran out of data", "The second epoch is empty"),
        ("prefech", "prefetch"),
        (
            "python is slow at numerical work",
            "from_generator is slow because Python is slow at numerical work.",
        ),
        ("noise flo", "noise floor"),
    ],
)
def test_what_a_reader_types_finds_a_word_a_trap_or_a_claim(opened, query, first):
    assert found(opened(), query)[0] == first


def test_a_function_is_found_where_it_is_explained(opened):
    page = opened()
    for query, title in {
        "padded_batch": "Rows of varying length",
        "num_workers": "Worker processes",
        "Parquet": "The same rows in Parquet and in CSV",
        "GPU idle": "stall",
    }.items():
        assert title in found(page, query), query


def test_every_claim_is_found_by_its_own_words_and_each_hit_leads_somewhere(opened, site):
    page = opened("claims")
    for claim in page.locator("h3").all_inner_texts():
        assert claim in found(page, claim)[:3]
    for link in page.evaluate("INDEX.docs.map(doc => doc[0])"):
        file, _, anchor = link.partition("#")
        assert not anchor or f'id="{anchor}"' in (site / file).read_text(encoding="utf-8")


def test_nothing_found_is_said(opened):
    page = opened()
    assert found(page, "zzzzzz") == []
    expect(page.get_by_role("status")).to_contain_text("Nothing here")


def test_keys_alone_reach_the_search_and_a_result(opened):
    page = opened("05-output-signature")
    page.keyboard.press("Tab")
    expect(page.locator(":focus")).to_have_text("Skip to the text")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    page.keyboard.press("/")
    page.keyboard.type("noise floor")
    expect(page.locator("#query")).to_have_value("noise floor")
    page.keyboard.press("ArrowDown")
    expect(page.locator(":focus b")).to_have_text("noise floor")
    outline = page.locator(":focus").evaluate("one => getComputedStyle(one).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("ArrowUp")
    expect(page.locator("#query")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#found")).to_be_hidden()
    expect(page.locator("#query")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#query")).to_have_value("")
    page.keyboard.press("/")
    page.keyboard.type("noise floor")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("glossary.html#noise-floor$"))
    expect(page.locator(":target")).to_be_in_viewport()


def test_the_search_itself_is_read_by_everybody(opened):
    for scheme in ("light", "dark"):
        page = opened("glossary", scheme)
        assert len(found(page, "prefetch")) > 5
        assert serious(page, "html") == []


def test_without_scripts_the_pages_can_still_be_read(site, chrome):
    page = chrome.browser.new_context(java_script_enabled=False).new_page()
    page.goto((site / "07-cross-less-often.html").as_uri())
    expect(page.locator("h1")).to_be_visible()
    expect(page.locator(".pages a").first).to_be_visible()
    expect(page.locator(".search")).to_be_hidden()
    page.context.close()
