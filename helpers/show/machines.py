"""Machines side by side, in the scoreboard."""

from __future__ import annotations

from collections.abc import Mapping

from IPython.display import HTML

from helpers.reproduce import Run, compare_runs

from . import page
from .board import CSS
from .trial import badge, text


def machines_beside(known: Mapping[str, Run]) -> HTML:
    """How far the runs of several machines agree, and the claims on which they do not.

    Args:
        known: Whole runs, by machine.
    """
    if len(known) < 2:
        here = next(iter(known.values())).machine.line if known else "none"
        return HTML(
            page.STYLE
            + page.note(
                f"One machine so far: {here}." if known else "No machine so far.",
                "Run “workbook reproduce” on another and put its file into results/.",
            )
        )
    comparison = compare_runs(known)
    said = "".join(f"<p>{text(sentence)}</p>" for sentence in comparison.sentences)
    differing = [row for row in comparison.verdicts if not row.same]
    if not differing:
        return HTML(f"{said}<p>No claim's verdict differs.</p>")
    heads = "".join(f'<th scope="col">{text(name)}</th>' for name in ("claim", *known))
    lines = "".join(
        f'<tr><th scope="row">{text(row.claim)}</th>'
        + "".join(f"<td>{badge(verdict) if verdict else ''}</td>" for verdict in row.verdicts)
        + "</tr>"
        for row in differing
    )
    return HTML(
        f'<div class="wb-board wb-evidence"><style>{CSS}</style>{said}'
        f"<table><caption>Claims whose verdicts differ</caption><thead><tr>{heads}</tr></thead>"
        f"<tbody>{lines}</tbody></table></div>"
    )
