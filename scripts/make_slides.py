"""Build slides of all notebooks as they are stored, into slides/.

    python scripts/make_slides.py [FOLDER]

Nothing is run. They need no server, no network and no other file than those beside them: open
slides/index.html. `make slides` calls this.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import jinja2

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "scripts")]

from website import page, slides  # noqa: E402
from website.folder import emptied  # noqa: E402

HERE = ROOT / "scripts" / "website"
REVEAL = "reveal.js", "reveal.css"


def build(folder: Path) -> list[page.Page]:
    """Builds a deck of each notebook into a folder, which is emptied first.

    Raises:
        SiteError: In a sentence, if a figure has no words, or the folder holds something else.
    """
    emptied(folder, "slides.js", "slides")
    loader = jinja2.FileSystemLoader(HERE / "templates")
    templates = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
    decks = [page.of_notebook(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    there = {deck.address for deck in decks}
    for deck in decks:
        html = templates.get_template("slides.html.j2").render(
            page=deck, columns=slides.divided(deck, there)
        )
        (folder / deck.address).write_text(html, encoding="utf-8")
    index = templates.get_template("decks.html.j2").render(decks=decks)
    (folder / "index.html").write_text(index, encoding="utf-8")
    for name in ("slides.css", "slides.js"):
        shutil.copyfile(HERE / name, folder / name)
    for name in REVEAL:
        shutil.copyfile(HERE / "reveal" / name, folder / name)
    return decks


def main(arguments: Sequence[str]) -> int:
    folder = Path(arguments[0]) if arguments else ROOT / "slides"
    try:
        decks = build(folder)
    except page.SiteError as error:
        print(f"No slides: {error}", file=sys.stderr)
        return 1
    print(f"{len(decks)} decks. Open {folder / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
