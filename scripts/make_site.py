"""Build the pages to read without running: notebooks as they are stored, into site/.

    python scripts/make_site.py [FOLDER]

Nothing is run and nothing is measured. The pages need no server, no network and no other file than
those beside them: open site/index.html. `make site` calls this.
"""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import jinja2
import nbformat

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts")]

from website import claims, page, search  # noqa: E402
from website.folder import emptied  # noqa: E402

HERE = ROOT / "scripts" / "website"
NOTEBOOKS, DOCS = ROOT / "notebooks", ROOT / "docs"

AMBIGUOUS = {
    *("batch", "data set", "example", "source", "control", "round", "interval", "alias", "ratio"),
    "X-ray",
}
"""Words of the glossary that notebooks use in other senses too, or on every line."""

GUIDES = "guide", "room"
"""Documents for instructors."""

INDEX = "search-index.js"
"""Whatever folder has it is a site, and may be built anew."""


def build(folder: Path) -> list[page.Page]:
    """Builds the site into a folder, which is emptied first.

    Raises:
        SiteError: In a sentence, if a figure has no words, a link leads nowhere, or the folder
            holds something else than a site.
    """
    emptied(folder, INDEX, "a site")
    listing = claims.Listing(ROOT)
    try:
        pages = _pages(listing)
    finally:
        listing.end()
    asked = the_map()
    for number, one in enumerate(pages):
        html = _template("page.html.j2").render(
            page=one,
            pages=pages,
            labels={other.name: label(other, asked) for other in pages},
            before=pages[number - 1] if number else None,
            after=pages[number + 1] if number + 1 < len(pages) else None,
            contents=[section for section in one.sections[1:] if section.level == 2],
            stored=one.kind == "section",
        )
        (folder / one.address).write_text(html, encoding="utf-8")
    (folder / INDEX).write_text(search.script(pages), encoding="utf-8")
    for name in ("site.css", "site.js"):
        shutil.copyfile(HERE / name, folder / name)
    # The drawing follows the button of the page, and not the system's theme by itself.
    drawn = (DOCS / "ladder.svg").read_text(encoding="utf-8")
    drawn = re.sub(r" *<style>@media \(prefers-color-scheme: dark\).*?</style>\n", "", drawn)
    (folder / "ladder.svg").write_text(drawn, encoding="utf-8")
    return pages


def _pages(listing: claims.Listing) -> list[page.Page]:
    glossary = page.of_document(DOCS / "glossary.md", "word")
    words = {
        section.title: f"{glossary.address}#{section.anchor}"
        for section in glossary.sections
        if section.level == 3 and section.title not in AMBIGUOUS
    }
    notebooks = [page.of_notebook(path, words) for path in sorted(NOTEBOOKS.glob("*.ipynb"))]
    traps = page.of_document(DOCS / "traps.md", "trap")
    tried = listing.result()
    scoreboard = _claims(tried)
    start = _start(notebooks, the_map(), tried["claims"])
    guides = [page.of_document(DOCS / "instructor" / f"{name}.md", "guide") for name in GUIDES]
    pages = [start, *notebooks, scoreboard, traps, glossary, *guides]
    page.check_links(pages)
    return pages


def _template(name: str) -> jinja2.Template:
    loader = jinja2.FileSystemLoader(HERE / "templates")
    return jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True
    ).get_template(name)


def _claims(tried: dict) -> page.Page:
    body = _template("claims.html.j2").render(
        groups=claims.by_notebook(tried["claims"]),
        counts=claims.counts(tried["claims"]),
        run=tried["run"],
        number=len(tried["claims"]),
    )
    return page.of_html("claims", "the list of claims", "claim", body)


def _start(
    notebooks: Sequence[page.Page], asked: Mapping[str, Entry], found: Sequence[dict]
) -> page.Page:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    ladder = re.search(r"!\[(.*)\]\(docs/ladder\.svg\)", readme)
    body = _template("start.html.j2").render(
        notebooks=[(one, asked.get(one.name)) for one in notebooks],
        minutes=sum(each.minutes for each in asked.values()),
        ladder=ladder.group(1) if ladder else "",
        counts=claims.counts(list(found)),
        number=len(found),
    )
    return page.of_html("index", "the start page", "start", body)


class Entry(NamedTuple):
    """A notebook as notebook 00 lists it.

    Attributes:
        label: Its number and name.
        question: What it answers.
        minutes: How long it takes to read.
    """

    label: str
    question: str
    minutes: int


def the_map() -> dict[str, Entry]:
    """The notebooks by name, as the map in notebook 00 has them."""
    names = {path.stem[:2]: path.stem for path in NOTEBOOKS.glob("*.ipynb")}
    book = nbformat.read(NOTEBOOKS / f"{names['00']}.ipynb", as_version=4)
    row = re.compile(r"^\| *[*[]*(\d\d [^|*\]]*)[^|]*\| *([^|]+?) *\| *(\d+) *\|$", re.MULTILINE)
    return {
        names[label[:2]]: Entry(label, question.replace("`", ""), int(minutes))
        for cell in book.cells
        if cell.cell_type == "markdown"
        for label, question, minutes in row.findall(cell.source)
        if label[:2] in names
    }


def label(one: page.Page, asked: Mapping[str, Entry]) -> str:
    """What a page is called in the list of pages."""
    if one.kind == "start":
        return "Start"
    if one.kind == "section":
        return asked[one.name].label if one.name in asked else one.name.replace("-", " ")
    return one.title


def main(arguments: Sequence[str]) -> int:
    folder = Path(arguments[0]) if arguments else ROOT / "site"
    start = time.monotonic()
    try:
        pages = build(folder)
    except page.SiteError as error:
        print(f"No site: {error}", file=sys.stderr)
        return 1
    size = sum(path.stat().st_size for path in folder.iterdir()) / 1e6
    print(
        f"{len(pages)} pages, {size:.1f} MB, in {time.monotonic() - start:.0f} s. "
        f"Open {folder / 'index.html'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
