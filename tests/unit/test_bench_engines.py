"""The benchmark of the engines: each row once, whole records, its proof in words, sentences."""

import dataclasses
import json
import re

import pytest
from typer.testing import CliRunner

from helpers.bench import engine_kills, engines
from helpers.bench.engines_results import EnginesBench, Kills, Paid, Rate
from helpers.command.bench import bench_app
from helpers.measure import load, this_machine, times
from helpers.measure.results import from_json, to_json
from helpers.reproduce import RESULTS

NOTEBOOK = RESULTS.parent / "notebooks" / "13-beyond-one-machine.ipynb"
TEXT = "\n".join("".join(cell["source"]) for cell in json.loads(NOTEBOOK.read_text())["cells"])

MADE = EnginesBench(
    machine=this_machine(),
    quick=False,
    versions={"Ray": "2.60"},
    up_s=(6.1, 7.3),
    compared={},
    rates=(
        Rate("waits", 1, 20.0, 20.0, 19.0),
        Rate("waits", 4, 80.0, 78.0, 76.0),
        Rate("computes", 2, 30.0, 36.0, 33.0),
    ),
    paid=Paid(9.0, 4, 5),
    kills=(Kills("a route", 17, 17, 6800, 0, 2),),
    missing={"ray": "Ray is not installed; `make cluster` adds it"},
    interrupted=False,
)


def test_the_proof_says_what_was_reached_and_what_was_missed():
    said = {row[0]: row[1:] for row in MADE.rows()}
    assert said["cluster of two workers up"] == ("< 15 s", "7.3 s at most")
    assert said["4 workers, work that waits"][1].startswith("-3\u00a0% off")
    assert said["2 workers, work that computes"][1].startswith("20\u00a0% off")
    assert said["writing pays after"] == ("as predicted", "5 epochs, predicted 4")
    assert said["17 kills: a route"][1] == "0 lost, 2 doubled of 6800"
    assert "1 workers, work that waits" not in said
    assert "Ray 2.60" in MADE.provenance and "QUICK" not in MADE.provenance


def test_it_comes_back_from_json():
    assert from_json(to_json(MADE)) == MADE


def test_rows_that_are_lost_or_come_twice_are_counted():
    all_ = [*range(engine_kills.SHARDS * engine_kills.ROWS)]
    seen = engine_kills.Counter(all_ + all_)
    assert dataclasses.astuple(engine_kills._counted("r", 3, 2, seen))[3:] == (800, 0, 0)
    seen[5] -= 1
    seen[7] += 2
    assert dataclasses.astuple(engine_kills._counted("r", 3, 2, seen))[3:] == (800, 1, 2)


def test_ways_that_differ_end_the_run():
    numbers = engines.tf.data.Dataset.range(4).batch(2)
    engines._check({"all": numbers}, 4)
    with pytest.raises(ValueError, match="'less' does not give each of 4 rows once"):
        engines._check({"all": numbers, "less": numbers.take(1)}, 4)


def test_a_step_is_shown_and_written(tmp_path):
    file = tmp_path / "engines.json"
    command = ["engines", "--only", "stored", "--quick", "--json", str(file)]
    done = CliRunner().invoke(bench_app, command)
    assert done.exit_code == 0, done.output
    for word in ("rows of 40 KB read back", "writing pays after", "QUICK"):
        assert word in done.output
    found = load(file)
    assert found.compared["stored"].arms == ("from_tensor_slices", "stored", "a generator")
    assert found.paid is not None and not found.kills


def test_what_is_not_there_is_one_sentence(monkeypatch):
    done = CliRunner().invoke(bench_app, ["engines", "--only", "flights", "--quick"])
    assert done.exit_code == 1
    assert "there is no step 'flights'; there are up, native," in done.output
    monkeypatch.setattr(engine_kills, "find_spec", lambda name: None)
    assert "make cluster" in engine_kills.kill(engine_kills.ROUTES[2], 1)


@pytest.mark.faults
def test_a_dispatcher_that_is_killed_loses_and_doubles_nothing():
    found = engine_kills.kill(engine_kills.ROUTES[0], 1)
    assert (found.killed, found.rows, found.lost, found.doubled) == (1, 400, 0, 0)


@pytest.mark.faults
def test_writing_that_is_killed_loses_and_doubles_nothing():
    found = engine_kills.kill(engine_kills.ROUTES[1], 1)
    assert (found.killed, found.lost, found.doubled) == (1, 0, 0)


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.engines.json")), ids=lambda path: path.name)
def test_a_committed_run_is_whole_and_lost_no_row(path):
    bench = load(path)
    assert not bench.quick and not bench.interrupted
    assert sum(kills.killed for kills in bench.kills) >= 50
    assert not any(kills.lost or kills.doubled for kills in bench.kills)
    assert set(bench.compared) == {"native", "hosted", "stored", "ray"}
    found = re.search(r"at (\S+ \[.*?\]) of one generator; in all of (\d+) random kills", TEXT)
    ratio = bench.ratio("ray", "Ray")
    assert found[1] == f"{times(ratio.value)} [{times(ratio.low)}, {times(ratio.high)}]"
    assert int(found[2]) == sum(kills.killed for kills in bench.kills)
    assert all(abs(rate.error) <= 0.1 for rate in bench.rates)
