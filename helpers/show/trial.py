"""The claims on trial in the report: a table of verdicts, then each with its evidence."""

from __future__ import annotations

import html
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from helpers.claims import ClaimResult, ConditionResult, listing
from helpers.reproduce import Run

from .intervals import Row, Scale, interval, same_ratio

VERDICTS = {
    "supported": "Every condition that could be tried bore the claim out.",
    "refuted": "No condition that could be tried bore the claim out.",
    "depends": "Some conditions bore the claim out and others did not.",
    "inconclusive": "An interval lay too near to what was claimed; more rounds would tell.",
    "cannot run here": "This machine lacks what the claim needs.",
}
"""Every verdict in the order of the report, with what it means."""

EVIDENCE_CSS = Path(__file__).with_name("evidence.css").read_text(encoding="utf-8")
"""How verdicts and conditions look; the page around them names the colours."""


def claims_section(run: Run, second: Run | None) -> Iterator[str]:
    """Yields the table of all claims, and each claim under its verdict.

    Args:
        run: Whose claims.
        second: Another run of the same machine, drawn below.
    """
    if not run.claims:
        return
    known = {row["id"]: row for row in listing(run.claims.values())}
    verdicts = {id_: result.verdict for id_, result in run.claims.items()}
    yield '<h2 id="claims">The claims</h2>'
    order = [id_ for verdict in VERDICTS for id_ in verdicts if verdicts[id_] == verdict]
    lines = "".join(
        f'<tr><td><a href="#claim-{text(id_)}">{text(_statement(id_, known))}</a></td>'
        f"<td>{text(known.get(id_, {}).get('source', ''))}</td>"
        f"<td>{text(known.get(id_, {}).get('notebook', '')[:2])}</td>"
        f"<td>{badge(verdicts[id_])}</td></tr>"
        for id_ in order
    )
    yield (
        '<table class="ledger"><thead><tr><th scope="col">claim</th><th scope="col">who says so'
        '</th><th scope="col">notebook</th><th scope="col">verdict</th></tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )
    for verdict, meaning in VERDICTS.items():
        ids = [id_ for id_ in order if verdicts[id_] == verdict]
        if ids:
            head = f"{verdict.capitalize()} <small>{meaning}</small>"
            yield f'<h3 id="{css_class(verdict)}">{head}</h3>'
        for id_ in ids:
            other = second.claims.get(id_) if second else None
            yield _article(id_, run.claims[id_], known.get(id_, {}), other)


def _article(
    id_: str, result: ClaimResult, claim: dict[str, Any], again: ClaimResult | None
) -> str:
    told = "This version of the workbook has no such claim."
    if claim:
        source = claim["source"][:1].upper() + claim["source"][1:]
        told = (
            f"{text(source)}: {text(claim['detail'])}; notebook {text(claim['notebook'])}"
            f"<br>Would support it: {text(claim['supports'])}"
            f"<br>Would refute it: {text(claim['refutes'])}"
        )
    turned = ""
    if again is not None and again.verdict != result.verdict:
        turned = f"<p><b>In the second run: {again.verdict}.</b></p>"
    return (
        f'<article id="claim-{text(id_)}"><header><h4>{text(_statement(id_, {id_: claim}))}</h4>'
        f"{badge(result.verdict)}</header>"
        f'<p class="from">{told}</p>'
        f"<p>{text(result.sentence)}</p>{turned}{conditions(result, again)}</article>"
    )


def conditions(result: ClaimResult, again: ClaimResult | None = None, *, bare: bool = False) -> str:
    """A row for each condition: what was expected, what was seen, and what follows.

    Args:
        result: Of one claim.
        again: The same claim in a second run.
        bare: Whether it is to read well where style sheets and drawings are taken away, as from a
            notebook that is not trusted: no word is in a drawing, or seen by a style alone.
    """
    others = {found.name: found for found in again.conditions} if again else {}
    rows = {
        found.name: _row(found, others.get(found.name))
        for found in result.conditions
        if found.measurement is not None
    }
    scale = Scale(list(rows.values())) if rows else None
    lines = []
    for found in result.conditions:
        cells = f'<td class="words" colspan="2">{text(found.evidence)}</td>'
        if found.name in rows:
            ratio = rows[found.name].ratio
            drawn, expected = scale.draw(rows[found.name]), f"expected {text(found.expects.words)}"
            cells = f"<td>{drawn}</td><td>{interval(ratio)}<small>{expected}</small></td>"
            if bare:
                words = f"{interval(ratio)} <small>({expected})</small>"
                cells = f'<td class="words" colspan="2">{drawn}{words}</td>'
        lines.append(
            f'<tr><th scope="row">{text(found.name)}</th>{cells}<td>{badge(found.outcome)}</td>'
            "</tr>"
        )
    seen = '<th scope="col" colspan="2">what was seen</th>'
    if scale is not None and not bare:
        seen = (
            f'<th scope="col">{scale.axis()}<span class="unseen">speed, drawn</span></th>'
            '<th scope="col">what was seen</th>'
        )
    return (
        f'<table class="arms conditions"><thead><tr><th scope="col">condition</th>{seen}'
        f'<th scope="col">the claim is</th></tr></thead><tbody>{"".join(lines)}</tbody></table>'
    )


def _row(found: ConditionResult, other: ConditionResult | None) -> Row:
    return Row(
        found.measurement.ratio(found.arm),
        found.measurement.floor(),
        found.outcome,
        found.expects,
        same_ratio(other.measurement if other else None, found.measurement, found.arm),
    )


def _statement(id_: str, known: dict[str, dict[str, Any]]) -> str:
    return known.get(id_, {}).get("statement", id_)


def badge(verdict: str) -> str:
    """A verdict in a frame of its colour."""
    return f'<span class="badge {css_class(verdict)}">{verdict}</span>'


def css_class(verdict: str) -> str:
    """What the style sheet calls a verdict."""
    return verdict.replace(" ", "-")


def text(words: str) -> str:
    """Words as HTML."""
    return html.escape(words)
