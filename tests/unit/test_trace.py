"""Training under the profiler: lanes, both shares of waiting, rows of other processes."""

import numpy as np
import pytest
from unit.training_rows import ROWS, Rows

from helpers.measure import load, save
from helpers.measure.stamps import Stamped, StampedItems, read_stamps
from helpers.quiet import tf
from helpers.study import trace
from helpers.study.feeding import Feed, table_model
from helpers.study.trace import union, without


@pytest.fixture(scope="module")
def model():
    return table_model(4, 2, 8)


def feed():
    spec = tf.TensorSpec((4,), tf.float32), tf.TensorSpec((), tf.int32)
    return Feed(Rows().rows, spec, 8, Rows())


@pytest.mark.parametrize("way", ["naive", "workers"])
def test_a_trace_has_its_lanes_and_a_verdict(way, model, tmp_path):
    found = trace.trace_fit(way, model, feed(), way, steps=5)
    timeline = found.timeline
    assert (timeline.label, timeline.elements) == (way, 5)
    lanes = {stretch.lane for stretch in timeline.stretches}
    assert lanes >= {"waiting", "consumer"}
    assert len(timeline.lane("waiting")) == len(timeline.lane("consumer")) == 5
    for stretch in timeline.stretches:
        assert 0 <= stretch.start_ns <= stretch.end_ns <= timeline.duration_ns
    if way == "naive":  # a batch is made when it is asked for, and workers may be done by then
        assert lanes == {"generator", "crossing", "tf.data", "waiting", "consumer"}
        assert len(timeline.lane("generator")) == 5 * 8
        inside = timeline.lane("waiting")
        for row in timeline.lane("generator"):
            assert any(one.start_ns <= row.start_ns <= one.end_ns for one in inside)
        crossing = timeline.busy_ns("crossing")
        assert 0 < crossing < timeline.busy_ns("waiting")
    assert "input-bound because" in found.verdict
    assert 0 < found.waiting < 1 and 0 < found.seen_waiting < 1
    assert load(save(found, tmp_path / "trace.json")) == found


def test_without_steps_the_analyzer_says_nothing(tmp_path):
    tf.profiler.experimental.start(str(tmp_path))
    list(tf.data.Dataset.range(3))
    tf.profiler.experimental.stop()
    (path,) = tmp_path.rglob("*.xplane.pb")
    assert trace.analyzer_verdict(path) == ("", None)


def test_rows_and_items_are_written_down(tmp_path):
    path = tmp_path / "rows"
    assert read_stamps(path) == []
    for row, number in zip(Stamped(Rows().rows, path)(), range(3), strict=False):
        np.testing.assert_array_equal(row[0], ROWS[number])
    items = StampedItems(Rows(), path)
    assert len(items) == len(ROWS)
    np.testing.assert_array_equal(items[5][0], ROWS[5])
    stamps = read_stamps(path)
    assert len(stamps) in (4, 5)  # zip asks for one row more
    assert all(start <= end for start, end in stamps)


def test_spans_are_joined_and_cut():
    assert union([(5, 6), (0, 2), (1, 3), (3, 4)]) == [(0, 4), (5, 6)]
    assert without([(0, 10), (20, 30)], [(2, 3), (8, 22), (29, 40)]) == [
        (0, 2), (3, 8), (22, 29),
    ]  # fmt: skip
    assert without([(0, 1)], [(0, 1)]) == []
    assert without([(0, 10), (11, 12)], [(4, 5)]) == [(0, 4), (5, 10), (11, 12)]
