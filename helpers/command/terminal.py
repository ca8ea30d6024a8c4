"""How every subcommand looks in the terminal: what it says, its bars, how it ends."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

if TYPE_CHECKING:  # helpers.reproduce imports TensorFlow
    from helpers.reproduce import TimeLeft

FAILED = 1
"""Exit code of a command that failed, or found what should not be."""

INTERRUPTED = 128 + signal.SIGINT
"""Exit code after Ctrl-C."""

TERMINATED = 128 + signal.SIGTERM
"""Exit code after SIGTERM."""

console = Console()

errors = Console(stderr=True)
"""For what must not mix with an answer on standard output."""


class Terminated(KeyboardInterrupt):
    """The process was asked to end, by SIGTERM rather than Ctrl-C."""


@contextmanager
def sentences() -> Iterator[None]:
    """Ends the command with one sentence where the helpers refuse, or where Ctrl-C does."""
    try:
        yield
    except (ValueError, TypeError, RuntimeError) as error:
        complain(str(error))
        raise typer.Exit(FAILED) from error
    except Terminated:
        raise typer.Exit(TERMINATED) from None
    except KeyboardInterrupt:
        console.print("workbook: stopped; what was measured before is kept.", style="yellow")
        raise typer.Exit(INTERRUPTED) from None


@contextmanager
def terminable() -> Iterator[None]:
    """Lets SIGTERM end the command as Ctrl-C does: with its children, and with what it has."""

    def end(number: int, frame: FrameType | None) -> None:
        raise Terminated

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def say(*lines: str, on: Console = console) -> None:
    """Prints lines as they are, without wrapping or colouring what they name."""
    for line in lines:
        on.print(line, markup=False, highlight=False, soft_wrap=True)


def complain(sentence: str, on: Console = console) -> None:
    """Prints what went wrong.

    Args:
        sentence: What.
        on: Where.
    """
    on.print(f"workbook: {sentence}", style="red", markup=False, highlight=False)


def shown(path: Path) -> str:
    """A path as short as it can be said from here."""
    with suppress(ValueError):
        return str(path.relative_to(Path.cwd()))
    return str(path)


def progress(*, transient: bool = False, on: Console = console) -> Progress:
    """A bar with the time that has passed.

    Args:
        transient: Whether it goes when it is full.
        on: Where.
    """
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TimeElapsedColumn(),
        console=on,
        transient=transient,
    )


class _Left(ProgressColumn):
    """The time left, newly reckoned each time it is drawn."""

    def __init__(self, left: TimeLeft) -> None:
        super().__init__()
        self.left = left

    def render(self, task: Task) -> Text:
        return Text("" if task.finished else str(self.left))


class Watch:
    """One bar for all steps of a run; without a terminal, one line for each step that ends."""

    def __init__(self, steps: int, left: TimeLeft) -> None:
        """Prepares the bar.

        Args:
            steps: How many there are.
            left: What estimates the time left.
        """
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            _Left(left),
            console=console,
            transient=True,
        )
        self._steps, self._ended, self._left = steps, 0, left
        self._task = self.progress.add_task("starting", total=steps)

    def tell(self, name: str, share: float, words: str) -> None:
        """Shows how far the step under way is; with a share of 1, that it has ended.

        Args:
            name: The step, in words.
            share: What is done of it, 0 to 1.
            words: What it is at, or what came out.
        """
        if share == 1:
            self._ended += 1
            if not console.is_terminal:
                place = f"{self._ended} of {self._steps}"
                say(f"{place}: {name}: {words} ({self._left})")
        shown = f"{name} {words}".strip() if share < 1 else name
        done = self._ended + (share if share < 1 else 0)
        self.progress.update(self._task, description=Text(shown).markup, completed=int(done))
