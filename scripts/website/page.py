"""A page: what a notebook or a document says as HTML, with its sections and where it links to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import nbformat
from bs4 import BeautifulSoup, NavigableString, Tag
from nbconvert import HTMLExporter

TEMPLATES = Path(__file__).parent / "templates"


class SiteError(ValueError):
    """Something in the sources that a reader of the pages would stumble over, in one sentence."""


_NONE = "No description has been provided for this image"
"""What nbconvert writes where there is no alt text: to a reader, as good as none."""


@dataclass
class Section:
    """What stands between one heading and the next: what a search can find.

    Attributes:
        anchor: Of its heading.
        title: Its heading.
        level: 1 to 3.
        text: Its prose.
        also: What else a reader may type to find it.
        code: Its code, and the words of its figures.
    """

    anchor: str
    title: str
    level: int
    text: str = ""
    also: str = ""
    code: str = ""


@dataclass
class Page:
    """A page of the site.

    Attributes:
        name: Of its file, without the ending.
        title: What it is called in lists.
        body: Its HTML, without anything around it.
        kind: What its sections are to a search: "section", "word", "trap", "claim", "guide" or
            "start".
        sections: In order; the first is the page's own.
        source: The file that it is made of, which messages name.
        links: The addresses within the site that it links to.
        anchors: What can be linked to on it.
    """

    name: str
    title: str
    body: str
    kind: str
    sections: list[Section]
    source: str
    links: set[str] = field(default_factory=set)
    anchors: set[str] = field(default_factory=set)

    @property
    def address(self) -> str:
        """Its file."""
        return f"{self.name}.html"


def slug(heading: str) -> str:
    """The anchor of a heading; JupyterLab's own (`Why?`, `A-b`) gives the same once more."""
    return re.sub(r"[^\w]+", "-", heading.lower()).strip("-") or "section"


def of_notebook(path: Path, words: Mapping[str, str] = {}) -> Page:
    """Makes a page of a notebook as it is stored; nothing is run.

    Args:
        path: The notebook.
        words: Addresses of words in the glossary; the first mention of each becomes a link.

    Raises:
        SiteError: If a figure says nothing to those who do not see it, or a cell ended in an error.
    """
    book = nbformat.read(path, as_version=4)
    return _page(path, "section", _exported(book), words)


def of_document(path: Path, kind: str) -> Page:
    """Makes a page of a Markdown file.

    Args:
        path: The file.
        kind: What its sections are to a search.
    """
    cell = nbformat.v4.new_markdown_cell(path.read_text(encoding="utf-8"))
    return _page(path, kind, _exported(nbformat.v4.new_notebook(cells=[cell])))


def of_html(name: str, source: str, kind: str, body: str) -> Page:
    """Makes a page of HTML.

    Args:
        name: Of its file, without the ending.
        source: What messages name.
        kind: What its sections are to a search.
        body: The HTML.
    """
    return _page(Path(name), kind, body, source=source)


def _exported(book: nbformat.NotebookNode) -> str:
    exporter = HTMLExporter(
        template_name="workbook",
        extra_template_basedirs=[str(TEMPLATES)],
        exclude_anchor_links=True,
    )
    body, _ = exporter.from_notebook_node(book)
    return body


def _page(
    path: Path, kind: str, body: str, words: Mapping[str, str] = {}, source: str = ""
) -> Page:
    soup = BeautifulSoup(body, "html.parser")
    source = source or path.name
    _check_figures(soup, source)
    _check_errors(soup, source)
    sections = _sections(soup, path.stem)
    _link_words(soup, words)
    links = set(_relink(soup, path.stem))
    _frame_what_is_wide(soup)
    _mark_leads(soup)
    anchors = {tag["id"] for tag in soup.find_all(id=True)}
    return Page(path.stem, sections[0].title, str(soup), kind, sections, source, links, anchors)


def _where(tag: Tag, source: str) -> str:
    cell = tag.find_parent(attrs={"data-cell": True})
    return f"{source}, cell {cell['data-cell']}" if cell else source


def _check_figures(soup: BeautifulSoup, source: str) -> None:
    for figure in soup.find_all(["img", "svg"]):
        decorative = figure.get("aria-hidden") == "true"
        said = figure.get("alt") or figure.get("aria-label")
        if figure.name == "svg" and figure.find("title", recursive=False):
            said = figure.find("title", recursive=False).get_text()
        if not decorative and (said or "").strip() in ("", _NONE):
            raise SiteError(
                f"{_where(figure, source)}: a figure has no alt text; draw it with "
                "helpers.show.figure, which writes one, or give it one."
            )
        if figure.name == "svg" and not decorative:
            figure["role"] = "img"


def _check_errors(soup: BeautifulSoup, source: str) -> None:
    for pre in soup.select(".output pre"):
        if pre.get_text().startswith("Traceback (most recent call last)"):
            raise SiteError(f"{_where(pre, source)}: the stored run ended in an error.")


def _sections(soup: BeautifulSoup, name: str) -> list[Section]:
    """Gives each heading of the prose its anchor, and gathers what stands under it."""
    sections: list[Section] = []
    taken = {"content", "query", "found"}  # what the page around it names
    for cell in soup.find_all(attrs={"data-cell": True}) or [soup]:
        prose = "code" not in (cell.get("class") or [])
        for part in cell.find_all(recursive=False) if prose else [cell]:
            if prose and part.name in ("h1", "h2", "h3"):
                title = part.get_text().strip()
                anchor = part.get("id") if "data-own" in part.attrs else slug(title)
                while anchor in taken:
                    anchor += "-again"
                taken.add(anchor)
                part["id"] = anchor
                sections.append(Section(anchor, title, int(part.name[1])))
            elif not sections:
                continue
            elif prose:
                _add_prose(sections[-1], part)
            else:
                _add_code(sections[-1], part)
    if not sections:
        raise SiteError(f"{name} has no heading to be called by.")
    return sections


def _add_prose(section: Section, part: Tag) -> None:
    text = " ".join(part.get_text(" ").split())
    text = re.sub(r" ([,.;:?!)])", r"\1", text).replace("( ", "(")
    if text.startswith("Also: "):
        section.also += f" {text.removeprefix('Also: ')}"
        part["class"] = "also"
    else:
        section.text = f"{section.text} {text}".strip()


def _add_code(section: Section, part: Tag) -> None:
    words = [code.get_text(" ") for code in part.select(".input")]
    words += [image["alt"] for image in part.find_all("img")]
    section.code += " " + " ".join(" ".join(words).split())


def _link_words(soup: BeautifulSoup, words: Mapping[str, str]) -> None:
    """Makes a link of the first mention of each word in the prose, an emphasised one if any."""
    places = list(_prose(soup)) if words else []
    for word, address in words.items():
        mention = re.compile(rf"(?<![\w`.-]){re.escape(word)}(?:e?s)?(?![\w-])", re.IGNORECASE)
        met = [text for text in places if mention.search(text)]
        if not met:
            continue
        text = next((each for each in met if each.parent.name == "em"), met[0])
        found = mention.search(text)
        link = soup.new_tag("a", href=address, attrs={"class": "word"})
        link.string = found.group()
        before = NavigableString(text[: found.start()])
        after = NavigableString(text[found.end() :])
        at = next(n for n, each in enumerate(places) if each is text)  # not one that says the same
        places[at : at + 1] = [before, after]  # the link itself is done with
        text.replace_with(before, link, after)


def _prose(soup: BeautifulSoup) -> Iterator[NavigableString]:
    for block in soup.select(".cell.markdown > p"):
        for text in block.find_all(string=True):
            if not {parent.name for parent in text.parents} & {"a", "code", "kbd"}:
                yield text


def _relink(soup: BeautifulSoup, name: str) -> Iterator[str]:
    """Has links to notebooks and documents lead to their pages; yields those within the site."""
    for link in soup.find_all("a", href=True):
        href = link["href"]
        if re.match(r"[a-z]+:", href):
            link["rel"] = "noreferrer"
            continue
        file, _, fragment = href.partition("#")
        file = re.sub(r"^(?:\./|\.\./)*(?:notebooks/|docs/)?(?:instructor/)?", "", file)
        file = re.sub(r"\.(?:ipynb|md)$", ".html", file) or f"{name}.html"
        link["href"] = file + (f"#{slug(unquote(fragment))}" if fragment else "")
        yield link["href"]


def _frame_what_is_wide(soup: BeautifulSoup) -> None:
    """Lets what is wider than a small screen scroll by itself, and not the page."""
    for wide in soup.find_all(["table", "img"]):
        if wide.find_parent(class_="wb-board"):
            continue  # it has a form of its own for narrow columns
        kind = "Table" if wide.name == "table" else "Figure"
        wide.wrap(soup.new_tag("div", attrs={"class": "scroll", "data-kind": kind}))


def _mark_leads(soup: BeautifulSoup) -> None:
    """Marks the paragraphs that begin with a bold word that every notebook uses."""
    for block in soup.select(".cell.markdown > p"):
        first = block.find("strong")
        if first is not None and block.contents[0] is first:
            lead = first.get_text().strip().rstrip(".").lower()
            if lead in ("question", "take away"):
                block["class"] = lead.replace(" ", "-")


def check_links(pages: Sequence[Page]) -> None:
    """Sees that every link within the site leads somewhere.

    Raises:
        SiteError: Naming the file and the link, if one does not.
    """
    there = {page.address for page in pages} | {
        f"{page.address}#{anchor}" for page in pages for anchor in page.anchors
    }
    for page in pages:
        for link in sorted(page.links - there):
            raise SiteError(f"{page.source} links to {link}, which is not there.")
