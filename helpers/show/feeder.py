"""Feed a model: choose a pipeline and how large the model is, and see which of the two binds."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from helpers.measure import Measurement, Settings, compare, percent
from helpers.replay import needs_tensorflow

from . import page, plots
from .picture import figure
from .task import Task
from .view import button, html_box

if TYPE_CHECKING:  # helpers.study imports TensorFlow
    from helpers.study.feeding import Feed

GUESSES = {
    "the data: the model waits": "input-bound",
    "the model: its batch is there already": "compute-bound",
    "both, for the same cores": "bound by the cores",
}
"""What a reader can guess, and the word for it."""

LITTLE = 0.1
"""A share of a step below this binds nothing."""


def bound_of(waiting: float, slowed: float) -> str:
    """Names what binds a step.

    Args:
        waiting: The share of it that the loop waits.
        slowed: The share by which the rest of it is longer than at the ceiling.
    """
    if max(waiting, slowed) < LITTLE:
        return "compute-bound"
    return "input-bound" if waiting >= slowed else "bound by the cores"


class Feeder(Task):
    """A choice of pipelines, a choice of models, a guess, Train, and Cancel.

    The model trains in a thread of this process, each time against the same model on one cached
    batch; the panel answers meanwhile.

    Attributes:
        way: The pipelines.
        width: The models.
        guess: What the reader thinks; Train waits for it.
        train_button: Starts a run.
        runs: For each run its name and the parts of a step in milliseconds.
        found: What bound the latest run; "" before.
    """

    def __init__(
        self,
        feed: Feed,
        model: Callable[[int], Any],
        widths: Sequence[int],
        *,
        steps: int,
        title: str = "",
        budget_s: float = 8,
    ) -> None:
        """Makes the panel; nothing runs yet.

        Args:
            feed: What is fed.
            model: Makes a compiled model of a width.
            widths: To choose from.
            steps: Steps of an epoch.
            title: What it is about.
            budget_s: Seconds of a run.
        """
        needs_tensorflow()
        from helpers.study.feeding import WAYS

        self._feed, self._model, self._steps = feed, model, steps
        self._budget_s = budget_s
        self._machine = ""
        self.runs: dict[str, dict[str, float]] = {}
        self.found = ""
        wide = {"width": "auto"}
        self.way = widgets.Dropdown(options=WAYS, description="Pipeline", layout=wide)
        self.way.add_class("wb-way")
        self.width = widgets.SelectionSlider(
            options=list(widths), description="Model width", layout=wide,
            style={"description_width": "initial"},
        ).add_class("wb-width")  # fmt: skip
        self.guess = widgets.RadioButtons(options=list(GUESSES), value=None, layout=wide)
        self.guess.add_class("wb-choices")
        self.train_button = button("Train", "primary", "Train a few epochs", "wb-train")
        self._figure = html_box("wb-figure", flex="1 1 300px", min_width="0", min_height="220px")
        self.way.observe(lambda change: self._chosen(), "value")
        self.width.observe(lambda change: self._chosen(), "value")
        self.guess.observe(lambda change: self._enable(), "value")
        self.train_button.on_click(lambda button: self.train())
        super().__init__(title, "wb-feeder", message_height="48px")
        self._chosen()

    def _rows(self) -> list[widgets.Widget]:
        title = f'<div class="wb-title">{html.escape(self._title)}</div>' if self._title else ""
        left = widgets.VBox(
            [
                self.way, self.width, widgets.HTML("<b>What will bind a step?</b>"), self.guess,
                widgets.HBox([self.train_button, self.cancel_button]), self._bar, self._status,
            ],
            layout={"flex": "0 0 290px"},
        )  # fmt: skip
        return [
            widgets.HTML(page.STYLE + title), self._message,
            widgets.HBox([left, self._figure], layout={"flex_flow": "row wrap"}),
        ]  # fmt: skip

    def _chosen(self) -> None:
        """Forgets the guess, which was about another pipeline or model."""
        self.guess.value = None
        self._message.value = page.note("Choose a pipeline and a model, guess, then press Train.")
        self._enable()

    def _enable(self) -> None:
        busy = self._busy
        self.way.disabled = self.width.disabled = self.guess.disabled = busy
        self.train_button.disabled = busy or self.guess.value is None
        self.cancel_button.disabled = not busy

    def train(self) -> None:
        """Trains the model behind the pipeline, unless something runs; the button does this."""
        self._start(self._run, f"The model is fed by {self.way.value}.")

    def train_and_wait(self, way: str, width: int) -> str:
        """Presses Train and waits, and returns what bound; for cells that run without a reader.

        Raises:
            RuntimeError: If it was cancelled.
            Exception: Whatever it failed with.
        """
        self.way.value, self.width.value = way, width
        self.train()
        self._wait()
        return self.found

    def _run(self, cancelled: threading.Event) -> str:
        from helpers.quiet import tf

        try:
            measured = self._measure(cancelled)
        except tf.errors.OpError as error:  # its first line says what was raised, and at which row
            raise ValueError(error.message.partition("\n")[0]) from error
        self._show(measured, self.way.value)
        return f"Trained for {measured.rounds} rounds."

    def _measure(self, cancelled: threading.Event) -> Measurement:
        from helpers.study import training

        way, width = self.way.value, self.width.value
        data, model = self._feed.dataset(way), self._model(width)
        free = training.one_batch(data, self._steps)
        return compare(
            [
                training.fit_arm(training.CEILING, model, free, self._steps),
                training.fit_arm(way, model, data, self._steps),
            ],
            title=f"{way}, width {width}",
            settings=Settings.default(min_rounds=3, max_rounds=8, budget_s=self._budget_s),
            cancelled=cancelled,
            on_progress=lambda progress: self._tell(f"round {progress.rounds}", progress.share),
        )

    def _show(self, measured: Measurement, way: str) -> None:
        from helpers.study import training

        stall = training.stall(measured, way)
        waiting, slowed = stall.waiting.value, stall.slowed
        self.found = bound_of(waiting, slowed)
        step_ms = self._feed.batch_size * measured.ns_per_example(way) / 1e6
        lost = max(0.0, slowed)
        self.runs[measured.title] = {
            "the model's step": step_ms * max(0.0, 1 - waiting - lost),
            "slowed by the data": step_ms * lost,
            "waiting": step_ms * waiting,
        }
        said = (
            f"{self.found[0].upper()}{self.found[1:]}: it waits {percent(waiting)} of a step, and "
            f"is slowed by {percent(lost)} of one."
        )
        guess, kind = GUESSES.get(self.guess.value), "plain"
        if guess is not None:
            kind = "good" if guess == self.found else "open"
            said = f"You said “{self.guess.value}”. {said}"
        self._message.value = page.note(said, kind=kind)
        self._machine = measured.provenance
        self._figure.value = self._picture()
        self.save()

    def _picture(self) -> str:
        return figure(
            plots.stacked, self.runs, unit="ms of a step", provenance=self._machine, width=6.4,
            title="Where the time of a step goes",
        ).html()  # fmt: skip

    def __repr__(self) -> str:
        """Says what it is, where ipywidgets would list every trait."""
        return f"A model to feed: {self._title or ', '.join(self.way.options)}"

    def saved(self) -> str:
        """The runs so far, for a reader without a kernel."""
        said = "Run this notebook to choose a pipeline and a model, and to see which of them binds."
        return page.fallback(self._title, said) + (self._picture() if self.runs else "")
