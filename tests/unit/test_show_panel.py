import csv
import html
import json
import re
import threading
from dataclasses import fields, replace

import pytest
from unit.fakes import FakeMachine

from helpers.measure import Cancelled, Progress, Settings, compare
from helpers.measure.results import from_json
from helpers.show import Panel
from helpers.show.controls import Controls
from helpers.show.toggles import TOGGLES, changes, setting, short_name
from helpers.study import CHOICES, PipelineOptions

SLICES = PipelineOptions(source="tensor_slices", take=20)
ROWS = PipelineOptions(work="random", take=20)
COSTS = {"from_tensor_slices": 100, "generator + rand": 400, "generator + rand + prefetch": 200}


def fake(arms, *, on_progress, cancelled, **options):
    """Measures the names alone, on a fake clock."""
    machine = FakeMachine(noise=0.01)
    made = [machine.arm(arm.name, COSTS.get(arm.name, 300) * 1e3) for arm in arms]
    return compare(made, on_progress=on_progress, clock=machine.clock, **options)


def panel(options=ROWS, baseline=SLICES, measure=fake, **more):
    return Panel(options, baseline, compare=measure, settings=Settings(max_rounds=8), **more)


def words(widget):
    text = re.sub(r"<[^>]*>", " ", widget.value)
    return re.sub(r"\s+", " ", html.unescape(text)).strip()


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
    controls = Controls(options, [name], lambda: None)
    assert controls.options() == options
    dropdown = controls.dropdowns[name]
    assert f">{TOGGLES[name].label}</span>" in dropdown.description
    assert not dropdown.disabled
    other = next(value for _, value in TOGGLES[name].choices if value != getattr(options, name))
    controls.set(**{name: other})
    assert controls.options() == replace(options, **{name: other})
    (change,) = changes(options, controls.options())
    assert change.startswith(f"{TOGGLES[name].label}: ")


def test_a_preset_value_that_no_toggle_lists_is_offered():
    controls = Controls(PipelineOptions(batch=50, take=77), ["batch", "take"], lambda: None)
    assert controls.options().batch == 50
    assert controls.dropdowns["take"].options[0] == ("77", 77)


def test_toggles_without_effect_are_disabled_and_do_not_count():
    controls = Controls(ROWS, list(TOGGLES), lambda: None)
    controls.set(work="sleep", yields="tensor", signature="types_only")
    assert not controls.dropdowns["work_us"].disabled
    controls.set(source="tensor_slices")
    off = {name for name, dropdown in controls.dropdowns.items() if dropdown.disabled}
    assert off == {"work", "work_us", "yields", "signature", "parallel", "step_us"}
    assert controls.options() == SLICES


def test_a_wrong_toggle_or_value_is_a_sentence():
    with pytest.raises(ValueError, match="there is no toggle 'speed': choose from source, work"):
        panel(toggles=("speed",))
    some = panel(toggles=("prefetch",))
    with pytest.raises(ValueError, match="no toggle 'batch': choose prefetch"):
        some.set(batch=8)
    with pytest.raises(ValueError, match=r"prefetch offers none written, off, 1, .* and not 'all'"):
        some.set(prefetch="all")


def test_names_leave_out_what_all_arms_share():
    options = PipelineOptions(work="random", take=77, consumer="device", step_us=500, prefetch=2)
    assert short_name(options) == "generator + rand + prefetch 2"
    assert setting(options) == "77 rows of 100×100, consumer: device step (sleeps) of 500 µs"


# a run


def test_a_run_is_gathered_shown_and_explained():
    some = panel()
    assert "The figure appears" in words(some._view.parts[2])
    run = some.run_and_wait(10)
    assert some.runs == (run,)
    assert run.measurement.arms == ("from_tensor_slices", "generator + rand")
    said = words(some._message)
    assert "Source: from_tensor_slices → from_generator; Work per row: none → np.random" in said
    assert "generator + rand is slower than from_tensor_slices: 0.25" in said
    assert "The difference is real" in said
    table, export, picture = some._view.parts
    assert "generator + rand" in words(table)
    assert "baseline: from_tensor_slices" in words(table)
    assert 'alt="Speed relative to the baseline' in picture.value
    assert "Save as CSV" in words(export)
    assert "8 rounds" in words(some._status)
    assert some._bar.value == 1
    assert not some.measure_button.disabled
    assert some.cancel_button.disabled


def test_a_second_run_measures_the_one_before_along():
    some = panel()
    some.run_and_wait(10)
    some.set(prefetch="autotune")
    before = some._view.parts[2].value
    run = some.run_and_wait(10)
    assert run.measurement.arms == tuple(COSTS)
    assert run.previous == "generator + rand"
    assert run.step == ("Prefetch: none written → AUTOTUNE",)
    said = words(some._message)
    assert "Against the run before (Prefetch: none written → AUTOTUNE): " in said
    assert "generator + rand + prefetch is faster than generator + rand: 2.0" in said
    assert some._view.parts[0].value.count("<tr>") == 1 + 2
    assert some._view.parts[2].value != before


def test_the_same_again_replaces_its_row_in_the_figure_and_adds_one_to_the_table():
    some = panel()
    some.run_and_wait(10)
    run = some.run_and_wait(10)
    assert run.previous is None
    assert [row.name for row in some.gathered.ladder()] == [
        "from_tensor_slices", "generator + rand"
    ]  # fmt: skip
    assert "run 2" in some.gathered.ladder()[1].remark
    assert some._view.parts[0].value.count("<tr>") == 1 + 2


def test_other_work_goes_for_the_baseline_too_and_has_its_own_ladder():
    some = panel()
    some.run_and_wait(10)
    some.set(consumer="device", prefetch="autotune")
    run = some.run_and_wait(10)
    assert run.previous is None  # it did other work
    assert run.options["from_tensor_slices"]["consumer"] == "device"
    assert [row.name for row in some.gathered.ladder()] == [
        "from_tensor_slices", "generator + rand + prefetch"
    ]  # fmt: skip
    assert some._view.parts[0].value.count("wb-setting") == 2


def test_nothing_changed_shows_the_noise():
    some = panel(SLICES, None)
    run = some.run_and_wait(10)
    assert run.unchanged
    assert run.kind == "noise floor"
    assert "this is the noise alone" in words(some._message)


def test_quick_runs_say_so():
    some = panel()
    some._settings = Settings(max_rounds=8, quick=True)
    some.run_and_wait(10)
    assert "quick run: its numbers show nothing" in words(some._message)


def test_progress_shows_rounds_and_interval():
    some = panel()
    seen = []
    some._status.observe(lambda change: seen.append(words(some._status)), "value")
    some.run_and_wait(10)
    assert any(
        re.search(r"Round 5, .* of about 30 s: 0\.2\d+× \[.*\] so far", line) for line in seen
    )


# what may go wrong


def test_a_wrong_combination_is_said_at_once_and_disables_measure():
    some = panel()
    some.set(transform="map_after_batch")
    assert "map_after_batch' needs batches" in words(some._code)
    assert some.measure_button.disabled
    with pytest.raises(ValueError, match="needs batches"):
        some.run_and_wait(10)
    some.set(batch=8)
    assert "import tensorflow" in words(some._code)
    assert not some.measure_button.disabled


def test_work_that_the_baseline_cannot_do_is_said():
    some = panel()
    some.set(consumer="keras", batch=8)
    assert "The baseline cannot do this work: consumer='keras' trains on batches" in words(
        some._code
    )
    assert some.measure_button.disabled


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
    assert "Cancelled" in words(some._message)
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
    assert "Cancelled" in words(first._message)
    assert len(second.runs) == 1


# what leaves the panel


def test_exports_hold_every_run():
    some = panel()
    some.run_and_wait(10)
    some.set(prefetch="autotune")
    some.run_and_wait(10)
    lines = list(csv.DictReader(some.gathered.csv().splitlines()))
    assert [(line["run"], line["arm"]) for line in lines] == [
        ("1", "from_tensor_slices"), ("1", "generator + rand"),
        ("2", "from_tensor_slices"), ("2", "generator + rand"),
        ("2", "generator + rand + prefetch"),
    ]  # fmt: skip
    assert float(lines[1]["ratio"]) == pytest.approx(some.runs[0].ratio.value)
    assert lines[0]["changes"] == ""
    assert "Prefetch: none written → AUTOTUNE" in lines[4]["changes"]
    again = from_json(json.loads(some.gathered.json()))
    assert [run.measurement for run in again.runs] == [run.measurement for run in some.runs]
    assert "data:text/csv" in some._view.parts[1].value
    assert 'download="runs.json"' in some._view.parts[1].value


def test_a_saved_notebook_shows_the_start_without_a_kernel():
    shown = panel(title="Does <it> help?")
    bundle = shown._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert bundle["text/plain"] == "Panel: Does <it> help?"
    static = shown.saved()
    assert "Does &lt;it&gt; help?" in static
    assert "Run this notebook to use the panel" in static
    assert "<td style='text-align:left'>np.random.rand</td>" in static
    assert "def better_generator" in static


def test_a_real_run_in_a_child_process():
    settings = Settings(budget_s=0.1, min_rounds=3, max_rounds=3)
    some = Panel(ROWS, SLICES, toggles=("prefetch",), settings=settings)
    run = some.run_and_wait(300)
    assert run.measurement.rounds == 3
    assert run.measurement.trials[0].examples == 20
