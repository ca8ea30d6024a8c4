"""The slides, opened from the disk: every one fits the screen, and nothing is asked of anybody."""

import make_slides
import pytest
from browser.test_axe import serious

pytestmark = pytest.mark.browser

DECKS = sorted(path.stem for path in (make_slides.ROOT / "notebooks").glob("*.ipynb"))


@pytest.fixture(scope="module")
def decks(tmp_path_factory):
    """All decks, built once."""
    folder = tmp_path_factory.mktemp("decks") / "slides"
    make_slides.build(folder)
    return folder


@pytest.fixture
def opened(decks, from_disk):
    """Opens a deck from the disk."""
    page = from_disk(decks)
    page.set_viewport_size({"width": 1280, "height": 720})

    def open_(name):
        page.goto((decks / f"{name}.html").as_uri())
        return page

    return open_


@pytest.mark.parametrize("name", DECKS)
def test_every_slide_of_a_deck_fits_the_screen(opened, name):
    page = opened(name)
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    count = page.evaluate("Reveal.getTotalSlides()")
    assert count >= 10
    seen, cut = set(), []
    while True:
        where = page.evaluate("JSON.stringify(Reveal.getIndices())")
        assert where not in seen
        seen.add(where)
        room = page.evaluate(
            """() => {
              const one = Reveal.getCurrentSlide().querySelector(".fit");
              const [box, whole] = [one.getBoundingClientRect(), document.body.clientHeight];
              return [box.bottom - innerHeight, box.right - innerWidth, one.innerText.trim().length
                + one.querySelectorAll("img").length];
            }"""
        )
        if room[0] > 1 or room[1] > 1 or room[2] == 0:
            cut.append((where, room))
        if page.evaluate("Reveal.isLastSlide()"):
            break
        page.keyboard.press("Space")
    assert cut == []
    assert len(seen) == count


def test_a_deck_is_read_by_everybody_and_the_list_leads_to_each(opened):
    page = opened(DECKS[0])
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    assert serious(page, "section.present .fit") == []
    page = opened("index")
    addresses = page.locator("main a").evaluate_all("all => all.map(one => one.href)")
    assert [address.rpartition("/")[2] for address in addresses] == [f"{n}.html" for n in DECKS]
