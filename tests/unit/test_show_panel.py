import csv
import html
import json
import random
import re
import threading
from dataclasses import fields, replace

import pytest
from contract.children import NO_KERAS
from unit.fakes import FakeMachine

from helpers.measure import Cancelled, Progress, Settings, compare, mine
from helpers.measure.results import from_json
from helpers.measure.turn import turn
from helpers.show import Panel, memory, warm
from helpers.show.conflicts import conflicts, made
from helpers.show.controls import Controls
from helpers.show.toggles import TOGGLES, changes, run_name, setting
from helpers.study import CHOICES, PipelineOptions

SLICES = PipelineOptions(source="tensor_slices", take=20)
ROWS = PipelineOptions(work="random", take=20)
COSTS = {"baseline": 100, "as it starts": 400}


@pytest.fixture(autouse=True)
def nothing_kept(tmp_path, monkeypatch):
    monkeypatch.setenv(mine.FOLDER, str(tmp_path))


def fake(arms, *, on_progress, cancelled, tell, **options):
    """Measures the names alone, on a fake clock."""
    machine = FakeMachine(noise=0.01)
    made = [machine.arm(arm.name, COSTS.get(arm.name, 200) * 1e3) for arm in arms]
    return compare(made, on_progress=on_progress, clock=machine.clock, **options)


def panel(options=ROWS, baseline=SLICES, measure=fake, **more):
    return Panel(options, baseline, compare=measure, settings=Settings(max_rounds=8), **more)


def words(widget):
    return plain(widget.value)


def plain(text):
    text = re.sub(r"<[^>]*>", " ", text)
    return re.sub(r"\s+", " ", html.unescape(text)).strip()


def controls(options, names, baseline=None):
    return Controls(options, baseline or options, list(names), lambda: None)


# toggles


def test_every_field_that_changes_a_pipeline_has_a_toggle():
    assert {field.name for field in fields(PipelineOptions)} - set(TOGGLES) == {"count", "seed"}


@pytest.mark.parametrize("name", CHOICES)
def test_a_toggle_offers_every_choice_of_its_field(name):
    assert {value for _, value in TOGGLES[name].choices} == set(CHOICES[name])


MEANINGFUL = {
    "work_us": {"work": "sleep"},
    "parallel": {"transform": "map"},
    "step_us": {"consumer": "device"},
}


@pytest.mark.parametrize("name", TOGGLES)
def test_a_toggle_changes_its_field_and_no_other(name):
    options = PipelineOptions(batch=8, **MEANINGFUL.get(name, {}))
    held = controls(options, [name])
    assert held.options() == options
    dropdown = held.dropdowns[name]
    assert f">{TOGGLES[name].label}</span>" in dropdown.description
    assert not dropdown.disabled
    other = next(value for _, value in TOGGLES[name].choices if value != getattr(options, name))
    held.set(**{name: other})
    assert held.options() == replace(options, **{name: other})
    (change,) = changes(options, held.options())
    assert change.startswith(f"{TOGGLES[name].label}: ")


def test_toggles_stand_in_three_groups_in_the_order_of_the_pipeline():
    held = controls(ROWS, TOGGLES)
    assert list(held.notes) == ["Source", "Pipeline", "Consumer"]
    sizes = [len(group.children) - 2 for group in held.box.children]  # a head, a note
    assert sum(sizes) == len(TOGGLES)
    assert max(sizes) <= 7


def test_a_preset_value_that_no_toggle_lists_is_offered():
    held = controls(PipelineOptions(batch=50, take=110), ["batch", "take"])
    assert held.options().batch == 50
    assert held.dropdowns["take"].options[1] == ("110", 110)


def test_toggles_without_effect_are_disabled_and_do_not_count():
    held = controls(ROWS, TOGGLES)
    held.set(work="sleep", yields="tensor", signature="types_only")
    assert not held.dropdowns["work_us"].disabled
    held.set(source="tensor_slices")
    off = {name for name, dropdown in held.dropdowns.items() if dropdown.disabled}
    assert off == {"work", "work_us", "yields", "signature", "parallel", "step_us"}
    assert held.options() == SLICES


def test_a_wrong_toggle_or_value_is_a_sentence():
    with pytest.raises(ValueError, match="there is no toggle 'speed': choose from source, work"):
        panel(toggles=("speed",))
    some = panel(toggles=("prefetch",))
    with pytest.raises(ValueError, match="no toggle 'batch': choose prefetch"):
        some.set(batch=8)
    with pytest.raises(ValueError, match=r"prefetch offers none written, off, 1, .* and not 'all'"):
        some.set(prefetch="all")


def test_a_name_says_what_makes_the_pipeline_another():
    options = PipelineOptions(work="random", take=300, consumer="device", step_us=500, prefetch=2)
    base = PipelineOptions(work="random")
    said = "300 rows, prefetch 2, device step (sleeps), step of 500 µs"
    assert run_name(options, base) == said
    assert run_name(PipelineOptions(), base) == "no work"
    assert run_name(base, base) == ""
    assert setting(options) == "300 rows of 100×100, consumer: device step (sleeps) of 500 µs"


# what does not go together


def drawn(seed):
    draw = random.Random(seed)
    values = {name: draw.choice(toggle.choices)[1] for name, toggle in TOGGLES.items()}
    return values | {"count": draw.choice([200, 10_000])}


def test_what_the_toggles_allow_can_be_built_and_what_they_forbid_is_refused_by_the_options_too():
    agreed = {True: 0, False: 0}
    for seed in range(3000):
        values = drawn(seed)
        found = conflicts(values)
        # One element alone builds, and is refused when it is measured.
        found = [one for one in found if one.fields != ("batch", "take")]
        try:
            made(values, 0)
        except ValueError as error:
            assert found, f"{values}: {error}"
            agreed[False] += 1
        else:
            assert not found, values
            agreed[True] += 1
    assert min(agreed.values()) > 300


def test_a_batch_larger_than_the_data_is_refused_at_once():
    some = panel(replace(ROWS, take=100), replace(SLICES, take=100), toggles=("batch", "take"))
    some.set(batch=128)
    assert some.measure_button.disabled
    assert "A batch of 128 would take all 100 rows" in words(some.controls.notes["Pipeline"])
    assert "wb-wrong" in some.controls.dropdowns["batch"]._dom_classes
    assert "batch(128)" not in words(some._code)
    assert "better_generator" in words(some._code)  # the code stays
    some.set(take=300)
    assert not some.measure_button.disabled
    assert words(some.controls.notes["Pipeline"]) == ""
    assert "wb-wrong" not in some.controls.dropdowns["batch"]._dom_classes
    assert ".batch(128)" in words(some._code)


def test_a_conflict_is_said_in_the_words_of_the_toggles():
    some = panel(replace(ROWS, take=100), replace(SLICES, take=100))
    for values, said in [
        ({"transform": "map_after_batch"}, "Map after batch needs a Batch."),
        ({"transform": "none", "consumer": "keras"}, "A Keras train step needs a Batch."),
        ({"consumer": "device", "drain": "graph"}, "A loop within TensorFlow feeds no Consumer"),
        ({"drain": "python", "shape": ()}, "A scalar cannot come from np.random.rand."),
    ]:
        some.set(**values)
        assert said in " ".join(words(note) for note in some.controls.notes.values())
        assert "'" not in "".join(some.controls.wrong)
        assert some.measure_button.disabled
        with pytest.raises(ValueError, match=said[:20]):
            some.measure()


def test_what_the_comparison_needs_on_both_sides_is_done_to_both_and_said():
    some = panel(replace(ROWS, take=100), replace(SLICES, take=100))
    some.set(batch=32)
    some.set(consumer="keras")
    assert "The baseline gets batch 32 too" in words(some.controls.notes["Consumer"])
    _, baseline, _ = some.controls.both()
    assert (baseline.batch, baseline.consumer) == (32, "keras")
    assert some.run_and_wait(10).changes == (
        "Source: from_tensor_slices → from_generator", "Work per row: none → np.random.rand"
    )  # fmt: skip


def test_a_choice_that_no_other_toggle_can_make_possible_is_not_offered():
    def offered(name, *names, baseline=ROWS):
        baseline = replace(baseline, take=100)
        held = controls(replace(ROWS, take=100), [name, *names], baseline)
        return [value for _, value in held.dropdowns[name].options]

    assert "keras" not in offered("consumer")
    assert "keras" in offered("consumer", "batch")
    assert "map_after_batch" not in offered("transform")
    assert () not in offered("shape")
    assert () in offered("shape", "work", baseline=SLICES)
    assert () not in offered("shape", "work")  # the baseline's work is not the reader's to change
    assert 128 not in offered("batch")
    assert 128 in offered("batch", "take")


def test_much_memory_is_said_before_it_is_taken(monkeypatch):
    some = panel(replace(ROWS, take=100), replace(SLICES, take=100))
    assert words(some.controls.notes["Source"]) == ""
    some.set(take=3000, shape=(224, 224, 3))
    said = words(some.controls.notes["Source"])
    assert re.match(r"Takes about [5-9]\.\d GB of memory", said)
    assert not some.measure_button.disabled
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: type("", (), {"available": 3e9}))
    some.set(prefetch=2)
    assert "and 3.0 GB are free" in words(some.controls.notes["Source"])


# a run


def test_a_run_is_gathered_shown_and_explained():
    some = panel()
    assert some._view.list.rows == []
    run = some.run_and_wait(10)
    assert some.runs == (run,)
    assert run.measurement.arms == tuple(COSTS)
    said = words(some._message)
    assert said.startswith("Run 1, as it starts: slower than the baseline, 0.25")
    assert "the noise alone is 1.0" in said or "the noise alone is 0.9" in said
    assert run.changes == (
        "Source: from_tensor_slices → from_generator", "Work per row: none → np.random.rand"
    )  # fmt: skip
    (row,) = some._view.list.rows
    assert "1 as it starts" in plain(row["name"])
    assert plain(row["said"]).endswith("slower")
    assert "<svg" in row["drawn"]
    assert "Save as CSV" in words(some._view.export)
    assert "8 rounds; every interval is narrow enough." in words(some._status)
    assert some._bar.value == 1
    assert not some.measure_button.disabled
    assert some.cancel_button.disabled


def test_figure_and_words_give_one_verdict_by_the_noise_of_their_own_run():
    some = panel()
    run = some.run_and_wait(10)
    assert "mark hollow" not in some._view.list.rows[0]["drawn"]
    # The same run among much noise: words and mark change together.
    loud = [
        replace(trial, steady_ns=trial.steady_ns * (9 if trial.round % 2 else 1))
        if trial.arm == run.measurement.control else trial
        for trial in run.measurement.trials
    ]  # fmt: skip
    noisy = replace(run, number=2, measurement=replace(run.measurement, trials=tuple(loud)))
    some._view.show(replace(some.gathered, runs=(run, noisy)))
    second, first = some._view.list.rows
    assert ("mark hollow" in second["drawn"]) == (noisy.kind not in ("faster", "slower"))
    assert noisy.kind == "no difference"
    assert "mark hollow" not in first["drawn"]


def test_the_same_again_says_so_in_its_name():
    some = panel()
    some.run_and_wait(10)
    some.run_and_wait(10)
    third = some.run_and_wait(10)
    assert third.name == "as it starts, a third time"
    names = [plain(row["name"]) for row in some._view.list.rows]
    assert len(set(names)) == 3


def test_other_work_goes_for_the_baseline_too_and_is_in_the_name():
    some = panel()
    some.set(consumer="device", prefetch="autotune")
    run = some.run_and_wait(10)
    assert run.name == "prefetch AUTOTUNE, device step (sleeps)"
    assert "Consumer" not in "".join(run.changes)  # nothing that the two differ in
    assert run.setting.endswith("consumer: device step (sleeps) of 1000 µs")


def test_nothing_changed_shows_the_noise():
    some = panel(SLICES, None)
    run = some.run_and_wait(10)
    assert run.unchanged
    assert run.kind == "noise alone"
    assert "so this is the noise alone: " in words(some._message)


def test_quick_runs_say_so():
    some = panel()
    some._settings = Settings(max_rounds=8, quick=True)
    some.run_and_wait(10)
    assert "in a quick run, whose numbers show nothing." in words(some._message)
    assert "<small>quick run</small>" in some._view.list.rows[0]["said"]


def test_the_interval_of_the_run_under_way_is_drawn_as_rounds_come_in(monkeypatch):
    monkeypatch.setattr("helpers.show.panel._LIVE_S", 0)
    some = panel()
    seen, counted = [], []
    some._view.list.observe(lambda change: seen.append(change["new"][0]), "rows")
    some._count.observe(lambda change: counted.append(plain(change["new"])), "value")
    some.run_and_wait(10)
    under_way = [row for row in seen if row["running"]]
    assert under_way[0]["drawn"] == ""
    assert len({row["drawn"] for row in under_way if row["drawn"]}) >= 5
    assert all("so far" in row["said"] for row in under_way if row["drawn"])
    assert counted[:8] == [f"round {number}" for number in range(8)]
    assert not seen[-1]["running"]


def test_no_message_of_a_run_before_stands_beside_the_next():
    failing = True
    seen = []

    def measure(arms, **options):
        seen.append(words(some._message))
        if failing:
            raise RuntimeError("the child died")
        return fake(arms, **options)

    some = panel(measure=measure)
    with pytest.raises(RuntimeError):
        some.run_and_wait(10)
    failing = False
    some.run_and_wait(10)
    assert seen == ["Run 1, as it starts, is under way."] * 2


# what may go wrong


def test_an_error_is_shown_raised_by_wait_and_leaves_the_panel_usable():
    failing = True

    def measure(arms, **options):
        if failing:
            raise RuntimeError("the <child> died")
        return fake(arms, **options)

    some = panel(measure=measure)
    some.measure_button.click()
    with pytest.raises(RuntimeError, match="died"):
        some.wait(10)
    assert "RuntimeError('the <child> died')" in words(some._message)
    assert 'role="alert"' in some._message.value
    assert some.runs == ()
    failing = False
    some.run_and_wait(10)
    assert "wb-bad" not in some._message.value


def waiting(started):
    def measure(arms, *, on_progress, cancelled, **options):
        on_progress(Progress(1, 200, 1.0, 30.0, {}))
        started.set()
        if not cancelled.wait(10):
            raise AssertionError("nobody cancelled")
        raise Cancelled("cancelled before the comparison was done.")

    return measure


def test_cancel_ends_a_run_without_a_result():
    started = threading.Event()
    some = panel(measure=waiting(started))
    some.measure_button.click()
    assert started.wait(10)
    assert some.measure_button.disabled
    assert not some.cancel_button.disabled
    work = some._work
    some.measure_button.click()  # a second press does nothing
    assert some._work is work
    some.set(prefetch="autotune")  # and toggling meanwhile does not start one
    assert some.measure_button.disabled
    with pytest.raises(TimeoutError):
        some.wait(0.01)
    some.cancel_button.click()
    some.wait(10)
    assert "Run 1 was cancelled and left no result." in words(some._message)
    assert some._view.list.rows == []
    assert some.runs == ()
    assert not some.measure_button.disabled


def test_a_run_of_another_panel_takes_over():
    started = threading.Event()
    first = panel(measure=waiting(started))
    first.measure()
    assert started.wait(10)
    second = panel()
    second.run_and_wait(10)
    first.wait(10)
    assert "was cancelled" in words(first._message)
    assert len(second.runs) == 1


# what leaves the panel


def test_exports_hold_every_run_and_none_is_called_like_another():
    some = panel(title="Does <it> help?")
    some.run_and_wait(10)
    names = re.findall('download="([^"]+)"', some._view.export.value)
    some.set(prefetch="autotune")
    some.run_and_wait(10)
    names += re.findall('download="([^"]+)"', some._view.export.value)
    assert len(set(names)) == 4
    assert all(name.startswith("does-it-help-") for name in names)
    lines = list(csv.DictReader(some.gathered.csv().splitlines()))
    assert [(line["run"], line["arm"]) for line in lines] == [
        ("1", "baseline"), ("1", "as it starts"),
        ("2", "baseline"), ("2", "prefetch AUTOTUNE"),
    ]  # fmt: skip
    assert float(lines[1]["ratio"]) == pytest.approx(some.runs[0].ratio.value)
    assert lines[0]["changes"] == ""
    assert "Prefetch: none written → AUTOTUNE" in lines[3]["changes"]
    again = from_json(json.loads(some.gathered.json()))
    assert [run.measurement for run in again.runs] == [run.measurement for run in some.runs]


def test_a_saved_notebook_shows_the_start_and_the_runs_without_a_kernel():
    shown = panel(title="Does <it> help?")
    bundle = shown._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == "Panel: Does <it> help?"
    static = shown.saved()
    assert "Does &lt;it&gt; help?" in static
    assert "Run this notebook to use the panel" in static
    assert "<td style='text-align:left'>np.random.rand</td>" in static
    assert "Step, µs" not in static  # without effect: nothing takes a step
    first, toggles, code = static.split("<details>")
    assert "<table>" not in first and "<pre>" not in first
    assert "<table>" in toggles
    assert "def better_generator" in code
    shown.run_and_wait(10)
    assert "<td>slower</td>" in shown.saved()


# two runs, and runs of another day


def three_runs(**more):
    some = panel(**more)
    some.run_and_wait(10)
    some.set(prefetch="autotune")
    some.run_and_wait(10)
    some.set(take=300)
    some.run_and_wait(10)
    return some


def test_two_ticked_runs_show_what_differs_and_are_measured_together():
    some = three_runs()
    some.tick(2)
    assert "Tick one more run" in words(some._differ)
    assert some.pair_button.disabled
    some.tick(2, 1)
    assert words(some._differ) == "Run 1 → run 2 Prefetch: none written → AUTOTUNE"
    assert '<span class="wb-came">+' in some._code.value
    assert ".prefetch(tf.data.AUTOTUNE)" in words(some._code)
    assert not some.pair_button.disabled
    some.pair_button.click()
    some.wait(10)
    run = some.runs[-1]
    assert (run.number, run.against, run.name) == (4, 1, "run 2")
    assert run.measurement.arms == ("run 1", "run 2")
    assert "Run 4, run 2: " in words(some._message)
    assert run.changes == ("Prefetch: none written → AUTOTUNE",)


def test_runs_of_other_work_are_compared_in_words_only():
    some = three_runs()
    some.tick(1, 3)
    assert "a ratio of the two means nothing" in words(some._differ)
    assert some.pair_button.disabled
    with pytest.raises(ValueError, match="tick two runs of the same rows"):
        some.measure_pair()


def test_a_run_gives_its_toggles_back():
    some = three_runs()
    some.tick(1, 2)
    some._view.list._handle_custom_msg({"recall": 1}, [])
    assert some.controls.options() == some.runs[0].pipeline
    assert some._view.list.ticked == []
    assert "The code of the toggles." in words(some._differ)
    assert "prefetch" not in words(some._code)


def test_runs_are_back_when_the_panel_is_made_again_and_the_next_goes_on_counting():
    three_runs(title="Kept?")
    again = panel(title="Kept?")
    assert [run.number for run in again.runs] == [1, 2, 3]
    assert len(again._view.list.rows) == 3
    assert "is the latest of 3 that were kept" in words(again._message)
    again.recall(2)
    assert again.controls.options().prefetch == "autotune"
    assert again.run_and_wait(10).number == 4
    assert panel(title="Another").runs == ()


def test_what_cannot_be_read_back_is_no_run():
    mine.keep("runs", "Broken", {"packed": "no such thing"})
    assert panel(title="Broken").runs == ()


def test_a_cell_that_is_run_again_ends_the_run_of_its_old_panel():
    started = threading.Event()
    first = panel(measure=waiting(started), title="Again?")
    first.measure()
    assert started.wait(10)
    panel(title="Another?")
    assert not first._work.cancelled.is_set()
    panel(title="Again?")
    first.wait(10)
    assert "was cancelled" in words(first._message)


# the process that is kept warm


def test_a_reader_who_comes_near_has_a_process_ready_and_each_run_gets_a_fresh_one(monkeypatch):
    for name, value in NO_KERAS.items():
        monkeypatch.setenv(name, value)
    settings = Settings(budget_s=0.1, min_rounds=3, max_rounds=3)
    some = Panel(ROWS, SLICES, toggles=("prefetch",), settings=settings)
    said = []
    some._status.observe(lambda change: said.append(plain(change["new"])), "value")
    some._view.list._handle_custom_msg({"near": True}, [])
    warm.settle(threading.Event())
    first = warm._spare
    assert first.alive
    run = some.run_and_wait(300)
    assert run.measurement.rounds == 3
    assert run.measurement.trials[0].examples == 20
    assert not any("Importing" in line for line in said)
    assert not first.alive
    warm.settle(threading.Event())
    assert warm._spare.alive  # ready for the next
    warm.drop()
    assert warm._spare is None


def test_no_process_is_made_ready_while_something_measures():
    with turn():
        warm.prepare()
        warm.settle(threading.Event())
        assert warm._spare is None
