"""Make what the README shows: docs/ladder.svg, docs/panel.png, and the tables.

    python scripts/make_figures.py

The ladder and the tables come from the committed runs in results/, the same bytes each time. The
picture of the panel is taken in a real JupyterLab in Chromium, after two runs that take half a
minute together. `make figures` calls this.
"""

from __future__ import annotations

import html
import io
import os
import re
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from helpers.bench.arms import (  # noqa: E402
    BRIDGE_SLICES,
    BRIDGE_WORKER,
    BRIDGE_WORKERS,
    GENERATOR,
    ROWS,
    SLICES,
)
from helpers.bench.reference import ENDINGS, committed  # noqa: E402
from helpers.bench.results import BridgeBench  # noqa: E402
from helpers.measure import Measurement, Ratio, times  # noqa: E402
from helpers.reproduce import (  # noqa: E402
    RESULTS,
    compare_runs,
    load_run,
    machines,
    pair_of,
    results_name,
)
from helpers.show import figure, plots  # noqa: E402

LADDER = "14-ladder"
"""The way from the naive generator to the best recipe, as notebook 14 keeps it."""

ARTICLE = "04-ladder"
"""The article's three examples, as notebook 04 keeps them."""

README = ROOT / "README.md"
LADDER_SVG = ROOT / "docs" / "ladder.svg"
PANEL_PNG = ROOT / "docs" / "panel.png"

PANEL = """
from helpers.show import Panel
from helpers.study import PipelineOptions

Panel(
    PipelineOptions(work="random", prefetch="off", consumer="device", step_us=500, take=200),
    toggles=("work", "yields", "signature", "batch", "prefetch", "consumer", "step_us"),
    title="What makes the generator faster?",
)
"""


def kept(name: str) -> Measurement:
    """A notebook's measurement in the reference run: of several machines, the first by name.

    Raises:
        ValueError: If no full run is there, or none has it.
    """
    for run in machines().values():
        if name in run.measurements:
            return run.measurements[name]
    raise ValueError(f"results/ has no full run with {name}: `make reproduce` writes one.")


def alt_text(measurement: Measurement) -> str:
    """What the ladder says, in words, without the brackets that end an alt text in Markdown."""
    alt = figure(plots.ratios, measurement).alt
    return f"{measurement.title}. {alt}".replace("[", "(").replace("]", ")")


def svg(measurement: Measurement) -> bytes:
    """The ladder as SVG that says what it shows."""
    drawn = figure(plots.ratios, measurement).svg().decode()
    title = f"<title>{html.escape(alt_text(measurement))}</title>"
    return re.sub(r"(<svg\b[^>]*)>", rf'\1 role="img">\n {title}', drawn, count=1).encode()


def table(name: str, measurement: Measurement) -> str:
    """Arms, ratios with their intervals, and what ran them, as Markdown."""
    lines = ["| pipeline | µs per row | speed, 95 % interval | in words |", "|---|---:|---|---|"]
    floor = measurement.floor()
    for row in measurement.rows():
        base = row["arm"] == measurement.baseline
        each = row["µs per example"]
        span = f"{times(row['low'])} to {times(row['high'])}"
        cells = (
            row["arm"],
            f"{each:.0f}" if each >= 100 else f"{each:.3g}",
            f"1× (noise {span})" if base else f"{times(row['ratio'])} ({span})",
            "the baseline" if base else in_words(measurement.ratio(row["arm"]), floor),
        )
        lines.append(f"| {' | '.join(cells)} |")
    said = f"Measured by notebook {name[:2]} on {measurement.provenance}."
    return "\n".join([*lines, "", said])


def in_words(ratio: Ratio, noise: Ratio) -> str:
    """A ratio as people say it, "47 times slower" for 0.0213×, whose number does not break."""
    if ratio.overlaps(noise):
        return "within the noise"
    factor = max(ratio.value, 1 / ratio.value)
    side = "faster" if ratio.value > 1 else "slower"
    said = f"{factor:.0f} times {side}" if factor >= 10 else f"{factor:.1f} times {side}"
    return said.replace(" ", "\N{NO-BREAK SPACE}")


def bridge_table(bench: BridgeBench) -> str:
    """The benchmark of the bridge as Markdown: what stored rows reach, and what workers do."""
    heads = (
        "rows",
        "from_generator",
        "bridge",
        "bridge, 1 worker",
        "bridge, 2 workers",
        "bridge, from_source",
    )
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    columns = (GENERATOR, ROWS, BRIDGE_WORKER, BRIDGE_WORKERS, BRIDGE_SLICES)
    workers, shown = [], []
    for result in bench.workloads:
        speeds = {arm.arm: arm.speed for arm in result.arms}
        if SLICES in speeds:
            shown += [speeds[name] for name in columns if name in speeds]
            words = {arm: in_words(speed, result.noise) for arm, speed in speeds.items()}
            cells = (
                words.get(name, "–").replace("\N{NO-BREAK SPACE}times", "×") for name in columns
            )
            lines.append(f"| {result.workload}: {result.description} | {' | '.join(cells)} |")
        elif BRIDGE_WORKERS in speeds:
            ratio = speeds[BRIDGE_WORKERS]
            span = f"{times(ratio.low)} to {times(ratio.high)}"
            workers.append(f"{times(ratio.value)} ({span}) with {result.workload} a row")
    widest = max((ratio.precision for ratio in shown), default=0)
    file = f"results/{results_name(bench.machine)}{ENDINGS['bridge']}"
    return "\n".join(
        [
            *lines,
            "",
            "Against `from_tensor_slices().batch().prefetch()` over the same rows. The 95 % "
            f"intervals, ±{widest:.0%} at the widest, are in [the results]({file}). *Bridge* is "
            "`bridge.from_generator`, with `num_workers=1` for one worker; two workers are "
            "`from_source` with `num_workers=2` and chunks of about 16 MB. On rows that cost "
            "Python work two workers reach, as shares of a bare Python loop, "
            f"{' and '.join(workers)}. Measured by `workbook bench bridge` on {bench.provenance}.",
        ]
    )


def agreement() -> str:
    """How far the two runs of the first machine that has two agree, in sentences.

    Raises:
        ValueError: If no machine has two.
    """
    for name in machines():
        first, second = pair_of(RESULTS / f"{name}.json")
        if second is not None:
            found = compare_runs({"first": load_run(first), "second": load_run(second)})
            took = max(sum(run.seconds.values()) for run in found.runs) / 60
            return (
                f"Of the two full runs of one machine that are kept here "
                f"({found.runs[0].machine.line}; at most {took:.0f} minutes each): "
                f"{' '.join(found.sentences)} `workbook compare` shows which."
            )
    raise ValueError("results/ has no second run: `workbook reproduce --again` writes one.")


def readme(
    text: str, ladder: Measurement, article: Measurement, bench: BridgeBench, agreed: str
) -> str:
    """The README with the tables, the ladder's alt text and the agreement of runs renewed.

    Raises:
        ValueError: If the README lacks the place of any.
    """
    for pattern, new in (
        (_between("ladder"), f"{table(LADDER, ladder)}\n"),
        (_between("article"), f"{table(ARTICLE, article)}\n"),
        (_between("bridge"), f"{bridge_table(bench)}\n"),
        (_between("agreement"), f"{agreed}\n"),
        (r"!\[[^\]]*\](?=\(docs/ladder\.svg\))", f"![{alt_text(ladder)}]"),
    ):
        text, count = re.subn(pattern, lambda found, new=new: new, text, flags=re.DOTALL)
        if count != 1:
            raise ValueError(f"README.md has {count} places, not 1, that match {pattern}.")
    return text


def _between(name: str) -> str:
    return rf"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)"


def panel() -> bytes:
    """A picture of the panel after two runs, two pixels for each of the page's.

    Raises:
        ValueError: If there is no Chromium.
    """
    import browser_finder
    from browser import lab
    from playwright.sync_api import expect

    chromium = browser_finder.chromium()
    if chromium is None:
        raise ValueError(f"docs/panel.png needs a Chromium. {browser_finder.HOW_TO_GET}")
    with (
        tempfile.TemporaryDirectory() as folder,
        lab.Server.start(Path(folder), quick=False) as server,
        lab.browser(chromium, width=1340, height=1700, scale=2) as chrome,
    ):
        page = chrome.new_page()
        name = server.write("panel.ipynb", PANEL)
        book = lab.Notebook.open(page, server, name)
        book.run_all()
        shown = book.panel
        shown.toggle("yields").select_option(label="tf.constant")
        shown.measure_until(runs=1)
        shown.toggle("yields").select_option(label="NumPy array")
        shown.toggle("prefetch").select_option(label="AUTOTUNE")
        shown.measure_until(runs=2)
        expect(shown.complaint).to_have_count(0)
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")
        taken = Image.open(io.BytesIO(shown.place.screenshot(animations="disabled")))
    packed = io.BytesIO()
    # 256 colours are more than a page of text and one figure has use for.
    taken.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
        packed, format="png", optimize=True
    )
    return packed.getvalue()


def main() -> None:
    """Make all three."""
    try:
        ladder, article = kept(LADDER), kept(ARTICLE)
        text = readme(README.read_text(encoding="utf-8"), ladder, article, committed(), agreement())
        README.write_text(text, encoding="utf-8")
        LADDER_SVG.parent.mkdir(exist_ok=True)
        LADDER_SVG.write_bytes(svg(ladder))
        PANEL_PNG.write_bytes(panel())
    except ValueError as error:
        sys.exit(f"make_figures: {error}")
    print(f"Made {LADDER_SVG.name}, {PANEL_PNG.name} and the tables of README.md.")


if __name__ == "__main__":
    os.environ.pop("WORKBOOK_QUICK", None)
    main()
