import gc
import itertools
import os

import cloudpickle
import numpy as np
import pytest

from helpers.measure import Settings, Span, compare, load, run_trial, save
from helpers.quiet import tf
from helpers.study import (
    PipelineOptions,
    Timeline,
    generator_arm,
    prefetch_off_and_on,
    timeline,
)
from helpers.study.running import Running

SMALL = {"shape": (2, 3), "count": 40, "take": 10, "work_us": 2, "step_us": 2}


@pytest.mark.parametrize(
    ("values", "spans"),
    [
        ({}, [(1, 1), (9, 9)]),
        ({"batch": 4}, [(1, 4), (2, 6)]),
        ({"batch": 4, "epochs": 2}, [(1, 4), (5, 16)]),
        ({"batch": 16}, [(1, 10)]),
        ({"source": "tensor_slices", "batch": 5}, [(1, 5), (1, 5)]),
    ],
)
def test_a_graph_drains_all_after_the_first_element(values, spans):
    built = PipelineOptions(**SMALL, drain="graph", **values).build()
    assert list(built) == [Span(*span) for span in spans]
    assert list(built) == [Span(*span) for span in spans]  # and again


def test_a_graph_drain_is_traced_once_however_often_it_is_built():
    running = Running(PipelineOptions(**SMALL, drain="graph"))
    for _ in range(3):
        assert sum(span.elements for span in running.build()) == 10
    assert running.namespace["drain"].experimental_get_tracing_count() == 1


@pytest.mark.parametrize("batch", [None, 4])
@pytest.mark.parametrize("drain", ["python", "graph"])
def test_a_trial_counts_examples_whoever_drains(drain, batch):
    trial = run_trial(PipelineOptions(**SMALL, drain=drain, batch=batch, epochs=2).arm())
    assert trial.examples == 20
    assert trial.elements == (6 if batch else 20)
    assert trial.first_examples == (4 if batch else 1)


@pytest.mark.parametrize("consumer", ["device", "python", "compute", "keras"])
def test_a_consumer_takes_a_step_for_each_element(consumer):
    arm = PipelineOptions(**SMALL, batch=4, consumer=consumer).arm("fed")
    assert arm.name == "fed"
    trial = run_trial(arm)
    assert (trial.elements, trial.examples) == (3, 10)
    assert trial.wait_ns < trial.steady_ns


def test_an_idle_consumer_is_none():
    assert PipelineOptions(**SMALL).arm().consume is None


def test_a_keras_step_trains_one_model_for_all_trials():
    running = Running(PipelineOptions(**SMALL, batch=4, consumer="keras"))
    dataset = running.build()
    for _ in range(2):
        for batch in dataset:
            running.consume(batch)
    assert running.namespace["model"].optimizer.iterations.numpy() == 6


def test_an_arm_travels_to_another_process_without_its_rows():
    arm = PipelineOptions(**{**SMALL, "take": 30}, batch=4, consumer="python").arm()
    run_trial(arm)
    sent = cloudpickle.dumps(arm)
    assert len(sent) < 5000
    there = cloudpickle.loads(sent)
    assert there.build.__self__ is there.consume.__self__
    assert run_trial(there).examples == 30
    assert (there.name, there.content) == (arm.name, arm.content)


def test_arms_of_all_kinds_are_compared_and_held_to_one_content():
    arms = [
        PipelineOptions(**SMALL, **values).arm()
        for values in (
            {"source": "tensor_slices"}, {"batch": 3}, {"work": "python", "prefetch": "autotune"},
            {"yields": "tensor", "signature": "unknown_shape"}, {"drain": "graph"},
        )
    ]  # fmt: skip
    measured = compare(arms, settings=Settings(min_rounds=3, max_rounds=3, warmup_rounds=1))
    assert {trial.examples for trial in measured.trials} == {10}


def test_wherever_the_transformation_runs_it_gives_the_same_bits():
    places = [{"transform": "generator"}, {"transform": "map"},
              {"transform": "map_after_batch", "batch": 4}]  # fmt: skip
    arms = [PipelineOptions(**SMALL, **place).arm() for place in places]
    assert len({arm.content for arm in arms}) == 1
    compare(arms, settings=Settings(min_rounds=3, max_rounds=3))  # raises unless they are equal


def test_pipelines_over_the_same_rows_share_one_array_and_let_it_go():
    one = Running(PipelineOptions(**SMALL, seed=77))
    other = Running(PipelineOptions(**SMALL, seed=77, source="tensor_slices"))
    assert one.namespace["rows"] is other.namespace["rows"]
    assert one.namespace["rows"] is not Running(PipelineOptions(**SMALL)).namespace["rows"]
    from helpers.study.program import _ROWS

    held = [key for key in _ROWS if "(77)" in key]
    assert held
    del one, other
    gc.collect()
    assert not [key for key in _ROWS if "(77)" in key]


def test_rows_are_made_once_and_the_data_set_each_time():
    running = Running(PipelineOptions(**SMALL))
    first, rows = running.build(), running.namespace["rows"]
    assert running.build() is not first
    assert running.namespace["rows"] is rows
    assert "dataset" not in running.namespace


def test_a_file_cache_is_filled_and_its_folder_goes_with_the_data_set(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    running = Running(PipelineOptions(**SMALL, cache="file", epochs=2))
    dataset = running.build()
    assert sum(1 for _ in dataset) == 20
    (folder,) = tmp_path.iterdir()
    assert any(name.startswith("rows.data") for name in os.listdir(folder))
    del dataset
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_a_memory_cache_spares_the_generator_the_later_epochs():
    calls = {}
    for cache in ("none", "memory", "file"):
        running = Running(PipelineOptions(**SMALL, cache=cache, epochs=3))
        inner = running.namespace["stored_generator"]
        rows = []

        def counted(inner=inner, rows=rows):
            for row in inner():
                rows.append(row)
                yield row

        running.namespace["stored_generator"] = counted
        assert sum(1 for _ in running.build()) == 30
        calls[cache] = len(rows)
    assert calls == {"none": 30, "memory": 10, "file": 10}


def test_a_shuffle_of_one_seed_gives_one_order_and_loses_nothing():
    orders = [
        np.array([element.numpy() for element in PipelineOptions(**SMALL, **values).build()])
        for values in ({"shuffle": 10}, {"shuffle": 10, "prefetch": 2}, {})
    ]
    np.testing.assert_array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])
    np.testing.assert_array_equal(np.sort(orders[0], axis=0), np.sort(orders[2], axis=0))


@pytest.mark.parametrize(
    ("signature", "shape"),
    [("full", (2, 3)), ("types_and_shapes", (2, 3)), ("types_only", None), ("unknown_shape", None)],
)
def test_a_signature_tells_tensorflow_as_much_as_it_says(signature, shape):
    spec = PipelineOptions(**SMALL, signature=signature).dataset().element_spec
    assert spec == tf.TensorSpec(shape, tf.float32)


# The timeline


class Ticks:
    """A clock that is one later each time it is read, in whatever thread."""

    def __init__(self):
        self.ticks = itertools.count()

    def __call__(self):
        return next(self.ticks)


def test_without_prefetch_the_generator_works_only_while_the_consumer_waits():
    options = PipelineOptions(work="sleep", consumer="device", step_us=10, prefetch="off")
    seen = timeline.record(options, 7, clock=Ticks())
    assert seen.elements == len(seen.lane("waiting")) == len(seen.lane("consumer")) == 7
    assert len(seen.lane("generator")) == 7
    assert seen.overlap_ns == 0
    # asked, called, yielded, got, stepped: five readings an element, in this order
    first = [(s.start_ns, s.end_ns) for s in seen.stretches if s.start_ns < 5]
    assert first == [(1, 2), (0, 3), (3, 4)]
    assert seen.duration_ns == 7 * 5 - 1
    assert seen.busy_ns("waiting") == 7 * 3 and seen.busy_ns("consumer") == 7


def test_with_prefetch_the_generator_works_while_the_consumer_does():
    options = PipelineOptions(
        work="sleep", work_us=3000, consumer="device", step_us=3000, prefetch=2
    )
    seen = timeline.record(options, 8)
    assert seen.overlap_ns > 0
    for stretch in seen.stretches:
        assert 0 <= stretch.start_ns <= stretch.end_ns <= seen.duration_ns
    for lane in ("generator", "waiting", "consumer"):
        ends = [0, *(stretch.end_ns for stretch in seen.lane(lane))]
        starts = [stretch.start_ns for stretch in seen.lane(lane)]
        assert all(end <= start for end, start in zip(ends, starts, strict=False))


def test_a_timeline_of_slices_and_an_idle_consumer_has_only_waiting():
    seen = timeline.record(PipelineOptions(source="tensor_slices", batch=4), 5)
    assert {stretch.lane for stretch in seen.stretches} == {"waiting"}
    assert seen.elements == 5


def test_a_timeline_is_saved_and_loaded(tmp_path):
    seen = timeline.record(PipelineOptions(batch=2, consumer="device", step_us=1), 3)
    assert isinstance(seen, Timeline)
    assert load(save(seen, tmp_path / "timeline.json")) == seen


def test_a_timeline_of_what_python_does_not_see_is_refused():
    with pytest.raises(ValueError, match="set drain='python'"):
        timeline.record(PipelineOptions(drain="graph"))
    with pytest.raises(ValueError, match="ask for 1 or more"):
        timeline.record(PipelineOptions(), 0)


def test_a_readers_own_generator_becomes_an_arm():
    rows = np.arange(6, dtype=np.float32).reshape(3, 2)

    def mine():
        yield from rows

    arm = generator_arm(mine, tf.TensorSpec((2,), tf.float32), take=2)
    assert arm.name == "mine"
    np.testing.assert_array_equal(list(arm.build()), rows[:2])
    assert len(list(generator_arm(mine, tf.TensorSpec((2,), tf.float32)).build())) == 3


def test_prefetch_off_and_on_differ_in_the_prefetch_alone():
    pair = prefetch_off_and_on(take=7)
    assert pair["off"].changes(pair["on"]) == ["prefetch: switched off → AUTOTUNE"]
    assert {options.take for options in pair.values()} == {7}


def test_data_sets_of_a_data_set_are_built_without_a_warning(caplog):
    logger = tf.get_logger()
    logger.addHandler(caplog.handler)
    try:
        options = PipelineOptions(take=2, count=2)
        both = tf.data.Dataset.range(2).interleave(lambda _: options.dataset())
        assert len(list(both)) == 4
    finally:
        logger.removeHandler(caplog.handler)
    assert caplog.messages == []
