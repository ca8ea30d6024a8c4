import json
import os

import pytest
from unit.fakes import FakeMachine

from helpers.measure import Settings, compare, load, save, this_machine
from helpers.measure.results import SCHEMA, to_json


@pytest.fixture
def measured():
    machine = FakeMachine()
    arms = [machine.arm("a", 10), machine.arm("b <i>", 20)]
    settings = Settings(min_rounds=3, max_rounds=3)
    return compare(arms, title="A & B", settings=settings, clock=machine.clock)


def test_a_measurement_survives_the_journey_through_a_file(measured, tmp_path):
    path = save(measured, tmp_path / "new" / "m.json")
    assert load(path) == measured
    assert [entry.name for entry in path.parent.iterdir()] == ["m.json"]


def test_a_file_carries_no_host_user_or_path(measured, tmp_path):
    text = save(measured, tmp_path / "m.json").read_text()
    for secret in (os.uname().nodename, str(tmp_path), os.path.expanduser("~")):
        assert secret not in text


def _damaged(measured, change):
    data = to_json(measured)
    change(data)
    return json.dumps(data)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data.update(schema=SCHEMA + 1), f"has schema {SCHEMA + 1}"),
        (lambda data: data.update(kind="Unheard"), "holds a Unheard"),
        (lambda data: data["record"].pop("trials"), "is damaged"),
        (lambda data: data["record"].update(surplus=1), "is damaged"),
        (lambda data: data.pop("kind"), "is not a results file"),
    ],
)
def test_odd_files_are_refused_in_a_sentence(measured, tmp_path, change, said):
    path = tmp_path / "m.json"
    path.write_text(_damaged(measured, change))
    with pytest.raises(ValueError, match=said):
        load(path)


def test_truncated_and_missing_files_are_refused_in_a_sentence(measured, tmp_path):
    path = save(measured, tmp_path / "m.json")
    path.write_text(path.read_text()[:-20])
    with pytest.raises(ValueError, match="not whole JSON"):
        load(path)
    with pytest.raises(ValueError, match="cannot be read"):
        load(tmp_path / "none.json")


def test_an_unwritable_folder_is_one_sentence_and_the_old_file_stays(measured, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ValueError, match="cannot be written"):
        save(measured, tmp_path / "file" / "m.json")
    assert (tmp_path / "file").read_text() == "in the way"


def test_a_failed_write_leaves_what_was_there(measured, tmp_path, monkeypatch):
    path = save(measured, tmp_path / "m.json")
    before = path.read_text()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ValueError, match="No space left"):
        save(measured, path)
    assert path.read_text() == before
    assert len(list(tmp_path.iterdir())) == 1


def test_only_records_are_saved(tmp_path):
    with pytest.raises(TypeError, match="a dict is not a record"):
        save({}, tmp_path / "m.json")


def test_text_and_html_name_what_ran_it(measured):
    for text in (str(measured), measured._repr_html_()):
        assert this_machine().line in text
        assert "3 rounds, intervals within this run, full run" in text
    assert "b &lt;i&gt;" in measured._repr_html_()
    assert "A &amp; B" in measured._repr_html_()


def test_rows_hold_numbers(measured):
    rows = measured.rows()
    assert [row["arm"] for row in rows] == ["a", "b <i>"]
    assert rows[1]["ratio"] == pytest.approx(0.5)
    assert rows[1]["verdict"] == "slower"
    with pytest.raises(ValueError, match="there is no arm 'c' here; there are a, b"):
        measured.trials_of("c")


def test_quick_mode_is_printed_and_ignores_the_full_settings(monkeypatch):
    monkeypatch.setenv("WORKBOOK_QUICK", "1")
    settings = Settings.default(max_rounds=500, seed=3)
    assert (settings.quick, settings.max_rounds, settings.seed) == (True, 3, 3)
    machine = FakeMachine()
    assert "QUICK" in str(compare([machine.arm("a", 1)], clock=machine.clock))


@pytest.mark.parametrize(
    "odd",
    [
        {"precision": 0},
        {"budget_s": 0},
        {"min_rounds": 1},
        {"min_rounds": 9, "max_rounds": 8},
        {"warmup_rounds": -1},
    ],
)
def test_odd_settings_are_refused(odd):
    with pytest.raises(ValueError, match=next(iter(odd))):
        Settings(**odd)
