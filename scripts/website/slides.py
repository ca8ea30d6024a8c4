"""A notebook's page, divided into slides: a column for each section, from question to take-away."""

from __future__ import annotations

import html
from collections.abc import Set

from bs4 import BeautifulSoup, Tag

from .page import Page

LEADS = frozenset({"measurement", "prediction", "take away", "why", "your turn"})
"""Words in bold that begin a slide of their own."""


def divided(page: Page, decks: Set[str]) -> list[list[str]]:
    """Returns a notebook's slides, as HTML: one column for each section, each from top to bottom.

    Prose keeps the order of the notebook. A figure has a slide to itself; what asks or shows
    something stands without the code that made it, other code before what it prints.

    Args:
        page: Of a notebook.
        decks: Addresses that there are; what leads elsewhere within the site is no link here.
    """
    columns: list[list[list[Tag]]] = []
    soup = BeautifulSoup(page.body, "html.parser")
    for link in soup.find_all("a", href=True):
        address = link["href"].partition("#")[0]
        if not address.startswith("http") and address not in decks:
            link.unwrap()
    for cell in soup.find_all(attrs={"data-cell": True}):
        if "code" in cell["class"]:
            columns[-1] += [slide for slide in [_of_code(cell)] if slide]
            continue
        for part in cell.find_all(recursive=False):
            if part.name in ("h1", "h2"):
                columns.append([[]])
            elif _lead(part) in LEADS or part.name == "table":
                columns[-1].append([])
            columns[-1][-1].append(part)
    return [_written(column) for column in columns]


def _of_code(cell: Tag) -> list[Tag]:
    shown = cell.select_one(".output")
    asks = shown is not None and (shown.find("img") or shown.select_one(".wb-saved"))
    return [part for part in (None if asks else cell.select_one(".input"), shown) if part]


def _lead(part: Tag) -> str:
    first = part.find("strong")
    if part.name != "p" or first is None or part.contents[0] is not first:
        return ""
    return first.get_text().strip().rstrip(".").lower()


def _written(column: list[list[Tag]]) -> list[str]:
    """A column's slides as HTML; each after the first says which section it belongs to."""
    heading = column[0][0].get_text()
    slides = ["".join(map(str, slide)) for slide in column if slide]
    return [
        slide if not number else f'<p class="of">{html.escape(heading)}</p>{slide}'
        for number, slide in enumerate(slides)
    ]
