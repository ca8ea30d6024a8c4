"""The report of a run: one HTML file that needs no server, no script and no other file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from helpers.measure import Measurement, Ratio
from helpers.measure.results import write_text
from helpers.reproduce import Comparison, RatioRow, Run, compare_runs, load_run, pair_of

from .intervals import Row, Scale, arms_table, interval
from .trial import EVIDENCE_CSS, VERDICTS, badge, claims_section, css_class, text

LADDERS = ("04-ladder", "14-ladder")
"""The measurements that the report opens with: the article's examples, and the best recipe."""


def write(path: Path) -> Path:
    """Writes the report of a results file beside it, or of the pair that it belongs to.

    A machine's first run and its second share a report: the first is shown, with the second drawn
    below it and the share of equal verdicts.

    Args:
        path: What `workbook reproduce` wrote; of a pair, either.

    Returns:
        The HTML file.

    Raises:
        ValueError: In one sentence, if a file cannot be read or the report cannot be written.
    """
    first, second = pair_of(path)
    page = build(load_run(first), load_run(second) if second else None)
    return write_text(first.with_suffix(".html"), page)


def build(run: Run, second: Run | None = None) -> str:
    """Makes the page.

    Args:
        run: What it shows.
        second: Another run of the same machine.
    """
    comparison = None
    if second is not None:
        with suppress(ValueError):  # two selections may have nothing in common
            comparison = compare_runs({"the first run": run, "the second run": second})
    parts = [
        _opening(run),
        _glance(run, comparison),
        _reading(comparison is not None),
        *_ladders(run, second),
        *claims_section(run, second),
        *_notebooks(run, second),
        *_agreement(comparison),
    ]
    style = EVIDENCE_CSS + Path(__file__).with_suffix(".css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Reproduction report: {text(run.machine.processor)}</title>\n"
        f"<style>\n{style}</style>\n</head>\n<body>\n"
        '<main class="wb-evidence">\n'
        + "\n".join(parts)
        + "\n</main>\n<footer><p>Written by <code>workbook reproduce</code>. The numbers behind "
        "every drawing are in the results file of the same name.</p></footer>\n</body>\n</html>"
    )


def _opening(run: Run) -> str:
    machine = run.machine
    comparisons = [measurement for *_, measurement in run.comparisons()]
    rounds = [measurement.rounds for measurement in comparisons]
    trials = sum(len(measurement.trials) for measurement in comparisons)
    said = [f"{len(run.claims)} claims about feeding <code>tf.data</code> from Python"]
    if run.measurements:
        said.append(f"{len(run.measurements)} comparisons from the notebooks")
    versions = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    facts = {
        "Machine": f"{machine.processor}, {machine.cores} cores, {machine.memory_gib} GiB, "
        f"{machine.system}",
        "Software": f"Python {machine.python}, {versions}",
        "Mode": f"{run.mode}, {_minutes(sum(run.seconds.values()))}",
    }
    if rounds:
        span = f"{min(rounds)} to {max(rounds)}" if min(rounds) < max(rounds) else f"{rounds[0]}"
        facts["Rounds"] = f"{span} in a comparison, {trials:,} trials in all"
    parts = [
        "<header>",
        "<h1>Reproduction report</h1>",
        f'<p class="lede">{" and ".join(said)}, measured on one machine.</p>',
        '<dl class="facts">',
        *(f"<dt>{name}</dt><dd>{text(fact)}</dd>" for name, fact in facts.items()),
        "</dl>",
    ]
    if run.quick:
        parts.append(
            '<p class="note" role="note"><b>A quick run.</b> Everything was shortened to show that '
            "it works; its numbers and its verdicts show nothing.</p>"
        )
    if run.missing:
        lines = "".join(f"<li>{text(each)}</li>" for each in run.missing)
        parts.append(
            '<div class="note" role="note"><p><b>An unfinished run.</b> Not here:</p>'
            f"<ul>{lines}</ul></div>"
        )
    return "\n".join([*parts, "</header>"])


def _glance(run: Run, comparison: Comparison | None) -> str:
    if not run.claims:
        return ""
    counts = Counter(result.verdict for result in run.claims.values())
    boxes = "".join(
        f'<li><a class="{kind}" href="#{kind}"><b>{counts[verdict]}</b> {verdict}</a></li>'
        for verdict in VERDICTS
        for kind in [css_class(verdict)]
        if counts[verdict]
    )
    said = ""
    if comparison is not None:
        said = (
            f"<p>Measured twice on this machine: {text(' '.join(comparison.sentences))} "
            '<a href="#agreement">More</a></p>'
        )
    return f'<ul class="counts">{boxes}</ul>{said}'


def _reading(second: bool) -> str:
    def key(drawn: str, words: str) -> str:
        box = 'viewBox="0 0 44 20" width="44" height="20" aria-hidden="true"'
        return f"<li><svg {box}>{drawn}</svg>{words}</li>"

    span = '<path class="span" d="M6 5v10M6 10H38m0 -5v10"/>'
    keys = [
        key(
            f'{span}<circle class="mark" cx="22" cy="10" r="4"/>',
            "ratio with its 95 % interval",
        ),
        key(
            '<path class="floor" d="M12 0H32V20H12z"/><path class="one" d="M22 0v20"/>'
            f'{span}<circle class="mark hollow" cx="22" cy="10" r="4"/>',
            "not clear of the noise floor",
        ),
        key('<path class="expected" d="M6 0H38V20H6z"/>', "where the claim expects it"),
    ]
    if second:
        again = '<path class="again" d="M6 10H38"/><circle class="again" cx="22" cy="10" r="2.5"/>'
        keys.append(key(again, "the second run"))
    return (
        "<h2>How to read it</h2><p>A ratio is the speed of one arm as a multiple of the "
        "baseline's, in the steady state: above 1× is faster. Both arms ran in every round, in "
        "balanced order; the ratio is the median over the rounds, with its 95 % interval. Of "
        "several processes it is the mean of their medians, and the interval holds for further "
        "ones; of one process, it is within that run. "
        "The noise floor is the baseline against itself in the same rounds. All scales are "
        f'logarithmic.</p><ul class="key">{"".join(keys)}</ul>'
    )


def _ladders(run: Run, second: Run | None) -> Iterator[str]:
    found = [name for name in LADDERS if name in run.measurements]
    if found:
        yield "<h2>The ladder</h2>"
    for name in found:
        yield _arms(name, run.measurements[name], second)


def _notebooks(run: Run, second: Run | None) -> Iterator[str]:
    if not run.measurements:
        return
    yield "<h2>What the notebooks measured</h2>"
    heading = ""
    for name, measurement in run.measurements.items():
        if name in LADDERS:
            continue
        title = _notebook(name, run)
        if title != heading:
            heading = title
            yield f"<h3>{text(title)}</h3>"
        yield _arms(name, measurement, second)


def _notebook(name: str, run: Run) -> str:
    """The notebook that keeps a measurement under this name, in words."""
    number = name.partition("-")[0]
    stems = (stem for stem in run.seconds if stem.partition("-")[0] == number)
    return next(stems, number).replace("-", " ")


def _arms(name: str, measurement: Measurement, second: Run | None) -> str:
    again = second.measurements.get(name) if second else None
    return f'<div class="wide">{arms_table(measurement, measurement.title or name, again)}</div>'


def _agreement(comparison: Comparison | None) -> Iterator[str]:
    if comparison is None:
        return
    yield '<h2 id="agreement">The second run</h2>'
    yield (
        "<p>The same machine ran everything a second time. A claim that is inconclusive in both "
        f"runs says nothing and is left out. {text(' '.join(comparison.sentences))}</p>"
    )
    differing = [row for row in comparison.verdicts if not row.same]
    if differing:
        lines = "".join(
            f'<tr><td><a href="#claim-{text(row.claim)}">{text(row.claim)}</a></td>'
            + "".join(f"<td>{badge(verdict)}</td>" for verdict in row.verdicts if verdict)
            + "</tr>"
            for row in differing
        )
        yield (
            '<table><caption>Verdicts that differ</caption><thead><tr><th scope="col">claim</th>'
            '<th scope="col">first run</th><th scope="col">second run</th></tr></thead>'
            f"<tbody>{lines}</tbody></table>"
        )
    if comparison.apart:
        yield _apart(comparison.apart)


def _apart(missed: Sequence[RatioRow]) -> str:
    """The ratios that miss, both intervals drawn as multiples of the first run's ratio."""
    rows = [
        Row(
            _over(first, first), Ratio(1, 1, 1, first.rounds), "#000000", again=_over(second, first)
        )
        for first, second in (row.ratios for row in missed)
    ]
    scale = Scale(rows)
    lines = "".join(
        f'<tr><th scope="row">{text(row.arm)}<br><small>{text(row.where)}: {text(row.what)}</small>'
        f"</th><td>{scale.draw(drawn)}</td>"
        + "".join(f"<td>{interval(ratio)}</td>" for ratio in row.ratios if ratio)
        + "</tr>"
        for row, drawn in zip(missed, rows, strict=True)
    )
    return (
        '<div class="wide"><table class="arms"><caption>Ratios whose intervals share no point'
        '</caption><thead><tr><th scope="col">arm</th><th scope="col">'
        f'{scale.axis()}<span class="unseen">both, ÷ the first run</span></th>'
        '<th scope="col">first run</th>'
        f'<th scope="col">second run</th></tr></thead><tbody>{lines}</tbody></table></div>'
    )


def _over(ratio: Ratio, other: Ratio) -> Ratio:
    low, high = ratio.low / other.value, ratio.high / other.value
    return replace(ratio, value=ratio.value / other.value, low=low, high=high)


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds > 90 else f"{seconds:.0f} seconds"
