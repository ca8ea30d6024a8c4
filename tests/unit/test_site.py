"""The pages to read without running: what becomes of a notebook, and what a search finds first."""

import json
from pathlib import Path

import make_site
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from website import claims, page, search

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def book(tmp_path):
    """Writes a notebook of Markdown, and of pairs of code and HTML; returns its path."""

    def write(*cells, name="05-some.ipynb"):
        made = [
            new_markdown_cell(cell)
            if isinstance(cell, str)
            else new_code_cell(
                cell[0], outputs=[new_output("display_data", {"text/html": cell[1]})]
            )
            for cell in cells
        ]
        nbformat.write(new_notebook(cells=made), tmp_path / name)
        return tmp_path / name

    return write


# ------------------------------------------------------------------------------ pages


@pytest.mark.parametrize("figure", ["<img src='data:,'>", "<img alt=' ' src='data:,'>", "<svg/>"])
def test_a_figure_without_words_is_refused_with_its_place(book, figure):
    path = book("# Title", "text", ("draw()", f"<p>{figure}</p>"))
    with pytest.raises(page.SiteError, match=r"05-some\.ipynb, cell 3: a figure has no alt text"):
        page.of_notebook(path)


@pytest.mark.parametrize(
    "figure",
    [
        "<img alt='words' src='data:,'>",
        "<svg aria-label='words'></svg>",
        "<svg><title>words</title></svg>",
        "<svg aria-hidden='true'></svg>",
    ],
)
def test_a_figure_with_words_passes(book, figure):
    assert "cell code" in page.of_notebook(book("# Title", ("draw()", figure))).body


def test_a_figure_in_markdown_needs_words_too(book):
    with pytest.raises(page.SiteError, match="cell 2"):
        page.of_notebook(book("# Title", "![](picture.png)"))


def test_a_stored_error_is_refused(book):
    path = book("# Title", ("fail()", "<pre>Traceback (most recent call last)\n…</pre>"))
    with pytest.raises(page.SiteError, match="cell 2: the stored run ended in an error"):
        page.of_notebook(path)


def test_nothing_is_fetched_from_elsewhere(book):
    body = page.of_notebook(book("# Title\n\n$x$", ("code()", "<p>out</p>"))).body
    assert "script" not in body and "http" not in body


def test_sections_have_anchors_and_their_own_text(book):
    made = page.of_notebook(
        book("# Title\n\nfirst", "## Why?\n\nreason", ("some_code()", "<p>told</p>"), "## Why?")
    )
    assert made.title == "Title"
    assert [(one.anchor, one.text) for one in made.sections] == [
        ("title", "first"), ("why", "reason"), ("why-again", ""),
    ]  # fmt: skip
    assert "some_code" in made.sections[1].code and "told" not in made.sections[1].code
    assert 'id="why-again"' in made.body


def test_links_lead_to_pages(book):
    text = "# T\n\n[a](02-x.ipynb#Why?-So) [b](../docs/traps.md) [c](#A-µ) [d](https://e.org)"
    made = page.of_notebook(book(text))
    assert made.links == {"02-x.html#why-so", "traps.html", "05-some.html#a-µ"}
    assert 'href="https://e.org"' in made.body


def test_a_link_that_leads_nowhere_is_refused(book):
    made = page.of_notebook(book("# Title\n\n[there](02-x.ipynb)"))
    with pytest.raises(page.SiteError, match=r"05-some\.ipynb links to 02-x\.html"):
        page.check_links([made])
    other = page.of_notebook(book("# Other", name="02-x.ipynb"))
    page.check_links([made, other])


def test_the_first_mention_of_a_word_is_linked_and_an_emphasised_one_before_others(book):
    text = "# Chunk\n\n`chunk` and chunks, then *chunks* and a chunk.\n\nChunky."
    body = page.of_notebook(book(text), {"chunk": "glossary.html#chunk"}).body
    assert body.count("glossary.html#chunk") == 1
    assert '<em><a class="word" href="glossary.html#chunk">chunks</a></em>' in body


def test_a_word_is_not_linked_within_a_link_or_another_word(book):
    text = "# T\n\n[chunk](02-x.ipynb) and chunky and sub-chunk"
    assert "glossary" not in page.of_notebook(book(text), {"chunk": "glossary.html#chunk"}).body


# ------------------------------------------------------------------------------ search


def docs(index, word):
    """The titles that a word leads to, best first."""
    flat = index["words"].get(word, [])
    pairs = sorted(zip(flat[::2], flat[1::2], strict=True), key=lambda pair: -pair[1])
    return [index["docs"][number][2] for number, _ in pairs]


def paged(name, kind, *sections):
    return page.Page(name, name, "", kind, [page.Section("top", name, 1), *sections], name)


def test_a_heading_says_more_than_text_and_text_more_than_code():
    index = search.index(
        [
            paged(
                "page",
                "section",
                page.Section("c", "third", 2, "other", code="lease lease lease"),
                page.Section("b", "second", 2, "the lease ends"),
                page.Section("a", "The lease", 2, "other"),
            )
        ]
    )
    assert docs(index, "lease") == ["The lease", "second", "third"]


def test_a_rare_word_says_more_than_a_common_one():
    sections = [page.Section(str(n), f"n{n}", 2, f"common {n}") for n in range(9)]
    sections.append(page.Section("r", "here", 2, "common rare"))
    words = search.index([paged("page", "section", *sections)])["words"]
    assert max(words["rare"][1::2]) > max(words["common"][1::2])


def test_what_a_reader_would_type_leads_to_the_word(book):
    path = book("# Glossary", name="glossary.ipynb")
    path.write_text("# Glossary\n\n### GIL\n\nA lock.\n\n*Also:* interpreter lock, threads.\n")
    made = page.of_document(path, "word")
    assert made.sections[1].also.strip() == "interpreter lock, threads."
    index = search.index([made])
    assert docs(index, "threads") == ["GIL"]
    assert index["docs"][1][:2] == ["glossary.html#gil", "word"]


def test_names_are_found_whole_and_by_their_parts():
    found = list(search.tokens("tf.data.Dataset.from_generator, and the GIL"))
    assert {"from_generator", "generator", "dataset", "tf", "gil"} <= set(found)
    assert not {"from", "and", "the"} & set(found)


def test_the_script_is_an_assignment_of_json():
    text = search.script([paged("page", "section")])
    assert json.loads(text.removeprefix("window.INDEX=").rstrip(";\n"))["docs"]


# ------------------------------------------------------------------------------ claims and folder


def test_claims_are_counted_and_grouped():
    rows = [
        {"notebook": "02", "verdict": "refuted"},
        {"notebook": "01", "verdict": "depends"},
        {"notebook": "02", "verdict": None},
    ]
    assert claims.counts(rows) == {"refuted": 1, "depends": 1, "not measured yet": 1}
    assert [(name, len(group)) for name, group in claims.by_notebook(rows)] == [
        ("01", 1),
        ("02", 2),
    ]


def test_claims_that_cannot_be_listed_are_said(tmp_path):
    (tmp_path / "helpers.py").write_text("raise ImportError('no such thing')")
    with pytest.raises(page.SiteError, match="claims cannot be listed: ImportError: no such thing"):
        claims.Listing(tmp_path).result()


def test_a_folder_with_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("precious")
    with pytest.raises(page.SiteError, match="something else than a site"):
        make_site.build(tmp_path)
    assert (tmp_path / "mine.txt").read_text() == "precious"


def test_the_map_has_every_notebook():
    names = {path.stem for path in make_site.NOTEBOOKS.glob("*.ipynb")}
    entries = make_site.the_map()
    assert set(entries) == names
    assert entries["04-tf-constant-generator"].label == "04 tf.constant generator"


# ------------------------------------------------------------------------------ the documents


@pytest.mark.parametrize("name", ["glossary", "traps"])
def test_every_entry_says_something_links_to_a_notebook_and_has_other_words(name):
    made = page.of_document(ROOT / "docs" / f"{name}.md", "word")
    entries = [section for section in made.sections if section.level == 3]
    assert len(entries) > 20
    for entry in entries:
        assert 30 < len(entry.text) < 500, entry.title
        assert entry.also, entry.title
    assert len({entry.title for entry in entries}) == len(entries)


def test_the_glossary_has_the_words_of_the_design():
    made = page.of_document(ROOT / "docs" / "glossary.md", "word")
    assert {
        "element", "example", "crossing", "chunk", "arm", "trial", "round", "cold start",
        "steady state", "drain", "consumer", "stall", "noise floor", "claim", "verdict",
    } <= {section.title for section in made.sections}  # fmt: skip
