"""The notebooks as they are committed: short cells, full runs, and nothing of who ran them."""

import getpass
import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from helpers.exercises import EXERCISES
from helpers.reproduce.digest import READER

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
PATHS = sorted(FOLDER.glob("*.ipynb"))

LONGEST = 15
"""Lines of a code cell."""

CHECKED = "nbval-check-output"
"""The tag of cells whose output nbval compares; a comment would stand in the reader's way."""

PATH = re.compile(
    r"""(?<![\w.:/])/(?:home|root|Users|work|tmp|var|opt|mnt|usr|private)/\w  # Unix
    | \b[A-Za-z]:(?:\\|/)(?![/\\])\w                                         # Windows
    | \b(?:site|dist)-packages\b
    | <ipython-input | \bipykernel_\d """,
    re.VERBOSE,
)
HOST = re.compile(r"\b(?:ip-\d+-\d+-\d+-\d+|\d+\.\d+\.\d+\.\d+:\d+|localhost:\d+)\b")
INLINE = re.compile(r"base64,[A-Za-z0-9+/=\s]+")


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def book(request):
    """Every notebook, one after the other."""
    return nbformat.read(request.param, as_version=nbformat.NO_CONVERT)


def code(book) -> list:
    return [cell for cell in book.cells if cell.cell_type == "code"]


def outputs(book) -> Iterator:
    for cell in code(book):
        yield from cell.outputs


def texts(book) -> Iterator[str]:
    """All that a notebook says, the bytes of pictures left out."""
    for cell in book.cells:
        yield cell.source
    yield json.dumps(book.metadata)
    for output in outputs(book):
        if output.output_type == "stream":
            yield output.text
        for kind, data in output.get("data", {}).items():
            if kind != "image/png":
                yield INLINE.sub("", data if isinstance(data, str) else json.dumps(data))


def test_there_are_notebooks():
    assert FOLDER / "00-start-here.ipynb" in PATHS


def test_the_format_is_right(book):
    nbformat.validate(book)
    ids = [cell.id for cell in book.cells]
    assert len(set(ids)) == len(ids)
    assert book.metadata.kernelspec.name == "python3"


def test_no_code_cell_is_long(book):
    long = [cell.source for cell in code(book) if len(cell.source.splitlines()) > LONGEST]
    assert long == []


def test_there_is_at_least_as_much_text_as_code(book):
    text = [cell for cell in book.cells if cell.cell_type == "markdown"]
    assert _words(text) >= _words(code(book))


def _words(cells) -> int:
    return sum(len(cell.source.split()) for cell in cells)


def test_no_widget_is_stored(book):
    assert "widgets" not in book.metadata
    kinds = {kind for output in outputs(book) for kind in output.get("data", {})}
    assert not [kind for kind in kinds if "widget" in kind]


def test_nothing_went_wrong_in_the_stored_run(book):
    wrong = [
        output
        for output in outputs(book)
        if output.output_type == "error" or output.get("name") == "stderr"
    ]
    assert wrong == []


def test_nothing_tells_where_or_by_whom_it_was_run(book):
    who = {socket.gethostname(), socket.gethostname().partition(".")[0], getpass.getuser()}
    names = [re.escape(name) for name in who if len(name) > 4 and name != "localhost"]
    own = re.compile(rf"\b(?:{'|'.join(names)})\b" if names else "(?!)")
    for text in texts(book):
        for pattern in (PATH, HOST, own):
            found = pattern.search(text)
            assert not found, text[max(0, found.start() - 60) : found.end() + 60]
    assert set(book.metadata) <= {"kernelspec", "language_info"}
    assert "version" not in book.metadata.get("language_info", {})


def test_it_was_run_from_top_to_bottom_in_full(book):
    counts = [cell.execution_count for cell in code(book)]
    assert counts == list(range(1, len(counts) + 1)), "run `make refresh`"
    assert not [text for text in texts(book) if "QUICK run" in text]


def test_checked_cells_have_something_to_check(book):
    # nbval compares nothing in a cell without a count, and nothing with an output never stored.
    checked = [cell for cell in code(book) if CHECKED in cell.metadata.get("tags", [])]
    for cell in checked:
        assert cell.execution_count is not None, cell.source
        assert cell.outputs, cell.source


def test_nothing_in_a_cell_is_for_the_tests(book):
    assert not [cell.source for cell in book.cells if "NBVAL" in cell.source]


def test_pictures_say_what_they_show(book):
    for output in outputs(book):
        data = output.get("data", {})
        assert not {"image/png", "image/jpeg", "image/svg+xml"} & set(data)  # no alt text there
        for tag in re.findall(r"<img\b[^>]*>", data.get("text/html", "")):
            alt = re.search(r'\balt="([^"]*)"', tag)
            assert alt, tag[-200:]
            assert alt[1].strip(), tag[-200:]


def test_links_between_notebooks_lead_somewhere(book):
    named = re.findall(r"\]\(([^)#:\s]+\.ipynb)\)", "\n".join(cell.source for cell in book.cells))
    assert [name for name in named if not (FOLDER / name).is_file()] == []


@pytest.mark.parametrize(
    "text",
    [
        "File /home/ann/x.py",
        "'/root/book'",
        "/tmp/ipykernel_12/3.py",
        r"C:\Users\ann",
        "lib/python3.11/site-packages/tensorflow",
        "/private/var/folders/x",
    ],
)
def test_a_path_of_a_machine_is_seen(text):
    assert PATH.search(text)


@pytest.mark.parametrize(
    "text",
    ["https://example.org/home/x", "batch/s 3/4", "examples/tmp/x", "a: b", "from_generator_op.py"],
)
def test_what_is_no_path_is_left_alone(text):
    assert not PATH.search(text)


def _minutes() -> dict[str, int]:
    """The reading minutes of each notebook, as the map of 00 states them, by its file's name."""
    start = next(path for path in PATHS if path.name.startswith("00"))
    text = "\n".join(cell.source for cell in nbformat.read(start, as_version=4).cells)
    rows = re.findall(r"^\| (?:\*\*|\[)(\d\d)[^|]*\|[^|]*\| (\d+) \|$", text, re.MULTILINE)
    return {number: int(minutes) for number, minutes in rows}


def test_it_opens_with_what_it_is_for_and_ends_with_what_to_keep(book):
    cells = book.cells
    number = re.match(r"# (\d\d) |# Start here", cells[0].source)[1] or "00"
    opening = cells[1].source
    assert re.match(r"- \*\*Questions\.\*\* .*\?\n- \*\*Afterwards you can\*\* .*\.\n", opening)
    takes = re.search(r"\*\*Takes\*\* (\d+) minutes\. \*\*Before it:\*\* .*\.$", opening)
    assert takes is not None and int(takes[1]) == _minutes()[number]
    ends = [cell.source for cell in cells if cell.source.startswith("## Key points")]
    assert len(ends) == 1 and 3 <= ends[0].count("\n- ") <= 4
    assert any(cell.source is ends[0] for cell in cells[-2:])


def _shows_progress(name: str) -> str:
    """The cell that shows what the reader predicted and solved, by the number of a notebook."""
    return f'from helpers.show import progress\n\nprogress({name and repr(name)})'.replace("'", '"')


def test_before_its_key_points_it_shows_what_was_predicted_and_solved(book):
    number = re.match(r"# (\d\d) |# Start here", book.cells[0].source)[1] or ""
    ends = next(place for place, cell in enumerate(book.cells) if cell.id == "key-points")
    assert book.cells[ends - 1].source == _shows_progress(number)
    assert [output.output_type for output in book.cells[ends - 1].outputs] == ["execute_result"]
    assert "Nothing is kept yet" in book.cells[ends - 1].outputs[0].data["text/html"]
    if number:  # the start page had its cell before there was a tag, and was measured with it
        assert READER in book.cells[ends - 1].metadata.tags


def test_a_cell_that_no_digest_knows_measures_nothing(book):
    about_reader = [cell for cell in book.cells if READER in cell.metadata.get("tags", [])]
    numbers = [path.stem[:2] for path in PATHS]
    may = {*map(_shows_progress, numbers), *(one.cell() for one in EXERCISES.values())}
    assert [cell.source for cell in about_reader if cell.source not in may] == []


def test_the_ways_in_add_up():
    start = next(path for path in PATHS if path.name.startswith("00"))
    text = "\n".join(cell.source for cell in nbformat.read(start, as_version=4).cells)
    minutes = _minutes()
    ways = re.findall(r"^\| .*(?:this notebook|this one).*\|.*$", text, re.MULTILINE)
    assert len(ways) == 2
    for line in ways:
        named = ["00", *re.findall(r"\[(\d\d) ", line)]
        hours, rest = divmod(sum(minutes[number] for number in named), 60)
        assert line.endswith(f"| {hours} h {rest} min |" if hours else f"| {rest} min |")
    hours, rest = divmod(sum(minutes.values()), 60)
    assert f"| the map below, from top to bottom | {hours} h {rest} min |" in text
