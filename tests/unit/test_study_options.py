import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from helpers.study import CHOICES, EXAMPLES, PipelineOptions, varied
from helpers.study import examples as presets

SLICES = {"source": "tensor_slices"}


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"source": "file"}, "source='file' is unknown: choose tensor_slices, generator."),
        ({"work": ["sleep"]}, r"work=\['sleep'\] is unknown"),
        ({"drain": "c++"}, "choose python, graph"),
        ({"batch": 0}, "batch=0 is too small: it must be 1 or more."),
        ({"prefetch": -1}, "prefetch=-1 is too small"),
        ({"prefetch": 0}, "prefetch=0 is too small"),
        ({"shuffle": -1}, "shuffle=-1 is too small: it must be 0 or more."),
        ({"take": 0}, "take=0"),
        ({"epochs": 0}, "epochs=0"),
        ({"seed": -1}, "seed=-1"),
        ({"work_us": -1}, "work_us=-1 makes no sense"),
        ({"step_us": float("nan")}, "step_us=nan makes no sense"),
        ({"work_us": float("inf")}, "work_us=inf"),
        ({"shape": (3, 0)}, "has no elements"),
        ({"shape": (3, -1)}, "has no elements"),
        ({**SLICES, "work": "sleep"}, "no Python for a row"),
        ({**SLICES, "yields": "tensor"}, "no generator that could yield"),
        ({**SLICES, "signature": "types_only"}, "set signature='full'"),
        ({**SLICES, "transform": "generator"}, "no generator to transform"),
        ({"take": 11, "count": 10}, "take=11 is more than count=10"),
        ({"work": "random", "shape": ()}, "has no astype"),
        ({"work": "sleep+random", "shape": ()}, "has no astype"),
        ({"transform": "map_after_batch"}, "needs batches"),
        ({"parallel": 2}, "parallel is about map"),
        ({"transform": "generator", "parallel": "autotune"}, "parallel is about map"),
        ({"consumer": "keras"}, "set batch"),
        ({"drain": "graph", "consumer": "device"}, "set consumer='idle'"),
        ({"drain": "graph", "consumer": "compute"}, "set consumer='idle'"),
        ({"work_us": 10_000_000}, "give 0 to 1000000 µs"),
        ({"take": 10_000, "shape": (1000, 1000)}, "would need 37.3 GiB of memory: lower take"),
        ({"work": "random", "batch": 1000, "shape": (1000, 1000)}, "lower batch"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_sentence(values, sentence):
    with pytest.raises(ValueError, match=sentence) as refusal:
        PipelineOptions(**values)
    message = str(refusal.value)
    assert message.endswith(".") and "\n" not in message and message.count(". ") == 0


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"batch": "32"}, "batch must be a whole number or None, not '32'."),
        ({"prefetch": "auto"}, "prefetch must be .*'autotune', 'off' or None, not 'auto'."),
        ({"transform": "map", "parallel": "off"}, "'autotune' or None, not 'off'."),
        ({"take": None}, "take must be a whole number, not None."),
        ({"take": 10.0}, "not 10.0."),
        ({"epochs": True}, "not True."),
        ({"work_us": "10"}, "number of microseconds, not '10'."),
        ({"step_us": None}, "number of microseconds, not None."),
        ({"shape": [2, 3]}, r"tuple of whole numbers, not \[2, 3\]."),
        ({"shape": (2, 3.0)}, "tuple of whole numbers"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(values, sentence):
    with pytest.raises(TypeError, match=sentence):
        PipelineOptions(**values)


def test_a_large_take_of_rows_that_are_not_stored_needs_no_memory():
    options = PipelineOptions(work="random", take=10_000, shape=(1000, 1000))
    assert not options.stores_rows


def test_all_named_choices_can_be_built():
    needs = {"map_after_batch": {"batch": 2}, "keras": {"batch": 2}}
    for toggle, names in CHOICES.items():
        for name in names:
            PipelineOptions(**{toggle: name}, **needs.get(name, {}))


def test_options_are_frozen_and_equal_by_value():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PipelineOptions().batch = 3
    assert PipelineOptions(batch=3) == replace(PipelineOptions(), batch=3)
    assert len({PipelineOptions(), PipelineOptions()}) == 1


def test_labels_are_short_and_tell_pipelines_apart():
    assert PipelineOptions().label == "generator"
    assert PipelineOptions(prefetch="autotune").label == "generator + prefetch"
    assert PipelineOptions(**SLICES, batch=32).label == "from_tensor_slices + batch 32"
    assert EXAMPLES["inefficient"].label == "generator + sleep 10 µs + rand"
    assert EXAMPLES["constant_prefetched"].label == "generator + rand + tf.constant + prefetch"
    several = [
        PipelineOptions(**values)
        for values in (
            {}, SLICES, {"work": "sleep"}, {"work": "sleep", "work_us": 20}, {"work": "numpy"},
            {"yields": "tensor"}, {"signature": "types_only"}, {"signature": "unknown_shape"},
            {"shape": (3,)}, {"shape": ()}, {"batch": 3}, {"prefetch": 3}, {"prefetch": "off"},
            {"prefetch": "autotune"}, {"transform": "generator"}, {"transform": "map"},
            {"transform": "map", "parallel": 3}, {"transform": "map", "parallel": "autotune"},
            {"transform": "map_after_batch", "batch": 3}, {"cache": "memory"}, {"cache": "file"},
            {"shuffle": 3}, {"epochs": 3}, {"consumer": "device"}, {"consumer": "python"},
            {"consumer": "device", "step_us": 3}, {"drain": "graph"},
        )
    ]  # fmt: skip
    assert len({options.label for options in several}) == len(several)


def test_changes_say_what_differs_and_leave_out_what_has_no_effect():
    before = PipelineOptions()
    assert before.changes(before) == []
    assert before.changes(replace(before, prefetch="autotune")) == ["prefetch: none → AUTOTUNE"]
    assert before.changes(replace(before, prefetch="off")) == ["prefetch: none → switched off"]
    assert before.changes(replace(before, work_us=50, step_us=50)) == []
    slept = replace(before, work="sleep", work_us=50)
    assert before.changes(slept) == ["work for each row: none → sleep 50 µs"]
    assert slept.changes(replace(slept, work_us=60)) == [
        "work for each row: sleep 50 µs → sleep 60 µs"
    ]
    assert EXAMPLES["inefficient"].changes(EXAMPLES["better_prefetched"]) == [
        "work for each row: sleep 10 µs + rand → rand",
        "prefetch: none → AUTOTUNE",
    ]
    baseline = presets.article_baseline
    assert baseline.changes(replace(baseline, count=20_000)) == []
    assert "source: from_tensor_slices → from_generator" in baseline.changes(presets.better)


def test_the_ladder_changes_one_thing_at_a_time():
    steps = [("inefficient", "inefficient_prefetched"), ("inefficient", "better"),
             ("better", "better_prefetched"), ("better", "constant"),
             ("constant", "constant_prefetched")]  # fmt: skip
    for before, after in steps:
        assert len(EXAMPLES[before].changes(EXAMPLES[after])) == 1
    for name, options in EXAMPLES.items():
        assert getattr(presets, name) is options
        assert (options.count, options.take, options.shape) == (10_000, 1000, (100, 100))
    assert EXAMPLES["inefficient"].work_us == 10


def test_varied_changes_all_seven():
    shorter = varied(take=50, consumer="device")
    assert list(shorter) == list(EXAMPLES)
    assert {(options.take, options.consumer) for options in shorter.values()} == {(50, "device")}


def test_only_what_yields_the_same_examples_shares_a_content_label():
    rows = PipelineOptions(**SLICES)
    same = [PipelineOptions(), PipelineOptions(batch=7), PipelineOptions(work="python"),
            PipelineOptions(prefetch=2, signature="types_only")]  # fmt: skip
    assert {options.content for options in same} == {rows.content}
    others = [replace(rows, **values) for values in (
        {"seed": 1}, {"take": 999}, {"shape": (100,)}, {"transform": "map"}, {"shuffle": 5},
        {"epochs": 2},
    )]  # fmt: skip
    assert len({options.content for options in [rows, *others]}) == 7
    for values in ({"work": "random"}, {"drain": "graph"}, {"shuffle": 5, "epochs": 2}):
        assert PipelineOptions(**values).content is None


def test_whole_numbers_may_not_be_numpys_that_print_otherwise():
    # repr(np.int64(3)) is not a literal a reader could paste
    with pytest.raises(TypeError, match="whole number"):
        PipelineOptions(batch=np.int64(3))
