"""The panel: toggle a pipeline, measure it against a baseline, see whether the change is real."""

from __future__ import annotations

import html
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import ipywidgets as widgets

from helpers.measure import Measurement, Progress, Settings
from helpers.replay import needs_tensorflow
from helpers.study import PipelineOptions

from . import page, pairs, warm
from .controls import Controls
from .frame import Frame
from .gather import Run, Runs, kept
from .toggles import TOGGLES, changes, run_name, setting, without_effect
from .view import RunsView, button, html_box
from .working import Work, attempt

_STOPPED = {
    "precise": "every interval is narrow enough",
    "budget": "its time was up",
    "rounds": "that is the most allowed",
}
_LIVE_S = 0.2
"""Between two drawings of the run under way: rounds may be as short as a millisecond."""

BASELINE = "baseline"
"""What a measurement calls it."""


@dataclass(frozen=True)
class _Plan:
    """What a press of Measure is to measure.

    Attributes:
        base: What it is compared with.
        options: The pipeline.
        against: The number of the run that `base` is; None for the baseline.
        name: Of the run.
    """

    base: PipelineOptions
    options: PipelineOptions
    against: int | None
    name: str


class Panel(Frame):
    """Toggles, a Measure and a Cancel button, and what the runs of the reader gave.

    It measures in a process of its own, when its turn has come, so the notebook can be used
    meanwhile. Runs are kept beside the notebook and are back when it is opened again; a panel is
    known by its title. In a cell that runs without a reader, `run_and_wait` presses Measure.

    Attributes:
        controls: The toggles.
        gathered: All runs so far.
        measure_button: Starts a run.
        cancel_button: Ends it at once, without a result.
        pair_button: Measures the two runs that are ticked in the list, together.
    """

    def __init__(
        self,
        options: PipelineOptions | None = None,
        baseline: PipelineOptions | None = None,
        toggles: Sequence[str] | None = None,
        title: str = "",
        settings: Settings | None = None,
        compare: Callable[..., Measurement] = warm.compare_warm,
    ) -> None:
        """Makes the panel; nothing is measured yet.

        Args:
            options: What the toggles are set to; the plainest pipeline unless given.
            baseline: What runs are compared with; what the toggles are set to unless given. It
                takes the toggles that set the work, such as rows and consumer, from the panel.
            toggles: Fields that the question is about; all of `controls.TOGGLES` unless given.
            title: The question.
            settings: When a run may stop; about 15 s unless given.
            compare: Does the measuring, with the arguments of `warm.compare_warm`.

        Raises:
            ValueError: If there is no toggle of a name.
        """
        needs_tensorflow()
        self._start = options or PipelineOptions()
        self._baseline = baseline or self._start
        self._title = title
        self._key = title or f"{self._start.label} against {self._baseline.label}"
        self._settings = settings or Settings.default(budget_s=15, min_rounds=5)
        self._comparison = compare
        self._work: Work | None = None
        self._error: BaseException | None = None
        Work.end(self._key)  # of the panel that this cell showed before
        self.gathered = kept(self._key)
        names = tuple(TOGGLES) if toggles is None else tuple(toggles)
        self.controls = Controls(self._start, self._baseline, names, self._show_code)
        self.measure_button = button(
            "Measure", "primary", "Measure this pipeline", "wb-measure", flex="0 0 110px"
        )
        self.cancel_button = button(
            "Cancel", "", "End the run without a result", "wb-cancel", flex="0 0 80px"
        )
        self.pair_button = button(
            "Measure these two", "", "Measure the two ticked runs in the same rounds", "wb-pair",
            flex="0 0 auto",
        )  # fmt: skip
        self.cancel_button.disabled = True
        self.measure_button.on_click(lambda button: self.measure())
        self.cancel_button.on_click(lambda button: self.cancel())
        self.pair_button.on_click(lambda button: self.measure_pair())
        self._bar = widgets.FloatProgress(value=0, max=1, tooltip="Progress of the run").add_class(
            "wb-progress"
        )
        self._status = html_box("wb-status")
        self._count = html_box("wb-count")
        self._message = html_box("wb-message").add_class("wb-verdict")
        self._code = html_box("wb-code")
        self._differ = html_box("wb-differ")
        self._view = RunsView(self._key, self.recall, self._near)
        self._view.list.observe(lambda change: self._show_code(), "ticked")
        super().__init__(self._rows(), "wb-panel")
        self._message.value = page.note(self._first_words())
        self._view.show(self.gathered)
        self._show_code()

    def _rows(self) -> list[widgets.Widget]:
        title = f'<div class="wb-title">{html.escape(self._title)}</div>' if self._title else ""
        do = [self.measure_button, self.cancel_button, self._bar, self._status, self._count]
        head = widgets.HBox([self._differ, self.pair_button]).add_class("wb-bar")
        code = widgets.VBox([head, self._code]).add_class("wb-side")
        runs = widgets.VBox([self._view.list, self._view.export]).add_class("wb-side")
        return [
            widgets.HTML(page.STYLE + title),
            self.controls.box,
            widgets.HBox(do).add_class("wb-do"),
            self._message,
            widgets.Box([code, runs]).add_class("wb-below"),
        ]

    def _first_words(self) -> str:
        if self.runs:
            return f"{self.runs[-1].title}, is the latest of {len(self.runs)} that were kept."
        differs = run_name(self._baseline, self._start)
        base = f"the pipeline with {differs}" if differs else "the pipeline as it stands"
        return f"The baseline is {base}. Each run compares the toggles with it, in the same rounds."

    @property
    def runs(self) -> tuple[Run, ...]:
        """The gathered runs, in order."""
        return self.gathered.runs

    def set(self, **values: Any) -> None:
        """Sets toggles by field, as a reader would: `panel.set(prefetch="autotune")`.

        Raises:
            ValueError: If the panel has no such toggle, or the toggle no such value.
        """
        self.controls.set(**values)

    def recall(self, number: int) -> None:
        """Sets the toggles as they were in a run; a click on the run does this."""
        self._view.list.ticked = []
        self.controls.take(self.gathered.numbered(number).pipeline)

    def tick(self, *numbers: int) -> None:
        """Ticks runs in the list, as a reader would to compare two."""
        self._view.list.ticked = list(numbers)

    def measure(self) -> None:
        """Starts a run of what the toggles mean, unless one is under way; the button does this.

        Raises:
            ValueError: In one sentence, if the toggles' combination makes no sense.
        """
        if self._busy:
            return
        options, baseline, _ = self.controls.both()
        name = run_name(options, self._start) or "as it starts"
        self._go(_Plan(baseline, options, None, name))

    def measure_pair(self) -> None:
        """Measures the two ticked runs together, unless a run is under way; the button does this.

        Raises:
            ValueError: If not two are ticked that do the same work.
        """
        if self._busy:
            return
        pair = self._pair()
        if pair is None or pairs.unlike_work(pair[0].pipeline, pair[1].pipeline):
            raise ValueError("tick two runs of the same rows, epochs and consumer.")
        one, other = pair
        self._go(_Plan(one.pipeline, other.pipeline, one.number, f"run {other.number}"))

    def cancel(self) -> None:
        """Ends the run without a result; the button does this."""
        if self._work is not None:
            self._work.cancelled.set()

    def wait(self, timeout: float | None = None) -> None:
        """Waits for the end of the run, so that the next cell finds its result.

        Args:
            timeout: In seconds.

        Raises:
            TimeoutError: If it takes longer.
            Exception: Whatever the run failed with.
        """
        if self._work is not None and not self._work.wait(timeout):
            raise TimeoutError(f"the run was not done within {timeout:g} s.")
        if self._error is not None:
            raise self._error

    def run_and_wait(self, timeout: float = 300) -> Run:
        """Presses Measure, waits, and returns the run; for cells that run without a reader.

        Args:
            timeout: In seconds.

        Raises:
            RuntimeError: If the run was cancelled.
            Exception: Whatever the run failed with.
        """
        before = len(self.runs)
        self.measure()
        self.wait(timeout)
        if len(self.runs) == before:
            raise RuntimeError("the run was cancelled before it had a result.")
        return self.runs[-1]

    def _near(self) -> None:
        """Has a process ready by the time that Measure is pressed."""
        if self._comparison is warm.compare_warm and not self._busy:
            warm.prepare()

    @property
    def _busy(self) -> bool:
        return not self.cancel_button.disabled

    def _pair(self) -> tuple[Run, Run] | None:
        """The two ticked runs, the earlier first."""
        ticked = sorted(self._view.list.ticked)
        if len(ticked) != 2:
            return None
        return self.gathered.numbered(ticked[0]), self.gathered.numbered(ticked[1])

    def _show_code(self) -> None:
        """Shows the code of the toggles, or of two runs what differs, and enables what fits."""
        pair = self._pair()
        if pair is None:
            # A combination that makes no sense leaves the code of the one before.
            if not self.controls.wrong:
                self._code.value = page.listing(self.controls.options().code())
            ticked = len(self._view.list.ticked)
            self._differ.value = page.faint(
                "Tick one more run to compare the two." if ticked else "The code of the toggles."
            )
        else:
            one, other = (run.pipeline for run in pair)
            differs = pairs.differences(*pair, changes(one, other))
            if pairs.unlike_work(one, other):
                differs += ". They do different work, so a ratio of the two means nothing."
            self._differ.value = differs
            self._code.value = pairs.code_diff(one.code(), other.code())
        alike = pair is not None and not pairs.unlike_work(pair[0].pipeline, pair[1].pipeline)
        self.pair_button.layout.visibility = "visible" if alike else "hidden"
        self.pair_button.disabled = self._busy or not alike
        self.measure_button.disabled = self._busy or bool(self.controls.wrong)

    def _go(self, plan: _Plan) -> None:
        before = [run for run in self.runs if run.pipeline == plan.options]
        if times := sum(run.against == plan.against for run in before):
            plan = replace(plan, name=f"{plan.name}, {_again(times)}")
        self._error = None
        self.cancel_button.disabled = False
        self._bar.bar_style = "info"
        self._bar.value = 0
        self._message.value = page.note(f"Run {self._number}, {plan.name}, is under way.")
        self._view.running(self._number, plan.name, None, None)
        self._show_code()
        self._say("Starting a process of its own with TensorFlow")
        self._work = Work(lambda cancelled: self._measure(plan, cancelled), name=self._key)

    @property
    def _number(self) -> int:
        """Of the next run."""
        return self.runs[-1].number + 1 if self.runs else 1

    def _measure(self, plan: _Plan, cancelled: threading.Event) -> None:
        """Runs in the thread: sets traits and nothing else, whatever happens."""
        number = self._number
        base = BASELINE if plan.against is None else f"run {plan.against}"
        arms = [plan.base.arm(base)]
        if plan.options != plan.base:
            arms.append(plan.options.arm(plan.name))
        done = threading.Event()
        threading.Thread(target=self._tick, args=(done,), daemon=True).start()
        shown_at = 0.0

        def progress(found: Progress) -> None:
            nonlocal shown_at
            if time.monotonic() - shown_at < _LIVE_S:
                return
            shown_at = time.monotonic()
            self._say("Measuring" if found.rounds else "A first round, which does not count")
            self._count.value = page.faint(f"round {found.rounds}")
            floor = found.ratios.get(f"{base}, again")
            ratio = found.ratios.get(plan.name, floor)
            self._view.running(number, plan.name, ratio, floor)
            self._bar.value = max(self._bar.value, found.share)

        def run() -> str:
            measurement = self._comparison(
                arms, title=self._title, settings=self._settings, on_progress=progress,
                cancelled=cancelled, tell=self._say,
            )  # fmt: skip
            found = Run(
                number=number,
                when=time.strftime("%Y-%m-%d %H:%M:%S"),
                name=plan.name,
                against=plan.against,
                changes=changes(plan.base, plan.options),
                setting=setting(plan.options),
                options=asdict(plan.options),
                measurement=measurement,
            )
            self.gathered = Runs((*self.runs, found))
            self.gathered.keep(self._key)
            kinds = {"faster": "real", "slower": "real", "inconclusive": "open"}
            self._message.value = page.note(found.sentence, kind=kinds.get(found.words, "plain"))
            return f"{measurement.rounds} rounds; {_STOPPED[measurement.stopped]}."

        warm.settle(cancelled)
        try:
            self._error = attempt(
                run, self._message, self._finish, cancelled=cancelled, wait=self._say,
                if_cancelled=f"Run {number} was cancelled and left no result.",
            )  # fmt: skip
        finally:
            done.set()
        self._near()

    def _tick(self, done: threading.Event) -> None:
        """Moves the bar until there are rounds to count: starting takes seconds."""
        while not done.wait(0.5):
            if self._bar.value < 0.1:
                self._bar.value += 0.01

    def _say(self, words: str) -> None:
        said = page.faint(f"{words} …")
        if self._status.value != said:  # it is read out
            self._status.value = said

    def _finish(self, bar_style: str, status: str) -> None:
        self._bar.bar_style = bar_style
        if bar_style == "success":  # it may have become precise long before its budget was spent
            self._bar.value = 1
        self._status.value = page.faint(status)
        self._count.value = ""
        self.cancel_button.disabled = True
        self._view.show(self.gathered)
        self._show_code()
        self.save()

    def __repr__(self) -> str:
        """Says what it is, where ipywidgets would list every trait of every toggle."""
        return f"Panel: {self._key}"

    def saved(self) -> str:
        """What it starts with and the runs, for a reader without a kernel."""
        idle = without_effect({name: getattr(self._start, name) for name in TOGGLES})
        toggles = [
            (TOGGLES[name].label, each.label)
            for name, each in self.controls.dropdowns.items()
            if name not in idle
        ]
        said = "Run this notebook to use the panel. It starts with the toggles and the code below."
        start = page.fallback(self._title, said, toggles, self._start.code())
        return start + (self.gathered.table() if self.runs else "")


def _again(before: int) -> str:
    """Says that it was measured so many times before: no two names are alike."""
    return {1: "again", 2: "a third time"}.get(before, f"time {before + 1}")
