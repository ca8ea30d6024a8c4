"""The scoreboard: every claim with its verdict, to sort out, to look into and to try here."""

from __future__ import annotations

import math
import threading
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anywidget
import ipywidgets as widgets
import traitlets

from helpers.claims import CLAIMS, Claim, ClaimResult, run_claim
from helpers.measure import Cancelled, mine, quick, this_machine
from helpers.measure.turn import Stopped, turn
from helpers.reproduce import Run

from . import page
from .frame import Frame
from .trial import EVIDENCE_CSS, VERDICTS, badge, conditions, css_class, text
from .working import Work

KEPT = "claims"
"""The kind of what `helpers.measure.mine` keeps of claims that the reader tried."""

NAME = "scoreboard"

UNKNOWN = "not measured yet"

CSS = EVIDENCE_CSS + Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
"""How a scoreboard looks, in either of JupyterLab's themes."""

_MOST = 2
"""Conditions that a claim's line names on either side."""


class _List(anywidget.AnyWidget):
    """The claims in the browser, which sorts them out by itself; only a trial asks the kernel."""

    _esm = Path(__file__).with_suffix(".js")
    claims = traitlets.Unicode().tag(sync=True)
    counts = traitlets.List().tag(sync=True)
    running = traitlets.Dict().tag(sync=True)
    tried = traitlets.Dict().tag(sync=True)


class Board(Frame):
    """Every claim: its verdict, when it holds, the evidence on a click, and a trial of one's own.

    Attributes:
        tried: By id, what was shown of the claims that were tried here.
    """

    def __init__(self, run: Run | None, claims: Sequence[Claim] = CLAIMS) -> None:
        """Makes the board; nothing is measured yet.

        Args:
            run: Where the verdicts come from; None if nothing was measured yet.
            claims: Which, in their order.
        """
        self._claims = {claim.id: claim for claim in claims}
        self._results = run.claims if run else {}
        self._source = "Measured on: nothing yet; run “workbook reproduce”."
        if run is not None:
            self._source = f"Measured on: {run.machine.line}, {run.mode}."
        Work.end(NAME)  # of a board whose cell was run again nobody could stop a trial
        self._work: Work | None = None
        kept = mine.read(KEPT)
        self._list = _List(
            claims=self._rows(live=True),
            counts=self._counts(),
            tried={id_: _tried(kept[id_]) for id_ in self._claims if id_ in kept},
        )
        self._list.on_msg(self._asked)
        super().__init__([widgets.HTML(self._head()), self._list], "wb-board")
        self.add_class("wb-evidence")

    @property
    def tried(self) -> dict[str, str]:
        """By id, what was shown of the claims that were tried here, as HTML."""
        return self._list.tried

    def try_claim(self, id_: str) -> None:
        """Tries a claim here, in a thread, unless another is under way; its button does this."""
        if self._work is not None and not self._work.done:
            return
        claim = self._claims[id_]
        self._show(id_, 0, "Starting")
        self._work = Work(lambda cancelled: self._try(claim, cancelled), name=NAME)

    def stop(self) -> None:
        """Ends the trial under way without a result; its button does this."""
        if self._work is not None:
            self._work.cancelled.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits for the end of the trial, and tells whether it came in time."""
        return self._work is None or self._work.wait(timeout)

    def _asked(self, widget: Any, asked: dict[str, str], buffers: Any) -> None:
        if asked.get("do") == "try" and asked.get("claim") in self._claims:
            self.try_claim(asked["claim"])
        elif asked.get("do") == "stop":
            self.stop()

    def _try(self, claim: Claim, cancelled: threading.Event) -> None:
        """Runs in the thread: sets traits and nothing else, whatever happens."""
        try:
            with turn(lambda words: self._show(claim.id, 0, words), cancelled):
                result = run_claim(
                    claim,
                    on_progress=lambda name, share: self._show(claim.id, share, f"Trying {name}"),
                    cancelled=cancelled,
                )
            found = _plain(result, self._results.get(claim.id))
            mine.keep(KEPT, claim.id, found)
            said = _tried(found)
        except Cancelled:
            said = page.note(str(Stopped()))
        except Exception as error:  # whatever the claim's arms may raise
            said = page.note(f"{type(error).__name__}: {error}", kind="bad")
        self._list.tried = {**self._list.tried, claim.id: said}
        self._list.running = {}
        self.save()

    def _show(self, id_: str, share: float, words: str) -> None:
        self._list.running = {"claim": id_, "share": round(share, 3), "words": f"{words} …"}

    def _verdict(self, id_: str) -> str:
        return self._results[id_].verdict if id_ in self._results else UNKNOWN

    def _counts(self) -> list[list[Any]]:
        """Each verdict that there is: in words, as a class, and how many claims have it."""
        found = Counter(map(self._verdict, self._claims))
        order = (*VERDICTS, UNKNOWN)
        return [[each, css_class(each), found[each]] for each in order if found[each]]

    def _head(self) -> str:
        return f"{page.STYLE}<style>{CSS}</style><p>{text(self._source)}</p>"

    def _rows(self, *, live: bool) -> str:
        tried = {} if live else self.tried
        return "".join(
            _row(
                claim,
                self._results.get(id_),
                self._verdict(id_),
                None if live else tried.get(id_, ""),
            )
            for id_, claim in self._claims.items()
        )

    def saved(self) -> str:
        """All claims with their evidence, and what was tried, for a reader without a kernel."""
        return (
            f'<div class="wb-board wb-evidence">{self._head()}'
            f"<p>{', '.join(f'{count} {verdict}' for verdict, _, count in self._counts())}.</p>"
            f'<div class="wb-claims">{self._rows(live=False)}</div></div>'
        )

    def __repr__(self) -> str:
        """Says what it is, where ipywidgets would list its traits."""
        counts = ", ".join(f"{count} {verdict}" for verdict, _, count in self._counts())
        return f"The scoreboard: {len(self._claims)} claims, {counts}"


def when(result: ClaimResult) -> str:
    """Under which conditions a claim holds and fails, in a few words.

    Where a condition's name has a comma, semicolons part conditions, and full stops the rest.
    """
    commas = any("," in found.name for found in result.conditions)
    said = []
    for outcome, words in (
        ("supported", "holds"),
        ("refuted", "fails"),
        ("inconclusive", "undecided"),
        ("cannot run here", "not tried"),
    ):
        names = [found.name for found in result.of(outcome)]
        more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
        if names:
            words = words.capitalize() if commas and said else words
            said.append(f"{words} {('; ' if commas else ', ').join(names[:_MOST])}{more}")
    return (". " if commas else "; ").join(said)


def _row(claim: Claim, result: ClaimResult | None, verdict: str, tried: str | None) -> str:
    """One claim: a line, and below it what a click opens.

    Args:
        claim: The claim.
        result: What the run found of it.
        verdict: What its badge says.
        tried: What a trial here gave, where it cannot be tried; None where it can.
    """
    condition = when(result) if result else ""
    words = " ".join([claim.statement, condition, claim.source, claim.id]).lower()
    source = claim.source[:1].upper() + claim.source[1:]
    book = f"{claim.notebook}.ipynb"
    parts = [
        f'<p class="from">{text(source)}: {text(claim.detail)}'
        f"<br>Would support it: {text(claim.supports)}"
        f"<br>Would refute it: {text(claim.refutes)}</p>",
        conditions(result, bare=tried is not None) if result else "",
        f'<p class="wb-actions"><a href="{book}">Read notebook {claim.notebook[:2]}</a></p>{tried}',
    ]
    if tried is None:
        code = (
            "from helpers.claims import claim_named, run_claim\n\n"
            f'print(run_claim(claim_named("{claim.id}")).sentence)'
        )
        length = f", about {math.ceil(result.seconds)} s" if result and not quick() else ""
        parts[-1] = (
            '<p class="wb-actions">'
            f'<button type="button" data-try="{claim.id}">Try it here{length}</button> '
            f'<a href="{book}">Read notebook {claim.notebook[:2]}</a></p>'
            f'<div class="wb-tried" data-slot="{claim.id}" aria-live="polite"></div>'
            "<details><summary>The same in a cell</summary>"
            f'<div class="wb-code">{page.listing(code)}</div></details>'
        )
    return (
        f'<details class="wb-claim" data-verdict="{css_class(verdict)}" data-words="{text(words)}">'
        f'<summary>{badge(verdict)}<span><span class="unseen">: </span>{text(claim.statement)}'
        f"<br><small>{text(condition)}</small></span></summary>"
        f'<div class="wb-inside">{"".join(parts)}</div></details>'
    )


def _plain(result: ClaimResult, reference: ClaimResult | None) -> dict[str, Any]:
    """What is kept of a trial: all that `_tried` shows."""
    return {
        "verdict": result.verdict,
        "reference": reference.verdict if reference else "",
        "conditions": [[found.name, found.evidence, found.outcome] for found in result.conditions],
        "machine": this_machine().line,
        "quick": quick(),
    }


def _tried(found: dict[str, Any]) -> str:
    """What a trial gave, beside what the reference run says."""
    rows = "".join(
        f'<tr><th scope="row">{text(name)}</th><td>{text(evidence)}</td>'
        f"<td>{badge(outcome)}</td></tr>"
        for name, evidence, outcome in found["conditions"]
    )
    said = ""
    if found["reference"]:
        same = found["reference"] == found["verdict"]
        said = "as above" if same else f"above it is {found['reference']}"
    if found["quick"]:
        said = "a quick run, whose numbers show nothing"
    return (
        f"<p><b>Tried here:</b> {badge(found['verdict'])} {text(said)}</p>"
        '<table class="conditions"><thead><tr><th scope="col">condition</th>'
        '<th scope="col">what was seen</th><th scope="col">the claim is</th></tr></thead>'
        f"<tbody>{rows}</tbody></table><p class='from'>{text(found['machine'])}</p>"
    )
