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
from helpers.bench.reference import committed  # noqa: E402
from helpers.bench.results import ArmResult, BridgeBench  # noqa: E402
from helpers.measure import Measurement, times  # noqa: E402
from helpers.reproduce import machines  # noqa: E402
from helpers.show import figure, plots  # noqa: E402

LADDER = "04-ladder"
"""The measurement of the article's three examples, as notebook 04 keeps it."""

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


def ladder() -> Measurement:
    """The ladder of the reference run: of several machines, the first by name.

    Raises:
        ValueError: If no full run is there, or it has no ladder.
    """
    for run in machines().values():
        if LADDER in run.measurements:
            return run.measurements[LADDER]
    raise ValueError(f"results/ has no full run with {LADDER}: `make reproduce` writes one.")


def alt_text(measurement: Measurement) -> str:
    """What the ladder says, in words, without the brackets that end an alt text in Markdown."""
    alt = figure(plots.ratios, measurement).alt
    return f"{measurement.title}. {alt}".replace("[", "(").replace("]", ")")


def svg(measurement: Measurement) -> bytes:
    """The ladder as SVG that says what it shows."""
    drawn = figure(plots.ratios, measurement).svg().decode()
    title = f"<title>{html.escape(alt_text(measurement))}</title>"
    return re.sub(r"(<svg\b[^>]*)>", rf'\1 role="img">\n {title}', drawn, count=1).encode()


def table(measurement: Measurement) -> str:
    """The ladder's arms, ratios and intervals, and what ran them, as Markdown."""
    lines = ["| pipeline | µs per row | speed | 95 % interval |", "|---|---:|---:|---|"]
    for row in measurement.rows():
        base = row["arm"] == measurement.baseline
        each = row["µs per example"]
        cells = (
            row["arm"],
            f"{each:.0f}" if each >= 100 else f"{each:.3g}",
            "1×" if base else times(row["ratio"]),
            f"{times(row['low'])} to {times(row['high'])}" + " (noise floor)" * base,
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, "", f"Measured by notebook 04 on {measurement.provenance}."])


def bridge_table(bench: BridgeBench) -> str:
    """The benchmark of the bridge as Markdown: what stored rows reach, and what workers do."""
    lines = [
        "| rows | `from_generator` | `bridge.from_generator` | `num_workers=1` | `num_workers=2` "
        "| `bridge.from_source` |",
        "|---|---|---|---|---|---|",
    ]
    columns = (GENERATOR, ROWS, BRIDGE_WORKER, BRIDGE_WORKERS, BRIDGE_SLICES)
    workers = []
    for result in bench.workloads:
        arms = {arm.arm: _speed(arm) for arm in result.arms}
        if SLICES in arms:
            cells = (arms.get(name, "–") for name in columns)
            lines.append(f"| {result.workload}: {result.description} | {' | '.join(cells)} |")
        elif BRIDGE_WORKERS in arms:
            workers.append(f"{arms[BRIDGE_WORKERS]} with {result.workload} a row")
    return "\n".join(
        [
            *lines,
            "",
            "As shares of the speed of `from_tensor_slices().batch().prefetch()` over the same "
            "rows, with 95 % intervals; `num_workers=2` is `from_source` with chunks of about "
            "16 MB. Two worker processes, as shares of a bare Python loop: "
            f"{', '.join(workers)}. Measured by `workbook bench bridge` on {bench.provenance}.",
        ]
    )


def _speed(arm: ArmResult) -> str:
    return f"{times(arm.ratio)} ({times(arm.low)} to {times(arm.high)})"


def readme(text: str, measurement: Measurement, bench: BridgeBench) -> str:
    """The README with the tables and the ladder's alt text renewed.

    Raises:
        ValueError: If the README lacks the place of any.
    """
    for pattern, new in (
        (
            r"(?<=<!-- ladder -->\n).*?(?=<!-- /ladder -->)",
            f"{table(measurement)}\n",
        ),
        (
            r"(?<=<!-- bridge -->\n).*?(?=<!-- /bridge -->)",
            f"{bridge_table(bench)}\n",
        ),
        (
            r"!\[[^\]]*\](?=\(docs/ladder\.svg\))",
            f"![{alt_text(measurement)}]",
        ),
    ):
        text, count = re.subn(pattern, lambda found, new=new: new, text, flags=re.DOTALL)
        if count != 1:
            raise ValueError(f"README.md has {count} places, not 1, that match {pattern}.")
    return text


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
        shown.figure.evaluate("image => image.decode()")
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
        measurement = ladder()
        text = readme(README.read_text(encoding="utf-8"), measurement, committed())
        README.write_text(text, encoding="utf-8")
        LADDER_SVG.parent.mkdir(exist_ok=True)
        LADDER_SVG.write_bytes(svg(measurement))
        PANEL_PNG.write_bytes(panel())
    except ValueError as error:
        sys.exit(f"make_figures: {error}")
    print(f"Made {LADDER_SVG.name}, {PANEL_PNG.name} and the tables of README.md.")


if __name__ == "__main__":
    os.environ.pop("WORKBOOK_QUICK", None)
    main()
