"""The report in a real Chromium: opened as a file, read at 1200 px, light and dark, printed."""

import re

import pytest
from unit.fake_runs import claim_of, make_run, measured, result

from helpers.claims import ledger
from helpers.show import report

pytestmark = pytest.mark.browser
LONG = "a generator that " + "sleeps, makes random numbers, converts them and " * 2 + "yields"


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A report with a claim of every verdict, long names, and a second run."""
    run = make_run(
        claims={
            **make_run().claims,
            **{f"claim-{index}": result(f"claim-{index}", "depends") for index in range(8)},
        },
        measurements={
            **make_run().measurements,
            "03-long": measured(1e-3, 0.5, names=("a", LONG, "b" * 40), title=LONG),
        },
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger, "CLAIMS", tuple(map(claim_of, run.claims)))
        path = tmp_path_factory.mktemp("report") / "report.html"
        path.write_text(report.build(run, make_run(seed=50)), encoding="utf-8")
    return path


@pytest.fixture(params=["light", "dark"])
def opened(request, chrome, file):
    """The page in either colour scheme; errors and requests beyond the file fail the test."""
    page = chrome.new_page()
    page.set_viewport_size({"width": 1200, "height": 900})
    page.emulate_media(color_scheme=request.param)
    wrong = []
    page.on("console", lambda message: wrong.append(message.text))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("requestfailed", lambda asked: wrong.append(asked.url))
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(file.as_uri())
    yield page
    assert wrong == []
    assert asked == [file.as_uri()], "the report asks for nothing but itself"
    page.close()


def _width(page):
    return page.evaluate("document.documentElement.scrollWidth")


def test_it_reads_at_1200_pixels_without_scrolling_sideways(opened):
    assert opened.title() == "Reproduction report: Fake <CPU> 9"
    assert _width(opened) <= 1200
    outside = opened.evaluate(
        """() => [...document.querySelectorAll("th, td, h4, p, svg")].filter(one => {
            const box = one.getBoundingClientRect();
            return box.width && (box.left < 0 || box.right > innerWidth);
        }).map(one => one.outerHTML.slice(0, 80))"""
    )
    assert outside == []


def test_a_count_leads_to_its_claims(opened):
    opened.get_by_role("link", name="1 refuted").click()
    heading = opened.get_by_role("heading", name="Refuted No condition")
    heading.wait_for()
    assert heading.evaluate("one => one.getBoundingClientRect().top") < 100


def test_a_claim_in_the_table_leads_to_its_evidence(opened):
    statement = claim_of("claim-refuted").statement
    opened.get_by_role("link", name=statement).click()
    article = opened.locator("article:target")
    assert article.get_by_role("heading", name=statement).is_visible()
    assert article.get_by_text("Refuted: it does not hold").is_visible()
    assert article.locator("svg.interval").count() == 1


def test_words_and_badges_stand_out_from_the_paper(opened):
    """Contrast of at least 4.5 to 1, as WCAG asks for text."""
    pairs = opened.evaluate(
        """() => [...document.querySelectorAll("p, td, th, small, a, .badge, dt, h3")].map(one =>
            [getComputedStyle(one).color, getComputedStyle(document.body).backgroundColor])"""
    )
    for ink, paper in {tuple(pair) for pair in pairs}:
        assert _contrast(ink, paper) >= 4.5, (ink, paper)


def _contrast(one, other):
    bright, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def _luminance(colour):
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def test_on_paper_it_is_dark_on_white_and_fits_the_page(opened):
    opened.emulate_media(media="print")
    opened.set_viewport_size({"width": 695, "height": 1000})  # an A4 page between its margins
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") in (
        "rgb(255, 255, 255)",
        "rgba(0, 0, 0, 0)",
    )
    assert _width(opened) <= 695
    pdf = opened.pdf(prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", pdf)) <= 20
