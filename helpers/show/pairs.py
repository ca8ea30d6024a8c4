"""Two runs beside each other: what differs in their settings, and in their code."""

from __future__ import annotations

import difflib
import html

from helpers.study import PipelineOptions

from .gather import Run
from .toggles import shared


def unlike_work(one: PipelineOptions, other: PipelineOptions) -> bool:
    """Whether a ratio of the two would mean nothing."""
    return shared(one) != shared(other)


def differences(one: Run, other: Run, changes: tuple[str, ...]) -> str:
    """A line on two runs, as HTML.

    Args:
        one: The earlier.
        other: The later.
        changes: What differs, an entry for each toggle.
    """
    said = "; ".join(changes) or "the same pipeline"
    return f"<b>Run {one.number} → run {other.number}</b> {html.escape(said)}"


def code_diff(one: str, other: str) -> str:
    """The second text as HTML, with the lines that left and came marked by sign and colour."""
    kinds = {"-": "wb-left", "+": "wb-came"}
    lines = [line for line in difflib.ndiff(one.splitlines(), other.splitlines()) if line[0] != "?"]
    inside = "\n".join(
        f'<span class="{kinds.get(line[0], "")}">{html.escape(line)}</span>' for line in lines
    )
    return f'<div class="wb-listing"><pre tabindex="0">{inside}</pre></div>'
