import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from helpers.measure import mine


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(mine, "_here", {})
    monkeypatch.setenv(mine.FOLDER, str(tmp_path / "mine"))
    return tmp_path / "mine"


def test_what_was_kept_is_read_again_and_none_forgets_it(folder):
    mine.keep("predictions", "How much?", "half")
    mine.keep("predictions", "How many?", [1, 2])
    mine.keep("runs", "1", {"code": "x"})
    assert mine.read("predictions") == {"How much?": "half", "How many?": [1, 2]}
    assert json.loads((folder / "runs.json").read_text(encoding="utf-8")) == {"1": {"code": "x"}}
    mine.keep("predictions", "How much?", None)
    assert mine.read("predictions") == {"How many?": [1, 2]}


def test_writers_at_once_lose_nothing():
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: mine.keep("runs", str(number), number), range(40)))
    assert sorted(mine.read("runs").values()) == list(range(40))


@pytest.mark.parametrize("text", ["{", "[1]", "", '"x"'])
def test_a_damaged_file_is_as_good_as_none_and_is_replaced(folder, text):
    folder.mkdir()
    (folder / "runs.json").write_text(text, encoding="utf-8")
    assert mine.read("runs") == {}
    mine.keep("runs", "1", "a")
    assert mine.read("runs") == {"1": "a"}


def test_without_a_folder_it_is_kept_as_long_as_the_kernel_lives(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(mine.FOLDER, "")
    mine.keep("runs", "1", "a")
    assert mine.read("runs") == {"1": "a"}
    assert not list(tmp_path.iterdir())


def test_where_the_folder_cannot_be_made_nothing_is_lost_or_raised(folder):
    folder.write_text("a file in its place", encoding="utf-8")
    mine.keep("runs", "1", "a")
    assert mine.read("runs") == {"1": "a"}
