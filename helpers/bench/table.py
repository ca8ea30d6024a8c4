"""The benchmark's results in the terminal."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from helpers.bench.results import ArmResult, BridgeBench, Growth, WorkloadResult
from helpers.measure import Ratio, times

LEGEND = (
    "µs each: microseconds an example in the steady state. speed: as a multiple of the first arm "
    "in the same rounds, with its 95 % interval; in the first line, that arm against itself. "
    "first ms: until the first batch of an epoch after the first epoch. TF: tensors of TensorFlow, "
    "whose data sets all end in .batch().prefetch()."
)

SHORT = {"TensorFlow": "TF"}
"""What tables call what arms deliver, so that they fit 80 columns."""


def bench_tables(bench: BridgeBench) -> RenderableType:
    """A table for each workload, one for growth, and what ran them."""
    parts: list[RenderableType] = [workload_table(result) for result in bench.workloads]
    if bench.growth is not None:
        parts.append(growth_table(bench.growth))
    if bench.interrupted:
        parts.append(Text("Interrupted: what was finished is here.", style="yellow"))
    return Group(*parts, Text(LEGEND, style="dim"), Text(bench.provenance))


def workload_table(result: WorkloadResult) -> RenderableType:
    """The arms of one workload, as multiples of the first; it fits 80 columns."""
    title = f"{result.workload}: {result.description}; batches of {result.batch_size}"
    heads = ("arm", "gives", "µs each", "speed", "interval", "first ms")
    table = plain_table(title, *heads, left=2)
    for place, arm in enumerate(result.arms):
        table.add_row(
            arm.arm,
            SHORT.get(arm.delivers, arm.delivers),
            f"{1e6 / arm.examples_per_second:.3g}",
            times(arm.ratio),
            _interval(arm if place else result.noise),
            f"{arm.first_batch_ms:.1f}",
        )
    lacking = [Text(f"  {name}: {why}", style="dim") for name, why in result.missing.items()]
    return Group(table, *lacking)


def growth_table(growth: Growth) -> Table:
    """Cost and memory after so many examples."""
    title = f"growth: {growth.description}"
    heads = ("examples", "µs each", "speed of from_tensor_slices", "interval", "memory, MiB")
    table = plain_table(title, *heads)
    for point in growth.points:
        table.add_row(
            f"{point.examples:,}",
            f"{point.us_per_example:.3g}",
            times(point.ratio.value),
            _interval(point.ratio),
            f"{point.resident_mib:.0f}",
        )
    return table


def plain_table(title: str, *heads: str, left: int = 0) -> Table:
    """Makes a table without rows; the columns after the `left` first ones hold numbers."""
    table = Table(*heads, title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1))
    for column in table.columns[left:]:
        column.justify = "right"
    return table


def _interval(ratio: Ratio | ArmResult) -> str:
    return f"{times(ratio.low)[:-1]}–{times(ratio.high)}"
