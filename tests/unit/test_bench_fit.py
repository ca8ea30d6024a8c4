"""The benchmark of training: the same lessons in every way, whole records, sentences, Ctrl-C."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from helpers.bench import fit
from helpers.bench.fit import WORKLOADS, Workload
from helpers.bench.reference import committed
from helpers.command.bench import bench_app
from helpers.measure import load, save
from helpers.quiet import tf
from helpers.reproduce import RESULTS
from helpers.sources.digits import CLASSES, FEATURES, Lines, write_digits
from helpers.sources.photographs import Pictures, write_crops
from helpers.study.feeding import WAYS, Feed, table_model


def numbers(folder, steps):
    lines = Lines(write_digits(folder / "digits.csv"), 8 * steps)
    spec = tf.TensorSpec((FEATURES,), tf.float32), tf.TensorSpec((), tf.int32)
    return Feed(lines.rows, spec, 8)


@pytest.fixture
def alone(monkeypatch):
    """No workload but two small ones."""
    small = Workload("a few lines", numbers, lambda: table_model(FEATURES, CLASSES, 4))
    monkeypatch.setattr(fit, "WORKLOADS", {"small": small, "other": small})


def same(one, other):
    for batch, expected in zip(one, other, strict=True):
        for part, wanted in zip(batch, expected, strict=True):
            np.testing.assert_array_equal(part, wanted)


@pytest.mark.parametrize("name", ["table", "pictures"])
def test_every_way_gives_the_same_batches(name, tmp_path):
    feed = WORKLOADS[name].feed(tmp_path, 2)
    datasets = feed.datasets()
    assert tuple(datasets) == WAYS
    for way in WAYS[1:]:
        same(datasets[way], datasets["naive"])
    assert [len(labels) for _, labels in datasets["naive"]] == [feed.batch_size] * 2


def test_the_lines_begin_again_at_the_end_of_the_file(tmp_path):
    rows = list(Lines(write_digits(tmp_path / "digits.csv"), 1800).rows())
    assert len(rows) == 1800
    for row, again in zip(rows[:3], rows[1797:], strict=True):
        np.testing.assert_array_equal(row[0], again[0])
        assert row[1] == again[1]
    assert {int(label) for _, label in rows} == set(range(10))
    assert rows[0][0].shape == (64,) and 0 <= rows[0][0].min() <= rows[0][0].max() <= 1


def test_a_picture_is_its_file_made_small(tmp_path):
    paths, labels = write_crops(tmp_path, 3)
    pictures = Pictures(paths, labels, side=16)
    assert len(pictures) == 3
    for (picture, label), wanted in zip(pictures.rows(), labels, strict=True):
        assert picture.shape == (16, 16, 3) and picture.dtype == np.float32
        assert 0 <= picture.min() <= picture.max() <= 1
        assert label == wanted


def test_a_run_holds_every_way_and_comes_back_from_json(alone, tmp_path):
    kept = []
    bench = fit.run(["small"], keep=kept.append)
    assert kept == [bench]
    (result,) = bench.workloads
    assert [fed.way for fed in result.fed] == list(WAYS)
    assert result.measurement.arms == ("one cached batch", *WAYS, "rows alone")
    assert result.row_us > 0 < result.ceiling_ms
    for fed in result.fed:
        assert 0 < fed.low <= fed.ratio <= fed.high
        assert 0 < fed.waiting.low <= fed.waiting.value <= fed.waiting.high < 1
        assert fed.behind.value == pytest.approx(1 - fed.ratio)
        assert 0 < fed.allowed <= 1
        assert fed.loss == pytest.approx(result.fed[0].loss, rel=1e-4)
    assert bench.quick and "QUICK" in bench.provenance


def test_the_law_lets_turns_take_longer_than_overlap(tmp_path):
    feed = numbers(tmp_path, 2)
    allowed = {way: fit.batch_ns(fit._coefficients(way, feed, 1e6, 8e6)) / 8e6 for way in WAYS}
    assert allowed == {"naive": 2, "prefetched": 1, "chunked": 1, "workers": 1}


def test_a_way_that_teaches_something_else_ends_the_run(alone, monkeypatch):
    def backwards(feed, way):
        made = dataset(feed, way)
        return made.map(lambda inputs, label: (-inputs, label)) if way == "chunked" else made

    dataset = Feed.dataset
    monkeypatch.setattr(Feed, "dataset", backwards)
    with pytest.raises(ValueError, match="does not learn the same by 'chunked' as by 'naive'"):
        fit.run(["small"])


def test_ctrl_c_keeps_what_is_finished(alone):
    def tell(name, share, words):
        if name == "other" and share > 0:
            raise KeyboardInterrupt

    bench = fit.run(tell=tell)
    assert bench.interrupted
    assert [result.workload for result in bench.workloads] == ["small"]


def test_an_unknown_workload_is_one_sentence():
    done = CliRunner().invoke(bench_app, ["fit", "--only", "text", "--quick"])
    assert done.exit_code == 1
    said = " ".join(done.output.split())
    assert f"there is no workload 'text'; there are {', '.join(WORKLOADS)}." in said


def test_the_command_shows_and_writes(alone, tmp_path):
    file = tmp_path / "fit.json"
    done = CliRunner().invoke(bench_app, ["fit", "--only", "small", "--quick", "--json", str(file)])
    assert done.exit_code == 0, done.output
    for word in ("small: a few lines", "prefetched", "slowed", "QUICK"):
        assert word in done.output
    assert "…" not in done.output
    assert max(map(len, done.output.splitlines())) <= 80
    assert [fed.way for fed in load(file).workloads[0].fed] == list(WAYS)


def test_a_committed_run_is_found_by_who_has_read_no_other(alone, tmp_path):
    file = tmp_path / "a-machine.fit.json"
    bench = fit.run(["small"])
    save(bench, file)
    reads = (
        "import pathlib, sys\n"
        "from helpers.bench.reference import committed\n"
        "bench = committed(folder=pathlib.Path(sys.argv[1]), what='fit')\n"
        "print([result.workload for result in bench.workloads], 'tensorflow' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", reads, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout == "['small'] False\n"
    assert committed(folder=tmp_path, what="fit") == bench


def test_no_file_is_left_behind(alone, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    fit.run(["small"])
    assert [path for path in Path(tmp_path).iterdir() if path.name.startswith("workbook-fit")] == []


@pytest.mark.parametrize("path", sorted(RESULTS.glob("*.fit.json")), ids=lambda path: path.name)
def test_the_committed_run_is_full_and_feeds_a_starved_model(path):
    bench = load(path)
    assert not bench.quick and not bench.interrupted
    assert [result.workload for result in bench.workloads] == list(WORKLOADS)
    for result in bench.workloads:
        fed = {one.way: one for one in result.fed}
        naive, best = fed["naive"], max(result.fed, key=lambda one: one.ratio)
        assert best.high >= min(0.95, best.allowed), result.workload
        assert abs(naive.waiting.value - naive.behind.value) <= 0.03, result.workload
        for way in ("chunked", "workers"):  # what slows a step down is little, or is not told apart
            waiting, behind = fed[way].waiting.value, fed[way].behind
            near = abs(waiting - behind.value) <= 0.03
            assert near or behind.low <= waiting <= behind.high, (result.workload, way)
        assert all(one.loss == pytest.approx(naive.loss, rel=fit.TOLERANCE) for one in result.fed)
    starved = {fed.way: fed for fed in bench.workloads[1].fed}
    assert starved["naive"].ratio < 0.5
    assert max(starved[way].ratio for way in ("chunked", "workers")) >= 0.95
