"""How a notebook's page becomes slides."""

import make_slides
import pytest
from website import page, slides


def of(*cells):
    """The slides of a page of cells, each "markdown" or "code" with its HTML."""
    body = "".join(
        f'<div class="cell {kind}" data-cell="{number}">{html}</div>'
        for number, (kind, html) in enumerate(cells, 1)
    )
    made = page.of_html("05-some", "05-some.ipynb", "section", body)
    return slides.divided(made, {"06-other.html"})


CODE = '<div class="input"><pre>x = 1</pre></div>'


def test_a_section_is_a_column_and_what_leads_in_bold_begins_a_slide():
    made = of(
        ("markdown", "<h1>05 Some</h1><p>Why read it.</p>"),
        ("markdown", "<h2>First & last</h2><p><strong>Question.</strong> What?</p>"),
        ("markdown", "<p><strong>Why.</strong> So.</p><p>More.</p>"),
        ("markdown", "<p><strong>Take away.</strong> That.</p>"),
    )
    assert [len(column) for column in made] == [1, 3]
    assert "<h2" in made[1][0] and "Question" in made[1][0]
    assert made[1][1].startswith('<p class="of">First &amp; last</p>')
    assert "So." in made[1][1] and "More." in made[1][1] and "That." in made[1][2]


def test_a_figure_stands_without_its_code_and_code_before_what_it_prints():
    figure = '<div class="output"><img alt="words that say it" src="data:,"></div>'
    printed = '<div class="output"><pre>3</pre></div>'
    asked = '<div class="output"><div class="wb-saved"><p>Which?</p></div></div>'
    made = of(
        ("markdown", "<h1>05 Some</h1>"),
        ("code", CODE + figure),
        ("code", CODE + printed),
        ("code", CODE + asked),
        ("code", CODE),
    )[0]
    assert ["x = 1" in slide for slide in made] == [False, False, True, False, True]
    assert "<img" in made[1] and "<pre>3</pre>" in made[2] and "Which?" in made[3]


def test_links_lead_to_other_decks_or_out():
    made = of(
        (
            "markdown",
            '<h1>05 Some</h1><p><a href="06-other.html">six</a> <a href="glossary.html#a">word</a>'
            ' <a href="https://example.org">far</a></p>',
        )
    )[0][0]
    assert made.count("<a ") == 2 and "word" in made and "glossary" not in made


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").touch()
    with pytest.raises(page.SiteError, match="something else than slides"):
        make_slides.build(tmp_path)
    assert make_slides.main([str(tmp_path)]) == 1
