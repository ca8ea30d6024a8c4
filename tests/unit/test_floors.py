"""The house: each room on its floor, imports that run down, no circle, a figure of just that."""

import re

import draw_house
import house
import pytest

from helpers.reproduce import digest

LEVELS = house.levels(house.floors())
IMPORTS = house.imports()


@pytest.fixture
def fake(tmp_path):
    """Writes a package `helpers` of a few files, and returns what imports what in it."""

    def write(files):
        for name, source in {"__init__.py": "", **files}.items():
            path = tmp_path / "helpers" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)
        return house.imports(tmp_path / "helpers")

    return write


def test_every_room_has_its_floor_and_no_room_two():
    named = [room for floor in house.floors() for room in floor.rooms]
    assert len(set(named)) == len(named)
    assert {house.room(file) for file in IMPORTS} - {"__init__"} <= set(named), (
        "see CONTRIBUTING.md"
    )


def test_nothing_loose_stands_at_the_top():
    assert {path.name for path in house.HELPERS.iterdir() if path.is_file()} == {
        "__init__.py", "__main__.py", "quiet.py", "replay.py",
    }  # fmt: skip


@pytest.mark.parametrize("file", IMPORTS)
def test_imports_run_down_the_floors(file):
    room = house.room(file)
    for other in {house.room(other) for other in IMPORTS[file]} - {room, "__init__"}:
        assert LEVELS[other] < LEVELS[room], f"{file} imports {other}"


def test_the_package_itself_imports_nothing():
    assert not IMPORTS["helpers"]


@pytest.mark.parametrize("found", [IMPORTS, house.between_rooms(IMPORTS)], ids=["files", "rooms"])
def test_no_circle(found):
    assert not house.circle(found)


@pytest.mark.parametrize(
    "back",
    [
        "from .one import thing",
        "from . import one",
        "from helpers.room import one",
        "import helpers.room.one",
        "def f():\n    from .one import thing",
        "if TYPE_CHECKING:\n    from .one import thing",
    ],
)
def test_a_circle_of_files_is_found_however_it_is_written(fake, back):
    found = fake({"room/one.py": "from .two import thing", "room/two.py": back})
    assert set(house.circle(found)) == {"helpers.room.one", "helpers.room.two"}


def test_a_file_that_imports_its_own_rooms_face_is_a_circle(fake):
    found = fake(
        {"room/__init__.py": "from .one import a", "room/one.py": "from helpers.room import b"}
    )
    assert set(house.circle(found)) == {"helpers.room", "helpers.room.one"}


def test_rooms_are_told_apart_and_the_package_is_none(fake):
    found = fake({"high/a.py": "from helpers import low, __version__", "low/__init__.py": ""})
    assert found["helpers.high.a"] == {"helpers.low", "helpers"}
    assert house.between_rooms(found)["high"] == {"low"}


def test_what_a_number_depends_on_is_all_that_lies_up_to_the_claims():
    measuring = {room for room, level in LEVELS.items() if level <= LEVELS["claims"]}
    assert {name.removesuffix(".py") for name in digest.MEASURING} == measuring


def test_what_measures_arithmetic_needs_no_tensorflow():
    for name in (
        "statistics",
        "results",
        "measurement",
        "settings",
        "machine",
        "timing",
        "selfcheck",
    ):
        source = (house.HELPERS / "measure" / f"{name}.py").read_text(encoding="utf-8")
        assert "quiet" not in source
        assert "import tensorflow" not in source


def test_the_figure_of_the_house_is_what_the_code_has():
    assert draw_house.SVG.read_text(encoding="utf-8") == draw_house.svg(), "run `make house`"


def test_an_arrow_that_follows_from_others_is_not_drawn():
    assert draw_house.needed({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == {
        "a": {"b"}, "b": {"c"}, "c": set(),
    }  # fmt: skip


def test_the_page_on_the_house_names_files_that_are_there():
    text = (house.ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w/]+/\w+\.\w+)`", text))
    assert len(named) > 20
    places = (house.HELPERS, house.ROOT)
    assert not {path for path in named if not any((place / path).exists() for place in places)}
