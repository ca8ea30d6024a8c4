"""The doctor's panel: choose a generator, guess, examine it, choose a fix, verify it."""

from __future__ import annotations

import functools
import html
import inspect
import textwrap
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from helpers.replay import needs_tensorflow

from . import page
from .doctor import batch_timeline
from .picture import figure
from .task import Task
from .view import button, html_box

if TYPE_CHECKING:  # helpers.diagnose imports TensorFlow
    from helpers.diagnose import Diagnosis

GUESSES = {
    "the crossing into TensorFlow": ("crossing",),
    "its own Python": ("holds-gil", "gil"),
    "waiting": ("waits",),
    "computing without the GIL": ("frees-gil",),
    "the steps of tf.data": ("steps",),
    "nothing: the data is fast enough": ("consumer", "healthy"),
}
"""What a reader can guess, with the causes that it covers; every other cause is data that changes
or is lost."""

OTHER = "its data: some is changed or lost"


def guess_for(diagnosis: Diagnosis) -> str:
    """Returns the guess that a diagnosis proves right."""
    return next((guess for guess, causes in GUESSES.items() if diagnosis.first in causes), OTHER)


class Clinic(Task):
    """A choice of generators, a guess, Examine, a choice of fixes, Verify, and Cancel.

    The doctor works in a thread of this process, since a generator of a notebook exists here only;
    the panel answers meanwhile.

    Attributes:
        choice: The generators.
        guess: What the reader thinks; Examine waits for it.
        examine_button: Starts the examination.
        fix: The advice, once there is some.
        verify_button: Tries the chosen one.
        diagnosis: The latest; None before.
    """

    def __init__(
        self,
        subjects: Mapping[str, Callable[[], tuple[Any, dict[str, Any]]]],
        *,
        title: str = "",
        budget_s: float = 20,
        verify_s: float = 8,
        guess: bool = True,
    ) -> None:
        """Makes the panel; nothing runs yet.

        Args:
            subjects: For each name a function that returns what `examine` takes: the subject and
                its keyword arguments. Its source is shown.
            title: What it is about.
            budget_s: Seconds for an examination.
            verify_s: Seconds for trying a fix.
            guess: Whether Examine waits for the reader's guess.

        Raises:
            ValueError: If there is nothing to examine.
        """
        needs_tensorflow()
        if not subjects:
            raise ValueError("the doctor's panel needs one generator or more.")
        self._subjects = dict(subjects)
        self._budget_s, self._verify_s = budget_s, verify_s
        self.diagnosis: Diagnosis | None = None
        self.choice = widgets.Dropdown(
            options=list(self._subjects), description="Generator", layout={"width": "auto"}
        ).add_class("wb-choice")
        self.guess = widgets.RadioButtons(
            options=[*GUESSES, OTHER], value=None, layout={"width": "auto"}
        ).add_class("wb-choices")
        self._asks = guess
        self.examine_button = button("Examine", "primary", "Examine this generator", "wb-examine")
        self.fix = widgets.Dropdown(options=[], description="Fix", layout={"flex": "1 1 auto"})
        self.fix.add_class("wb-fix")
        self.verify_button = button(
            "Verify", "primary", "Try this fix", "wb-verify", flex="0 1 130px"
        )
        self._code = html_box("wb-code", flex="1 1 300px", min_width="0", height="360px")
        self._answer = html_box("wb-answer", max_height="420px", overflow="auto")
        self._figure = html_box("wb-figure")
        self.choice.observe(lambda change: self._chosen(), "value")
        self.guess.observe(lambda change: self._enable(), "value")
        self.examine_button.on_click(lambda button: self.examine())
        self.verify_button.on_click(lambda button: self.verify())
        super().__init__(title, "wb-clinic", message_height="72px")
        self._chosen()

    def _rows(self) -> list[widgets.Widget]:
        title = f'<div class="wb-title">{html.escape(self._title)}</div>' if self._title else ""
        asked = [widgets.HTML("<b>What is wrong with it?</b>"), self.guess] if self._asks else []
        buttons = widgets.HBox([self.examine_button, self.cancel_button])
        left = widgets.VBox(
            [self.choice, *asked, buttons, self._bar, self._status], layout={"flex": "0 0 290px"}
        )
        return [
            widgets.HTML(page.STYLE + title),
            widgets.HBox([left, self._code], layout={"flex_flow": "row wrap"}),
            self._message,
            widgets.HBox([self.fix, self.verify_button]),
            self._figure,
            self._answer,
        ]

    def _chosen(self) -> None:
        """Shows the code of the generator that was chosen, and forgets the one before."""
        self._code.value = page.listing(_source(self._subjects[self.choice.value]))
        self.diagnosis = None
        self.guess.value = None
        self.fix.options = []
        self._answer.value = self._figure.value = ""
        first = "Read the code and make a guess, then press Examine." if self._asks else ""
        self._message.value = page.note(first or "Press Examine.")
        self._enable()

    def _enable(self) -> None:
        busy = self._busy
        guessed = self.guess.value is not None or not self._asks
        self.choice.disabled = self.guess.disabled = busy
        self.fix.disabled = busy or not self.fix.options
        self.examine_button.disabled = busy or not guessed
        self.verify_button.disabled = busy or not self.fix.options
        self.cancel_button.disabled = not busy

    def examine(self) -> None:
        """Examines the generator that is chosen, unless something runs; the button does this."""
        make = self._subjects[self.choice.value]

        def work(cancelled: threading.Event) -> str:
            from helpers.diagnose import examine

            subject, how = make()
            found = examine(
                subject, budget_s=self._budget_s, cancelled=cancelled, tell=self._tell, **how
            )
            self.diagnosis = found
            self._show(found)
            return f"Examined in {found.seconds:.0f} s."

        self._start(work, f"The doctor is at {self.choice.value}.")

    def verify(self) -> None:
        """Tries the fix that is chosen against the original; the button does this."""
        found, number = self.diagnosis, self.fix.value
        if found is None or number is None:
            return

        def work(cancelled: threading.Event) -> str:
            if not found.advice[number - 1].automatic:
                self._message.value = page.note(
                    "The doctor cannot rewrite this one: change the code as it says, and compare "
                    "with diagnosis.try_fix(number, your_function).", kind="open",
                )  # fmt: skip
                return "Nothing to run."
            tried = found.try_fix(
                number, budget_s=self._verify_s, cancelled=cancelled,
                on_progress=lambda progress: self._tell(
                    f"round {progress.rounds}", progress.share
                ),
            )  # fmt: skip
            self._message.value = page.note(str(tried), kind="good" if tried.helps else "open")
            return "Verified."

        self._start(work, f"The doctor is at {self.choice.value}.")

    def examine_and_wait(self, name: str, guess: str | None = None) -> Diagnosis:
        """Presses Examine for a generator and waits; for cells that run without a reader.

        Args:
            name: Which one.
            guess: What a reader might say.

        Raises:
            RuntimeError: If it was cancelled.
            Exception: Whatever it failed with.
        """
        self.choice.value = name
        self.guess.value = guess
        self.examine()
        self._wait()
        return self.diagnosis

    def _show(self, found: Diagnosis) -> None:
        said, kind = [found.sentence], "plain"
        if self.guess.value is not None:
            right = guess_for(found)
            kind = "good" if right == self.guess.value else "open"
            so = "and so it is" if kind == "good" else f"the doctor says: {right}"
            said.insert(0, f"You said “{self.guess.value}”, {so}.")
        self._message.value = page.note(*said, kind=kind)
        self.fix.options = [
            (f"{number}. {one.title}", number) for number, one in enumerate(found.advice, 1)
        ]
        self.fix.index = 0 if found.advice else None
        self._answer.value = found._repr_html_()
        try:
            self._figure.value = figure(batch_timeline, found, height=2.4).html()
        except ValueError:  # no times, and the answer says why
            self._figure.value = ""

    def __repr__(self) -> str:
        """Says what it is, where ipywidgets would list every trait."""
        return f"The doctor's panel: {self._title or ', '.join(self._subjects)}"

    def saved(self) -> str:
        """What it examines, for a reader without a kernel."""
        said = "Run this notebook to use the panel. It examines one of: "
        return page.fallback(self._title, said + ", ".join(self._subjects) + ".")


def _source(function: Callable[..., Any]) -> str:
    """The text of a function, without what a partial has bound to it."""
    while isinstance(function, functools.partial):
        function = function.func
    try:
        return textwrap.dedent(inspect.getsource(function))
    except (OSError, TypeError):  # typed into a console, or no function of Python's
        return "# its source is not known"
