"""The benchmark: equal content in all arms, whole records, sentences, and Ctrl-C."""

import dataclasses
import importlib.util

import numpy as np
import pytest
from typer.testing import CliRunner

from helpers.bench import arms, growth, peers, running
from helpers.bench.arms import NotOffered, Way, own_ways
from helpers.bench.reference import committed
from helpers.bench.results import ArmResult, WorkloadResult
from helpers.bench.workloads import WORKLOADS, Stored, Working, stack
from helpers.command.bench import bench_app
from helpers.measure import Ratio, Settings, load, save, this_machine
from helpers.reproduce import results_name

SHORT = {name: workload.shortened() for name, workload in WORKLOADS.items()}


@pytest.fixture
def alone(monkeypatch):
    """No workload but a small one, and no growth."""
    small = dataclasses.replace(WORKLOADS["scalars"], name="small", batch_size=64)
    other = dataclasses.replace(small, name="other")
    monkeypatch.setattr(running, "WORKLOADS", {"small": small, "other": other})
    return small


@pytest.mark.parametrize("name", WORKLOADS)
def test_all_arms_yield_the_same_examples(name):
    workload = SHORT[name]
    for size in {way.size for way in own_ways(workload)}:
        source = workload.source(size)
        digests = {}
        for way in own_ways(workload):
            try:
                digests[way.name] = running._first_epoch(workload, way, source).digest
            except NotOffered as reason:
                assert workload.kind in ("ragged", "padded"), reason
        assert len(digests) >= 4
        assert len(set(digests.values())) == 1, digests


@pytest.mark.parametrize("workload", WORKLOADS.values(), ids=lambda workload: workload.name)
def test_epochs_are_whole_batches_and_fit_memory(workload):
    for size in ("many", "some", "few"):
        count = getattr(workload, size) or workload.many
        assert count % workload.batch_size == 0
        assert count <= workload.stored or count % workload.stored == 0
    assert workload.stored % workload.batch_size == 0
    if workload.kind in ("array", "work"):
        row = workload.make(1)
        assert row.nbytes * workload.stored <= 100e6  # TensorFlow holds a copy, the bridge another


def test_a_source_goes_through_its_rows_again():
    source = Stored([1, 2, 3], passes=2)
    assert len(source) == 6
    assert list(source.generate()) == [source[index] for index in range(6)] == [1, 2, 3, 1, 2, 3]
    assert list(Working([1, 2], 2, loops=3).generate()) == [1, 2, 1, 2]


def test_padding_is_to_the_longest_of_the_batch():
    batch = stack("padded", [np.ones(2, np.float32), np.ones(3, np.float32)])
    assert batch.tolist() == [[1, 1, 0], [1, 1, 1]]


def test_a_run_holds_every_arm_and_comes_back_from_json(alone, tmp_path):
    kept = []
    bench = running.run(["small"], keep=kept.append)
    assert kept == [bench]
    result = bench.workload("small")
    assert [arm.arm for arm in result.arms] == [way.name for way in own_ways(alone)]
    first, *others = result.arms
    assert (first.ratio, first.low, first.high) == (1, 1, 1)
    for arm in others:
        assert 0 < arm.low <= arm.ratio <= arm.high
        assert arm.examples_per_second > 0
        assert arm.first_batch_ms > 0 < arm.start_up_ms
    assert [m.title for m in result.measurements] == ["small, 512 rows", "small, 256 rows"]
    assert {trial.arm for m in result.measurements for trial in m.trials} >= {a.arm for a in others}
    assert load(save(bench, tmp_path / "bench.json")) == bench
    assert bench.quick and "QUICK" in bench.provenance


def test_ctrl_c_keeps_what_is_finished(alone):
    def tell(name, share, words):
        if name == "other" and share > 0:
            raise KeyboardInterrupt

    bench = running.run(["small", "other"], tell=tell)
    assert bench.interrupted
    assert [result.workload for result in bench.workloads] == ["small"]


def test_an_arm_with_other_content_ends_the_run(alone, monkeypatch):
    ways = own_ways(alone)
    backwards = Way("backwards", lambda workload, source: arms._bare(workload, _reversed(source)))
    monkeypatch.setattr(running, "own_ways", lambda workload: [ways[0], backwards])
    with pytest.raises(ValueError, match="'backwards' does not yield the same examples as"):
        running.run(["small"])


def _reversed(source):
    return Stored(source.rows[::-1].reshape(-1, 64), source.passes)


def test_a_peer_that_fails_is_left_out_with_its_reason(alone, monkeypatch):
    def fail(workload, source):
        raise OSError("no shared memory\nand more")

    monkeypatch.setattr(peers, "require", lambda: {"torch": "2"})
    monkeypatch.setattr(peers, "peer_ways", lambda workload: [Way("peer", fail, peer=True)])
    bench = running.run(["small"], peers=True)
    assert bench.workload("small").missing == {"peer": "OSError: no shared memory"}
    assert "peer" not in [arm.arm for arm in bench.workload("small").arms]


def test_every_peer_is_there_with_and_without_workers():
    names = [way.name for way in peers.peer_ways(SHORT["4 KB"])]
    alone = [name for name in names if "workers" not in name]
    assert len(alone) == 5
    assert names == alone + [f"{name}, 2 workers" for name in alone]
    assert all(way.peer for way in peers.peer_ways(SHORT["4 KB"]))
    assert all("2 workers" in way.name for way in peers.peer_ways(SHORT["1 ms of Python"]))
    with pytest.raises(NotOffered):
        peers.peer_ways(SHORT["ragged"])


def test_peers_that_are_not_installed_are_one_sentence(monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "grain" else found(name)
    )
    done = CliRunner().invoke(bench_app, ["bridge", "--peers", "--quick"])
    assert done.exit_code == 1
    assert "make peers" in done.output and "grain" in done.output
    assert "Traceback" not in done.output


def test_an_unknown_workload_is_one_sentence():
    done = CliRunner().invoke(bench_app, ["bridge", "--only", "80 KB", "--quick"])
    assert done.exit_code == 1
    said = " ".join(done.output.split())
    assert "there is no workload '80 KB'; there are growth, scalars, dict of 10, 4 KB" in said


def test_the_command_shows_and_writes(alone, tmp_path):
    file = tmp_path / "bench.json"
    done = CliRunner().invoke(
        bench_app, ["bridge", "--only", "small", "--quick", "--json", str(file)]
    )
    assert done.exit_code == 0, done.output
    for word in ("small: a float32 each", "bridge, rows", "QUICK"):
        assert word in done.output
    assert max(map(len, done.output.splitlines())) <= 80
    assert [arm.arm for arm in load(file).workload("small").arms] == [
        w.name for w in own_ways(alone)
    ]


def test_growth_has_a_point_for_each_power_and_equal_work(monkeypatch):
    shares = []
    found = growth.grow(shares.append)
    assert [point.examples for point in found.points] == [1000, 3000, 6000, 10000]
    assert found.points[0].ratio.rounds == growth.EPOCHS
    assert [point.ratio.rounds for point in found.points[1:]] == [2, 3, 4]
    assert all(point.resident_mib > 0 for point in found.points)
    assert shares[-1] == 1


def _arm(name, ratio, low, high):
    return ArmResult(name, "TensorFlow", 1.0, ratio, low, high, 5, 10, 1.0, 1.0)


def test_arms_of_different_rounds_are_compared_by_way_of_the_first():
    result = WorkloadResult(
        "w", "", 1, Ratio(1, 1, 1, 5), (_arm("fast", 2, 1.5, 3), _arm("slow", 0.5, 0.25, 1)),
        {}, (), 0.0,
    )  # fmt: skip
    assert result.between("fast", "slow") == Ratio(4, 1.5, 12, 5)
    with pytest.raises(ValueError, match="no arm 'other'"):
        result.between("other", "slow")


def test_the_committed_run_is_this_machines_or_another_or_a_sentence(alone, tmp_path):
    with pytest.raises(ValueError, match="no committed run of the benchmark: make one with"):
        committed(this_machine(), tmp_path)
    bench = running.run(["small"])
    save(bench, tmp_path / "a-machine.bench.json")
    assert committed(this_machine(), tmp_path) == bench
    own = dataclasses.replace(bench, peers={"torch": "1"})
    save(own, tmp_path / f"{results_name(this_machine())}.bench.json")
    assert committed(this_machine(), tmp_path) == own
    full = dataclasses.replace(bench, quick=False)
    save(full, tmp_path / "a-machine.bench.json")
    assert own.quick and committed(this_machine(), tmp_path) == full


def test_what_several_processes_measured_is_put_together(alone):
    small = running.WORKLOADS["small"].shortened()
    parts = [
        running.run_part(small, False, place=place, on_progress=lambda *_: None)
        for place in range(2)
    ]
    whole = running.joined(parts)
    assert [arm.arm for arm in whole.arms] == [arm.arm for arm in parts[0].arms]
    for measurement in whole.measurements:
        assert measurement.processes == 2
        assert measurement.settings == Settings.default()
    first = whole.measurements[0]
    assert whole.noise == first.floor()
    name = first.arms[1]
    assert whole.arm(name).speed.low == first.ratio(name).low
    failed = dataclasses.replace(parts[1], missing={name: "it broke"})
    without = running.joined([parts[0], failed])
    assert name in without.missing
    assert name not in [arm.arm for arm in without.arms]
