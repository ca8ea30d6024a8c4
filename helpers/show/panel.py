"""The panel: toggle a pipeline, measure it against a baseline, see whether the change is real."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from typing import Any

import ipywidgets as widgets

from helpers.measure import Measurement, Progress, Settings, compare_in_child
from helpers.study import PipelineOptions

from . import page
from .controls import Controls
from .frame import Frame
from .gather import Run, Runs
from .toggles import TOGGLES, changes, setting, shared, short_name
from .view import RunsView, button, html_box
from .working import Work, attempt

_STOPPED = {
    "precise": "stopped because every interval is narrow enough.",
    "budget": "stopped because its time was up.",
    "rounds": "stopped at the largest number of rounds.",
}


class Panel(Frame):
    """Toggles, a Measure and a Cancel button, and what the runs of the session gave.

    It measures in a process of its own, when its turn has come, so the notebook can be used
    meanwhile. In a cell that runs without a reader, `run_and_wait` presses Measure.

    Attributes:
        controls: The toggles.
        gathered: All runs so far.
        measure_button: Starts a run.
        cancel_button: Ends it at once, without a result.
    """

    def __init__(
        self,
        options: PipelineOptions | None = None,
        baseline: PipelineOptions | None = None,
        toggles: Sequence[str] | None = None,
        title: str = "",
        settings: Settings | None = None,
        compare: Callable[..., Measurement] = compare_in_child,
    ) -> None:
        """Makes the panel; nothing is measured yet.

        Args:
            options: What the toggles are set to; the plainest pipeline unless given.
            baseline: What runs are compared with; what the toggles are set to unless given. It
                takes the toggles that set the work, such as rows and consumer, from the panel.
            toggles: Fields that the question is about; all of `controls.TOGGLES` unless given.
            title: The question.
            settings: When a run may stop; about 15 s unless given.
            compare: Does the measuring, with the arguments of `measure.compare_in_child`.

        Raises:
            ValueError: If there is no toggle of a name.
        """
        self._start = options or PipelineOptions()
        self._baseline = baseline or self._start
        self._title = title
        self._settings = settings or Settings.default(budget_s=15, min_rounds=5)
        self._comparison = compare
        self._work: Work | None = None
        self._error: BaseException | None = None
        self._previous: PipelineOptions | None = None
        self.gathered = Runs()
        names = tuple(TOGGLES) if toggles is None else tuple(toggles)
        self.controls = Controls(self._start, names, self._show_code)
        self.measure_button = button("Measure", "primary", "Measure this pipeline", "wb-measure")
        self.cancel_button = button("Cancel", "", "End the run without a result", "wb-cancel")
        self.cancel_button.disabled = True
        self.measure_button.on_click(lambda button: self.measure())
        self.cancel_button.on_click(lambda button: self.cancel())
        self._bar = widgets.FloatProgress(
            value=0, max=1, layout={"width": "auto"}, tooltip="Progress of the run"
        ).add_class("wb-progress")
        self._status = html_box("wb-status", height="42px")
        self._message = html_box("wb-message", min_height="104px")
        height = max(350, 34 * len(names) + 120)  # fixed: nothing moves when the code grows
        self._code = html_box("wb-code", flex="1 1 300px", min_width="0", height=f"{height}px")
        self._view = RunsView()
        super().__init__(self._rows(), "wb-panel")
        self._message.value = page.note(
            "Set the toggles, then press Measure. Each run compares the pipeline with the "
            f"baseline, {short_name(self._baseline)}, in the same rounds."
        )
        self._show_code()

    def _rows(self) -> list[widgets.Widget]:
        title = f'<div class="wb-title">{html.escape(self._title)}</div>' if self._title else ""
        buttons = widgets.HBox([self.measure_button, self.cancel_button])
        left = widgets.VBox(
            [self.controls.box, buttons, self._bar, self._status], layout={"flex": "0 0 290px"}
        )
        return [
            widgets.HTML(page.STYLE + title),
            widgets.HBox([left, self._code]),
            self._message,
            *self._view.parts,
        ]

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

    def measure(self) -> None:
        """Starts a run of what the toggles mean, unless one is under way; the button does this.

        Raises:
            ValueError: In one sentence, if the toggles' combination makes no sense.
        """
        if not self.cancel_button.disabled:
            return
        options, baseline = self._both()
        self._error = None
        self.measure_button.disabled = True
        self.cancel_button.disabled = False
        self._bar.bar_style = "info"
        self._bar.value = 0
        self._status.value = page.faint("Starting a fresh process …")
        self._work = Work(
            lambda cancelled: self._measure(options, baseline, cancelled), name=self._title
        )

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

    def _both(self) -> tuple[PipelineOptions, PipelineOptions]:
        """The toggled options, and the baseline doing the same work."""
        options = self.controls.options()
        try:
            return options, replace(self._baseline, **shared(options))
        except ValueError as error:
            raise ValueError(f"The baseline cannot do this work: {error}") from error

    def _show_code(self) -> None:
        """Shows the code of the toggles, or why there is none, and enables Measure to match."""
        try:
            options, _ = self._both()
        except (TypeError, ValueError) as error:
            self._code.value = page.note(str(error), kind="bad")
            self.measure_button.disabled = True
            return
        self._code.value = page.listing(options.code())
        self.measure_button.disabled = not self.cancel_button.disabled

    def _measure(
        self, options: PipelineOptions, baseline: PipelineOptions, cancelled: threading.Event
    ) -> None:
        """Runs in the thread: sets traits and nothing else, whatever happens."""

        def run() -> str:
            before = self._before(options, baseline)
            arms = {short_name(each): each for each in (baseline, before, options) if each}
            name = short_name(options)
            measurement = self._comparison(
                [each.arm(arm) for arm, each in arms.items()],
                title=self._title,
                settings=self._settings,
                on_progress=lambda progress: self._show_progress(progress, name),
                cancelled=cancelled,
            )
            found = Run(
                number=len(self.runs) + 1,
                arm=name,
                changes=changes(baseline, options),
                previous=short_name(before) if before else None,
                step=changes(before, options) if before else (),
                setting=setting(options),
                options={arm: asdict(each) for arm, each in arms.items()},
                measurement=measurement,
            )
            self.gathered = Runs((*self.runs, found))
            self._previous = options
            kinds = {"faster": "real", "slower": "real", "inconclusive": "open"}
            self._view.show(self.gathered)
            self._message.value = page.note(*found.paragraphs, kind=kinds.get(found.kind, "plain"))
            return f"{measurement.rounds} rounds, {_STOPPED[measurement.stopped]}"

        self._error = attempt(
            run, self._message, self._finish, cancelled=cancelled, wait=self._say,
            if_cancelled="Cancelled; the run left no result.",
        )  # fmt: skip

    def _before(
        self, options: PipelineOptions, baseline: PipelineOptions
    ) -> PipelineOptions | None:
        """The options of the run before, if a step from them to these can be measured."""
        before = self._previous
        if before is None or shared(before) != shared(options):
            return None
        others = (short_name(baseline), short_name(options))
        return None if short_name(before) in others else before

    def _show_progress(self, progress: Progress, arm: str) -> None:
        self._bar.value = min(
            1, max(progress.rounds / progress.max_rounds, progress.elapsed_s / progress.budget_s)
        )
        said = f"Round {progress.rounds}, {progress.elapsed_s:.0f} of about {progress.budget_s:g} s"
        if arm in progress.ratios:
            said += f": {progress.ratios[arm]} so far"
        self._status.value = page.faint(said)

    def _say(self, words: str) -> None:
        self._status.value = page.faint(words)

    def _finish(self, bar_style: str, status: str) -> None:
        self._bar.bar_style = bar_style
        if bar_style == "success":  # it may have become precise long before its budget was spent
            self._bar.value = 1
        self._status.value = page.faint(status)
        self.cancel_button.disabled = True
        self._show_code()

    def __repr__(self) -> str:
        """Says what it is, where ipywidgets would list every trait of every toggle."""
        return f"Panel: {self._title or short_name(self._start)}"

    def saved(self) -> str:
        """What it starts with, for a reader without a kernel."""
        return page.fallback(
            self._title,
            "Run this notebook to use the panel. It starts with the toggles and the code below, "
            f"and compares with the baseline {short_name(self._baseline)}.",
            [(TOGGLES[name].label, each.label) for name, each in self.controls.dropdowns.items()],
            self._start.code(),
        )
