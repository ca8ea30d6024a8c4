"""The benchmark over real sources: equal content in all arms, sentences, files that go."""

import dataclasses
import tempfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from helpers.bench import running
from helpers.bench.arms import GENERATOR, NotOffered
from helpers.bench.source_ways import LOOPS, SOURCES
from helpers.command.bench import bench_app
from helpers.measure import load, save
from helpers.reproduce import RESULTS

PEERS = ("torch", "Grain", "HF", "Keras")


@pytest.mark.parametrize("name", SOURCES)
def test_all_arms_yield_the_same_examples(name, tmp_path):
    source = SOURCES[name](tmp_path, True, False)
    try:
        digests = {
            way.name: running._first_epoch(source, way, source.source("many")).digest
            for way in source.ways
        }
    finally:
        source.close()
    assert source.ways[0].name == GENERATOR
    assert source.name == name
    assert len(set(digests.values())) == 1, digests


def test_each_source_has_peers_of_the_same_rows(tmp_path):
    source = SOURCES["audio"](tmp_path, True, True)
    peers = [way for way in source.ways if way.peer]
    assert [way.name.split()[0] for way in peers] == ["torch", "Grain", "HF", "Keras"]
    first = running._first_epoch(source, source.ways[0], range(source.count))
    keras = running._first_epoch(source, peers[-1], range(source.count))
    assert keras.digest == first.digest


def test_what_a_peer_does_not_offer_is_said(tmp_path):
    source = SOURCES["text"](tmp_path, True, True)
    with pytest.raises(NotOffered, match="width of its first"):
        running._first_epoch(source, source.ways[-1], range(source.count))


def test_a_peer_that_widens_whole_numbers_gives_them_back_as_they_were(tmp_path):
    pytest.importorskip("datasets")  # only `make peers` installs it
    source = SOURCES["text"](tmp_path, True, True)
    (widens,) = (way for way in source.ways if way.name.startswith("HF"))
    first, found = (
        running._first_epoch(source, way, range(source.count)) for way in (source.ways[0], widens)
    )
    assert found.digest == first.digest


def test_the_command_shows_and_writes_and_leaves_no_files(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    file = tmp_path / "sources.json"
    done = CliRunner().invoke(
        bench_app, ["sources", "--only", "live", "--only", "audio", "--quick", "--json", str(file)]
    )
    assert done.exit_code == 0, done.output
    assert "windows of 1024 samples" in done.output and "QUICK" in done.output
    assert max(map(len, done.output.splitlines())) <= 80
    bench = load(file)
    assert [result.workload for result in bench.workloads] == ["audio", "live"]
    assert [arm.arm for arm in bench.workload("audio").arms] == [GENERATOR, "bridge"]
    assert [path.name for path in Path(tmp_path).iterdir()] == [file.name]


def test_one_source_is_measured_again_and_the_others_stay(tmp_path):
    file = tmp_path / "sources.json"

    def bench(*options):
        return CliRunner().invoke(bench_app, ["sources", *options, "--json", str(file)])

    assert bench("--quick", "--only", "live", "--only", "audio").exit_code == 0
    before = load(file)
    assert bench("--quick", "--only", "live").exit_code == 0
    after = load(file)
    assert [result.workload for result in after.workloads] == ["audio", "live"]
    assert after.workload("audio") == before.workload("audio")
    assert after.workload("live") != before.workload("live")

    save(dataclasses.replace(after, peers={"torch": "0"}), file)
    done = bench("--quick", "--only", "live")
    assert done.exit_code == 1
    assert "beside other loaders" in " ".join(done.output.split())
    file.write_text("{}")
    assert bench("--quick", "--only", "live").exit_code == 1
    assert file.read_text() == "{}"


def test_an_unknown_source_is_one_sentence():
    done = CliRunner().invoke(bench_app, ["sources", "--only", "tape", "--quick"])
    assert done.exit_code == 1
    assert "there is no source 'tape'; there are JPEG, SQLite, Parquet" in done.output


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.sources.json")), ids=lambda path: path.name)
def test_the_committed_run_is_full_and_no_loader_is_ahead_of_the_best_way(path):
    bench = load(path)
    assert not bench.quick and not bench.interrupted
    assert [result.workload for result in bench.workloads] == list(SOURCES)
    for result in bench.workloads:
        speeds = {one.arm: one.ratio for one in result.arms if one.delivers == "TensorFlow"}
        theirs = {arm: speed for arm, speed in speeds.items() if arm.startswith(PEERS)}
        best = max(speed for arm, speed in speeds.items() if arm not in theirs)
        assert theirs or result.workload == "live"  # which no other loader takes
        assert best >= max(theirs.values(), default=0), result.workload
        if result.workload == "JPEG":  # two cores: twice the bare loop is the bound
            assert result.between("bridge, 2 workers", "bare Python loop").high >= 1.9
            assert result.between("bridge, 2 workers", LOOPS).high >= 0.95
            for arm in {one.arm for one in result.arms} - {LOOPS}:  # or it read before the clock
                assert result.between(arm, LOOPS).low <= 1, arm
        else:
            assert best >= 3, result.workload
