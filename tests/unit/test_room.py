"""The room's numbers: what is shared, what is gathered, who is far from the rest, what is shown."""

import getpass
import json
import math
import os
import platform
import re
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner
from unit import rooms
from unit.fake_runs import MACHINE, make_run, measured, result

from helpers.claims import ConditionResult, Finding
from helpers.claims.expectation import CANNOT_RUN
from helpers.command import app
from helpers.command import room as command
from helpers.measure import save, this_machine
from helpers.measure.results import to_json
from helpers.reproduce import RESULTS, load_run, results_name, sharing
from helpers.reproduce.gathering import Folder, room_of
from helpers.reproduce.outliers import far_off
from helpers.reproduce.shared import Unusable, shared_from
from helpers.reproduce.sharing import share, shared_of
from helpers.reproduce.spreads import Tally
from helpers.show import RoomView
from helpers.show.room import build, picture

run = CliRunner().invoke


def _words(done):
    return " ".join(done.output.split())


def _plain(shared):
    return json.loads(json.dumps(to_json(shared)))


@pytest.fixture(scope="module")
def small():
    """What a run of two notebooks and five claims shares."""
    return _plain(shared_of(make_run()))


@pytest.fixture(scope="module")
def whole():
    """What the committed reference run shares: of schema 1, which is still read."""
    return _plain(shared_of(load_run(RESULTS / "amd-epyc-2-cores.json")))


def reasons(room):
    return {one.name: one.reason for one in room.left_out}


# What is shared


def test_a_run_is_shared_with_every_ratio_and_verdict():
    made = make_run()
    shared = shared_of(made)
    assert shared.verdicts == {id_: found.verdict for id_, found in made.claims.items()}
    arms = [
        (where, what, arm, measurement.ratio(arm))
        for where, what, measurement in made.comparisons()
        for arm in measurement.arms
        if arm != measurement.baseline
    ]
    assert [(one.where, one.what, one.arm, one.ratio) for one in shared.ratios] == arms
    assert shared_from(_plain(shared)) == shared


def _shared_text(made, tmp_path):
    path, _ = share(save(made, tmp_path / "own.json"), tmp_path / "room")
    return path, path.read_text(encoding="utf-8")


def test_nothing_personal_is_in_the_file_or_its_name(tmp_path):
    path, text = _shared_text(make_run(machine=this_machine()), tmp_path)
    for word in (platform.node(), getpass.getuser()):
        for place in (text, path.name):
            assert not re.search(rf"(?<!\w){re.escape(word)}(?!\w)", place, re.IGNORECASE), word
    assert str(Path.home()) not in text
    assert str(Path.cwd()) not in text
    assert set(json.loads(text)["record"]) == {
        "machine", "quick", "whole", "code", "verdicts", "ratios",
    }  # fmt: skip
    assert set(json.loads(text)["record"]["machine"]) == {
        "processor", "cores", "memory_gib", "system", "python", "versions",
    }  # fmt: skip


def test_what_names_a_path_a_user_or_a_host_stays_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(platform, "node", lambda: "desk-7.example.org")
    monkeypatch.setattr(getpass, "getuser", lambda: "maria")
    monkeypatch.setattr(Path, "home", lambda: Path("/export/people/maria"))
    personal = ["rows of Maria", "on desk-7", "/srv/data/rows.npy", "C:\\data\\x", "~/mine/rows"]
    kept = ["and/or", "marianne", "rows, 4/8"]
    claim = replace(
        result("x", "refuted"),
        conditions=(
            ConditionResult("once", finding=Finding(False, "no /export/people/maria/x.py")),
            ConditionResult("twice", missing="OSError: desk-7 has no port"),
        ),
    )
    measurements = {name: measured(2, names=("base", name)) for name in (*personal, *kept)}
    made = make_run(claims={"x": claim}, measurements=measurements)
    path, text = _shared_text(made, tmp_path)
    assert not re.search(r"maria\b|desk-7|example|/export|/srv|\\\\data|~", text, re.IGNORECASE)
    assert [one["arm"] for one in json.loads(text)["record"]["ratios"]] == kept
    assert json.loads(text)["record"]["verdicts"] == {"x": "refuted"}
    assert re.fullmatch(r"[a-z2-9]{6}-fake-cpu-9-2-cores\.json", path.name)


def test_two_files_of_one_machine_have_two_names(tmp_path):
    own = save(make_run(), tmp_path / "own.json")
    names = {share(own, tmp_path / "room")[0].name for _ in range(5)}
    assert len(names) == 5
    assert {path.name for path in (tmp_path / "room").iterdir()} == names


def test_the_newest_own_run_is_shared_and_none_of_another_machine(tmp_path, monkeypatch):
    monkeypatch.setattr(sharing, "RESULTS", tmp_path)
    with pytest.raises(ValueError, match=r"has no results of this machine: run `workbook reprod"):
        share(None, tmp_path / "room")
    here = this_machine()
    stem = results_name(here)
    other = replace(here, memory_gib=here.memory_gib + 1)
    first = save(make_run(machine=other), tmp_path / f"{stem}.json")
    with pytest.raises(ValueError, match="is of another machine, or of other versions"):
        share(None, tmp_path / "room")
    part = save(make_run(1, machine=here, selected=True), tmp_path / f"{stem}.part.json")
    assert not share(None, tmp_path / "room")[1].whole
    save(make_run(machine=here), first)
    os.utime(part, (1, 1))
    assert share(None, tmp_path / "room")[1].whole


def test_a_quick_run_is_shared_when_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(sharing, "RESULTS", tmp_path)
    here = this_machine()
    quick = make_run(quick=True, machine=here)
    path = save(quick, tmp_path / f"{results_name(here, quick=True)}.json")
    with pytest.raises(ValueError, match=r"has a quick run of this machine only.*give --quick"):
        share(None, tmp_path / "room")
    with pytest.raises(ValueError, match=r"is a quick run, whose numbers show nothing.*--quick"):
        share(path, tmp_path / "room")
    for results in (None, path, tmp_path):
        assert share(results, tmp_path / "room", quick=True)[1].quick


def test_the_command_shares_and_says_what_is_in_it(tmp_path):
    own = save(make_run(), tmp_path / "own.json")
    done = run(app, ["share", str(own), "--to", str(tmp_path / "room")])
    assert done.exit_code == 0, done.output
    (path,) = (tmp_path / "room").iterdir()
    assert path.name in done.output.replace("\n", "")
    assert "It holds 11 ratios, 5 verdicts" in _words(done)


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda path: path, "cannot be read"),
        (lambda path: save(make_run(quick=True), path), "is a quick run"),
        (lambda path: save(make_run().measurements["03-idle"], path), "holds a Measurement"),
        (lambda path: save(make_run(claims={}, measurements={}), path), "cannot be shared"),
    ],
)
def test_the_command_refuses_in_a_sentence(tmp_path, make, said):
    path = tmp_path / "own.json"
    make(path)
    done = run(app, ["share", str(path), "--to", str(tmp_path / "room")])
    assert done.exit_code == 1
    assert said in _words(done)
    assert "Traceback" not in done.output
    assert not (tmp_path / "room").exists()


# What is gathered


def test_two_hundred_files_some_unusable_and_one_machine_far_off(whole, tmp_path):
    rooms.fill(tmp_path, whole, 190)
    odd = {"cores": 64, "memory_gib": 512, "versions": {"tensorflow": "2.20.0"}}
    rooms.put(tmp_path, "odd.json", rooms.machine(whole, factor=3, seed=7, **odd))
    text = json.dumps(rooms.machine(whole, seed=900))
    for place in (1, 2, 3):
        rooms.put(tmp_path, f"cut{place}.json", text[: len(text) * place // 4])
    rooms.put(tmp_path, "words.json", "these are my results")
    rooms.put(tmp_path, "empty.json", "")
    rooms.put(tmp_path, "newer.json", {**whole, "schema": 99})
    rooms.put(tmp_path, "older.json", {**rooms.machine(whole, seed=901), "schema": 1})
    rooms.put(tmp_path, "twice.json", (tmp_path / "m004.json").read_text())
    rooms.put(tmp_path, "laid-out.json", json.dumps(rooms.machine(whole, seed=5), indent=2))
    start = time.process_time()
    room = Folder(tmp_path).gather()
    said, shown = str(room), room._repr_html_()
    assert time.process_time() - start < 30  # 2 s, had nobody else the machine
    assert len(room.shared) == 192
    assert "older" in room.names
    left = reasons(room)
    assert {name for name, reason in left.items() if "cut short" in reason} == {
        "cut1.json", "cut2.json", "cut3.json",
    }  # fmt: skip
    assert left["words.json"] == "it is not JSON."
    assert left["empty.json"] == "it is empty."
    assert "schema 99" in left["newer.json"]
    assert left["twice.json"] == "it has the same content as m004.json."
    assert left["m005.json"] == "it has the same content as laid-out.json."
    assert len(left) == 8
    (one,) = room.outliers
    assert room.names[one.place] == "odd"
    assert one.of == len(room.spreads) == len(whole["record"]["ratios"])
    assert len(one.far) > 0.98 * one.of
    assert 2.5 < one.factor < 3.5
    assert one.reasons == (
        "64 cores, where the others' median is 2",
        "512 GiB of memory, where the others' median is 24",
        "TensorFlow 2.20.0, which no other has",
    )
    for told in (said, shown):
        processor = whole["record"]["machine"]["processor"]
        assert f"odd, {processor}, 64 cores, TensorFlow 2.20.0: " in told
        assert "TensorFlow 2.20.0, which no other has" in told
        assert all(name in told for name in left)
    assert shown.count("<svg") == len(room.spreads)
    assert len(shown) < 1_000_000


def test_a_ratio_has_median_range_and_every_interval(small, tmp_path):
    for place, factor in enumerate((1, 2, 4)):
        made = json.loads(json.dumps(small))
        for ratio in made["record"]["ratios"]:
            ratio.update(value=factor, low=factor / 1.1, high=factor * 1.1)
        rooms.put(tmp_path, f"{place}.json", made)
    spread = Folder(tmp_path).gather().spreads[0]
    assert (spread.median, spread.low, spread.high) == (pytest.approx(2), 1, 4)
    assert [ratio.high for ratio in spread.ratios] == pytest.approx([1.1, 2.2, 4.4])
    assert spread.middle_half == (pytest.approx(math.sqrt(2)), pytest.approx(2 * math.sqrt(2)))


def test_verdicts_are_counted_and_the_machines_against_are_named(small, tmp_path):
    given = ["supported", "supported", "supported", "refuted", CANNOT_RUN, None]
    for place, verdict in enumerate(given):
        made = rooms.machine(small, seed=place)
        made["record"]["verdicts"] = {"x": verdict} if verdict else {"y": "refuted"}
        rooms.put(tmp_path, f"m{place}.json", made)
    room = Folder(tmp_path).gather()
    tally = room.tallies[0]
    assert tally.verdicts == tuple(given)
    assert tally.counts == {"supported": 3, "refuted": 1}
    assert (tally.majority, tally.share, tally.could_not) == ("supported", 0.75, 1)
    assert [room.names[place] for place in tally.against] == ["m3"]
    (line,) = [line for line in str(room).splitlines() if line.startswith("x ")]
    assert " ".join(line.split()) == (
        "x supported 75\u00a0% 3 supported, 1 refuted, 1 cannot run here m3"
    ).replace("\u00a0", " ")
    assert "On 1 of 2 claims all machines agree" in " ".join(room.sentences)


@pytest.mark.parametrize(
    ("verdicts", "majority"),
    [
        (("supported", "refuted"), None),
        (("supported", "refuted", "refuted"), "refuted"),
        ((CANNOT_RUN, None), None),
        (("inconclusive", "inconclusive", "supported"), "inconclusive"),
    ],
)
def test_a_room_that_is_split_has_no_verdict(verdicts, majority):
    tally = Tally("x", verdicts)
    assert tally.majority == majority
    assert (tally.share is None) is (majority is None)
    assert (tally.against == ()) is (majority is None)


def test_quick_runs_are_shown_until_a_full_one_is_there(small, tmp_path):
    quick = _plain(shared_of(make_run(quick=True)))
    rooms.put(tmp_path, "q.json", quick)
    room = Folder(tmp_path).gather()
    assert room.quick and "QUICK" in str(room) and "QUICK" in picture(room).alt + build(room)
    rooms.put(tmp_path, "full.json", small)
    room = Folder(tmp_path).gather()
    assert room.names == ("full",)
    assert reasons(room) == {"q.json": "it is a quick run, whose numbers show nothing."}


def test_a_whole_results_file_is_read_too_and_is_the_same_as_its_shared_one(tmp_path, small):
    save(make_run(), tmp_path / "whole.json")
    room = Folder(tmp_path).gather()
    assert _plain(room.shared[0]) == small
    rooms.put(tmp_path, "a.json", small)
    assert reasons(Folder(tmp_path).gather()) == {
        "whole.json": "it has the same content as a.json."
    }  # fmt: skip


def test_a_ratio_that_only_one_of_several_has_is_not_shown(small, tmp_path):
    made = rooms.machine(small, seed=1)
    made["record"]["ratios"][0]["arm"] = "something of my own"
    rooms.put(tmp_path, "a.json", made)
    assert "something of my own" in str(Folder(tmp_path).gather())
    rooms.put(tmp_path, "b.json", rooms.machine(small, seed=2))
    room = Folder(tmp_path).gather()
    assert "something of my own" not in str(room)
    assert len(room.spreads) == len(small["record"]["ratios"]) - 1


def test_a_file_is_read_again_only_when_it_has_changed(small, tmp_path):
    rooms.fill(tmp_path, small, 3)
    text = json.dumps(rooms.machine(small, seed=9))
    rooms.put(tmp_path, "slow.json", text[:500])
    (tmp_path / ".hidden.json").write_text("being written")
    (tmp_path / "room.html").write_text("<p>of this command")
    told, folder = [], Folder(tmp_path)

    def gathered():
        told.clear()
        return folder.gather(lambda name, share: told.append(name))

    first = gathered()
    assert told == ["m000.json", "m001.json", "m002.json", "slow.json"]
    assert list(reasons(first)) == ["slow.json"]
    assert gathered() is first and told == []
    rooms.put(tmp_path, "slow.json", text)
    second = gathered()
    assert told == ["slow.json"] and len(second.shared) == 4
    (tmp_path / "m000.json").unlink()
    assert len(gathered().shared) == 3


# What is hostile


def _with(base, path, value):
    made = json.loads(json.dumps(base))
    place = made
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return made


MACHINE_AT = ("record", "machine")
RATIO_AT = ("record", "ratios", 0)


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ((*RATIO_AT, "value"), math.nan, "none that can be measured"),
        ((*RATIO_AT, "high"), math.inf, "none that can be measured"),
        ((*RATIO_AT, "value"), 1e308, "none that can be measured"),
        ((*RATIO_AT, "value"), 10**400, "none that can be measured"),
        ((*RATIO_AT, "low"), 0, "none that can be measured"),
        ((*RATIO_AT, "low"), -1, "none that can be measured"),
        ((*RATIO_AT, "low"), 1e5, "contradicts itself"),
        ((*RATIO_AT, "rounds"), 0, "contradicts itself"),
        ((*RATIO_AT, "value"), "2", "has a str for a float"),
        ((*RATIO_AT, "value"), True, "has a bool for a float"),
        ((*RATIO_AT, "arm"), ["a"], "has a list for a str"),
        ((*RATIO_AT, "arm"), "a\x1b[2J", "cannot be printed"),
        ((*RATIO_AT, "arm"), "a\u202eb", "cannot be printed"),
        ((*RATIO_AT, "arm"), "a\ud800", "cannot be printed"),
        ((*RATIO_AT, "arm"), "a" * 10_000, "more than 300 letters"),
        ((*RATIO_AT, "user"), "me", "fields that there are not: user"),
        ((*MACHINE_AT, "cores"), 1e308, "has a float for a int"),
        ((*MACHINE_AT, "cores"), 10**30, "none of a machine"),
        ((*MACHINE_AT, "cores"), 0, "none of a machine"),
        ((*MACHINE_AT, "cores"), None, "has a NoneType for a int"),
        ((*MACHINE_AT, "processor"), "a\nb", "cannot be printed"),
        ((*MACHINE_AT, "versions"), [], "damaged"),
        ((*MACHINE_AT, "versions"), {"numpy": 2}, "has a int for a str"),
        (MACHINE_AT, "a machine", "damaged"),
        (("record", "quick"), "no", "has a str for a bool"),
        (("record", "verdicts"), {"x": "<b>yes"}, "a verdict that there is not"),
        (("record", "verdicts"), {"x": ["supported"]}, "has a list for a str"),
        (("record", "ratios"), {}, "neither"),
        (("record", "ratios"), None, "damaged"),
        (("record",), [], "damaged"),
        (("schema",), "2", "has schema 2"),
        (("schema",), [2], "has schema [2]"),
        (("kind",), ["Shared"], "holds a ['Shared'], not a run"),
        (("kind",), "Measurement", "holds a Measurement, not a run"),
        (("kind",), "Run", "damaged"),
    ],
)  # fmt: skip
def test_a_hostile_value_is_left_out_with_a_reason(small, tmp_path, path, value, said):
    made = _with(small, path, value)
    if value == {}:
        made["record"]["verdicts"] = {}
    rooms.put(tmp_path, "bad.json", made)
    rooms.put(tmp_path, "good.json", small)
    room = Folder(tmp_path).gather()
    assert room.names == ("good",)
    assert said in reasons(room)["bad.json"]
    assert "bad.json" in str(room) and "bad.json" in room._repr_html_()
    str(room).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 200_000, "nested too deeply"),
        ('{"schema":2,"kind":"Shared","record":' + "[" * 200_000 + "]" * 200_000 + "}", "nested"),
        ("[]", "not a results file"),
        ("3", "not a results file"),
        ("null", "not a results file"),
        ("nul", "not JSON"),
        ('{"schema": 2, "kind": "Shared"} {"more": 1}', "goes on after the end"),
        ('{"schema": 2, kind: 3, "a": 4}', "broken in line 1, column 15"),
        ('{"schema": 2, "kind": "Shared", "record": {"quick": "no"}}', "damaged"),
        ('{"schema": 2, "kind": "Shared"}', "damaged"),
        ("9" * 5000, "not JSON"),
        ('{"schema": ' + "9" * 5000 + "}", "its JSON is broken"),
    ],
)
def test_hostile_text_is_left_out_with_a_reason(tmp_path, text, said):
    rooms.put(tmp_path, "bad.json", text)
    (reason,) = reasons(Folder(tmp_path).gather()).values()
    assert said in reason
    assert len(reason) <= 300


def test_what_is_no_text_no_file_or_too_large_is_left_out(small, tmp_path, monkeypatch):
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "gone.json").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe.json")
    (tmp_path / "folder.json").mkdir()
    rooms.put(tmp_path, "notes.txt", "by hand")
    with open(tmp_path / "huge.json", "wb") as file:
        file.truncate(65 * 2**20)
    (tmp_path / "mark.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(small).encode())
    room = Folder(tmp_path).gather()
    assert room.names == ("mark",)
    assert {name: reason.split(":")[0] for name, reason in reasons(room).items()} == {
        "bytes.json": "it is not text in UTF-8.",
        "gone.json": "it cannot be read",
        "pipe.json": "it is not a file.",
        "notes.txt": "its name does not end in .json.",
        "huge.json": "it has more than 64 MB.",
    }


HTML = "<script>alert('x')</script>&\"' $\\frac{1$ [bold red]x[/]"


def test_html_in_a_name_is_escaped_everywhere(small, tmp_path):
    made = _with(small, (*MACHINE_AT, "processor"), HTML)
    made["record"]["verdicts"][HTML] = "refuted"
    for place, ratio in enumerate(made["record"]["ratios"]):
        ratio.update(arm=f"{HTML}{place}", baseline=f"${HTML}", where=HTML, what=HTML)
    for seed in range(3):
        rooms.put(tmp_path, f"a{seed}.json", rooms.machine(made, seed=seed))
    name = "_<b onload=x>\n\x1b[31m$a$.json"
    rooms.put(tmp_path, name, rooms.machine(made, seed=4, factor=9))
    rooms.put(tmp_path, "<i>.json", "no")
    room = Folder(tmp_path).gather()
    assert room.names[room.outliers[0].place] == "_<b onload=x>??[31m$a$"
    for shown in (room._repr_html_(), build(room), RoomView(tmp_path).saved()):
        assert "<script>alert" not in shown
        assert "<b onload" not in shown
        assert "<i>" not in shown
        assert "\x1b" not in shown
        assert "&lt;script&gt;" in shown and "&lt;i&gt;.json" in shown
    done = run(app, ["room", str(tmp_path), "--html", str(tmp_path / "x.html")])
    assert done.exit_code == 0, done.output
    assert "[bold red]x[/]" in done.output
    assert "\x1b[31m" not in done.output


# Who is far from the rest


def test_what_is_far_depends_on_how_much_the_machines_differ():
    logs = np.log([[1.0, 1.01, 0.99, 1.02, 0.98, 1.5], [1.0, 2.0, 0.5, 4.0, 0.25, 1.5]])
    found = far_off(logs, logs - 0.01, logs + 0.01)
    assert found.tolist() == [[False] * 5 + [True], [False] * 6]


def test_a_wide_interval_a_small_difference_and_two_machines_are_not_far():
    logs = np.log([[1.0, 1.0, 1.0, 1.0, 3.0]])
    assert far_off(logs, logs - 0.01, logs + 0.01)[0, 4]
    wide = np.array([[0.01, 0.01, 0.01, 0.01, 2.0]])
    assert not far_off(logs, logs - wide, logs + wide).any()
    noisy = np.full_like(logs, 1.0)
    assert not far_off(logs, logs - noisy, logs + noisy).any()
    small = np.log([[1.0, 1.0, 1.0, 1.0, 1.09]])
    assert not far_off(small, small, small).any()
    two = np.log([[1.0, np.nan, 3.0]])
    assert not far_off(two, two, two).any()


def test_one_ratio_by_chance_makes_no_outlier(small, tmp_path):
    rooms.fill(tmp_path, small, 12)
    made = rooms.machine(small, seed=99)
    made["record"]["ratios"][0].update(value=500, low=499, high=501)
    rooms.put(tmp_path, "x.json", made)
    room = Folder(tmp_path).gather()
    assert [room.names[place] for place in room.spreads[0].far] == ["x"]
    assert room.outliers == ()
    assert "No machine is far from the rest." in room.sentences


def _far(small, tmp_path, others, **changes):
    for seed, other in enumerate(others):
        rooms.put(tmp_path, f"m{seed:03}.json", rooms.machine(small, seed=seed, **other))
    rooms.put(tmp_path, "x.json", rooms.machine(small, factor=4, seed=999, **changes))
    room = Folder(tmp_path).gather()
    (one,) = (one for one in room.outliers if room.names[one.place] == "x")
    return one.reasons


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"cores": 1}, "1 core, where the others' median is 2"),
        ({"memory_gib": 2}, "2 GiB of memory, where the others' median is 8"),
        ({"processor": "Chip 1"}, "Chip 1, which no other has"),
        ({"system": "Darwin"}, "Darwin, which no other has"),
        ({"python": "3.12.1"}, "Python 3.12.1, which no other has"),
        ({"versions": {"numpy": "2.0.0"}}, "NumPy 2.0.0, which no other has"),
    ],
)
def test_what_sets_a_machine_apart_is_what_few_others_have(small, tmp_path, changes, reason):
    assert _far(small, tmp_path, [{}] * 20, **changes) == (reason,)


def test_what_is_different_on_every_machine_sets_none_apart(small, tmp_path):
    others = [{"processor": f"Chip {place}", "cores": 2 + place} for place in range(20)]
    assert _far(small, tmp_path, others, processor="Chip x", cores=12) == ()
    assert "nothing that its file tells" in str(Folder(tmp_path).gather())


def test_others_with_the_same_are_counted_and_the_outliers_among_them(small, tmp_path):
    others = [{}] * 28 + [{"python": "3.13.0"}, {"python": "3.13.0", "factor": 4}]
    assert _far(small, tmp_path, others, python="3.13.0") == (
        "Python 3.13.0, which 2 of 30 others have, 1 of them outliers too",
    )


def test_wide_intervals_and_other_code_are_told(small, tmp_path):
    made = _with(small, ("record", "code"), "ffffffffffff")
    for ratio in made["record"]["ratios"]:
        ratio.update(low=ratio["low"] / 1.5, high=ratio["high"] * 1.5)
    rooms.fill(tmp_path, small, 8)
    rooms.put(tmp_path, "x.json", rooms.machine(made, factor=9, seed=99))
    (one,) = Folder(tmp_path).gather().outliers
    assert one.reasons[0] == "another version of the measuring code, which no other has"
    assert re.fullmatch(r"intervals [\d.]+ times as wide as the room's: .+", one.reasons[1])
    assert "different versions of the measuring code" in str(Folder(tmp_path).gather())


# What is shown


def test_a_room_of_one_and_of_none(small, tmp_path):
    room = Folder(tmp_path).gather()
    assert str(room) == "No machine yet."
    assert "No machine yet." in build(room)
    rooms.put(tmp_path, "a.json", small)
    room = Folder(tmp_path).gather()
    assert "1 machine with 1 kind of processor." in str(room)
    assert "shows from 3 on" in str(room)
    assert build(room).count("<img") == 1


def test_a_room_of_verdicts_alone_has_no_figure(small, tmp_path):
    rooms.put(tmp_path, "a.json", _with(small, ("record", "ratios"), []))
    room = Folder(tmp_path).gather()
    assert "<img" not in build(room) and "claim-supported" in build(room)
    assert "claim-supported" in str(room)


def test_machines_without_a_ratio_in_common_are_told(small, tmp_path):
    for place in range(2):
        made = rooms.machine(small, seed=place)
        made["record"]["ratios"] = made["record"]["ratios"][place : place + 1]
        rooms.put(tmp_path, f"{place}.json", made)
    room = Folder(tmp_path).gather()
    assert room.spreads == ()
    assert "No two machines have a ratio in common." in str(room)
    assert "<img" not in build(room)


def test_every_machine_is_a_dot_and_the_outlier_is_marked_and_named(whole, tmp_path):
    rooms.fill(tmp_path, whole, 30)
    rooms.put(tmp_path, "odd.json", rooms.machine(whole, factor=3, seed=99))
    room = Folder(tmp_path).gather()
    drawn = picture(room, title="The room")
    (ax,) = drawn.figure.axes
    assert ax.get_xscale() == "log"
    assert len(ax.get_yticks()) == 12
    dots = [line for line in ax.lines if line.get_marker() == "o" and len(line.get_xdata())]
    assert [len(line.get_xdata()) for line in dots] == [30] * 12
    marks = [line for line in ax.lines if line.get_marker() == "D"]
    values = [spread.ratios[room.names.index("odd")].value for spread in room.by_spread()[:12]]
    assert [line.get_xdata()[0] for line in marks] == values
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["odd"]
    assert "Outliers that are marked: odd." in drawn.alt
    assert "The ratios of 31 machines" in drawn.alt


def test_many_outliers_are_told_by_number(small, tmp_path):
    rooms.fill(tmp_path, small, 20)
    for place in range(6):
        made = rooms.machine(small, factor=5 + place, seed=100 + place)
        rooms.put(tmp_path, f"x{place}.json", made)
    room = Folder(tmp_path).gather()
    assert len(room.outliers) == 6
    texts = picture(room).figure.axes[0].get_legend().get_texts()
    assert [text.get_text() for text in texts][-1] == "2 more far from the rest"


def test_the_page_needs_nothing_else_and_loads_itself_again_only_when_watched(small, tmp_path):
    rooms.fill(tmp_path, small, 3)
    room = Folder(tmp_path).gather()
    page = build(room)
    assert page.startswith("<!DOCTYPE html>")
    assert "<script" not in page and "http-equiv" not in page
    assert not re.search(r"(?:src|href)=\"(?!data:|#)", page)
    assert 'http-equiv="refresh"' in build(room, watched=True)


def test_the_view_looks_again_when_asked(small, tmp_path):
    view = RoomView(tmp_path / "room")
    assert "is not a folder" in view.saved() and view.room is None
    (tmp_path / "room").mkdir()
    view.refresh()
    assert "No file that can be used has arrived yet" in view.saved()
    rooms.fill(tmp_path / "room", small, 3)
    view._again.click()
    assert "3 machines" in view.saved() and "<img" in view.saved()
    assert repr(view).startswith("The room's numbers: 3 machines")


# The command


def test_the_command_prints_the_room_and_writes_the_page(small, tmp_path):
    folder = tmp_path / "room"
    folder.mkdir()
    rooms.fill(folder, small, 4)
    rooms.put(folder, "bad.json", "no")
    done = run(app, ["room", str(folder), "--html", str(tmp_path / "out" / "room.html")])
    assert done.exit_code == 0, done.output
    assert "4 machines with 1 kind of processor." in done.output
    assert "bad.json: it is not JSON." in done.output
    assert "Page:" in done.output
    assert "The room's numbers" in (tmp_path / "out" / "room.html").read_text()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda folder: None, "is not a folder"),
        (lambda folder: folder.write_text("x"), "is not a folder"),
        (lambda folder: folder.mkdir(), "no file in"),
        (lambda folder: (folder.mkdir(), rooms.put(folder, "a.json", "x")), "no file in"),
    ],
)
def test_without_a_folder_or_a_file_that_can_be_used_it_ends_with_2(tmp_path, make, said):
    make(tmp_path / "room")
    done = run(app, ["room", str(tmp_path / "room"), "--html", str(tmp_path / "x.html")])
    assert done.exit_code == 2
    assert said in _words(done)
    assert "Traceback" not in done.output
    assert not (tmp_path / "x.html").exists()


def test_a_page_that_cannot_be_written_is_one_sentence(small, tmp_path):
    rooms.fill(tmp_path, small, 1)
    (tmp_path / "file.html").write_text("in the way")
    done = run(app, ["room", str(tmp_path), "--html", str(tmp_path / "file.html" / "x.html")])
    assert done.exit_code == 2
    assert "cannot be written" in _words(done)


def test_a_watched_room_is_shown_again_as_files_arrive(small, tmp_path, monkeypatch):
    folder, page = tmp_path / "room", tmp_path / "room.html"
    folder.mkdir()
    seen = []

    def sleep(seconds):
        seen.append(page.read_text())
        assert seconds == command.LOOK_S
        if len(seen) == 1:
            rooms.fill(folder, small, 3)
        elif len(seen) == 3:
            folder.rename(tmp_path / "away")
        elif len(seen) == 5:
            (tmp_path / "away").rename(folder)
            rooms.put(folder, "new.json", rooms.machine(small, seed=9))
        elif len(seen) == 6:
            raise KeyboardInterrupt

    monkeypatch.setattr(command.time, "sleep", sleep)
    done = run(app, ["room", str(folder), "--watch", "--html", str(page)])
    assert done.exit_code == 130, done.output
    assert "No machine yet." in seen[0] and 'http-equiv="refresh"' in seen[0]
    assert "3 machines" in seen[1] and seen[1] == seen[2] == seen[4]
    assert done.output.count("3 machines with") == 1
    assert _words(done).count("is not a folder") == 1
    assert "4 machines" in page.read_text() and "http-equiv" not in page.read_text()
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_room_needs_no_tensorflow(small, tmp_path):
    (tmp_path / "room").mkdir()
    rooms.fill(tmp_path / "room", small, 3)
    code = (
        "import sys\n"
        "from typer.testing import CliRunner\n"
        "from helpers.command import app\n"
        f"done = CliRunner().invoke(app, ['room', {str(tmp_path / 'room')!r}, '--html', "
        f"{str(tmp_path / 'x.html')!r}])\n"
        "assert done.exit_code == 0, done.output\n"
        "from helpers.show import RoomView\n"
        f"assert RoomView({str(tmp_path / 'room')!r}).room\n"
        "assert 'tensorflow' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    assert (tmp_path / "x.html").exists()


def test_what_the_faces_of_both_rooms_promise_is_there():
    import helpers.reproduce
    import helpers.show

    for face in (helpers.reproduce, helpers.show):
        assert all(getattr(face, name) is not None for name in face.__all__)
        with pytest.raises(AttributeError, match="nothing"):
            face.nothing  # noqa: B018


def test_files_named_alike_are_told_apart(small):
    shared = [shared_from(rooms.machine(small, seed=seed)) for seed in range(3)]
    long = "x" * 100
    room = room_of(dict(zip(("a\n.json", "a\t.json", f"{long}.json"), shared, strict=True)))
    assert room.names == ("a?", "a? (2)", "x" * 59 + "…")
    assert room.shared[0].machine == MACHINE
    assert Unusable.__mro__[1] is ValueError
