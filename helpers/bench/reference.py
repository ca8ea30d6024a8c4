"""The benchmark runs that are committed beside the reference runs."""

from __future__ import annotations

from pathlib import Path

from helpers.bench.fit_results import FitBench
from helpers.bench.results import BridgeBench
from helpers.measure import Machine, load, this_machine
from helpers.reproduce import RESULTS, results_name

ENDINGS = {"bridge": ".bench.json", "sources": ".sources.json", "fit": ".fit.json"}


def committed(
    machine: Machine | None = None, folder: Path | None = None, *, what: str = "bridge"
) -> BridgeBench | FitBench:
    """Returns the committed run of the benchmark: a machine's if there is one, else the first.

    A quick run, whose numbers show nothing, is returned only where there is no full one.

    Args:
        machine: The machine that asks; None for the first by name, whoever asks.
        folder: Where the results files are; `RESULTS` unless given.
        what: "bridge", "sources" or "fit".

    Raises:
        ValueError: In one sentence, if there is none, or it is damaged or newer.
    """
    folder = folder or RESULTS
    found = {path.name: path for path in sorted(folder.glob(f"*{ENDINGS[what]}"))}
    if not found:
        raise ValueError(
            f"there is no committed run of the benchmark: make one with `workbook bench {what} "
            f"--json results/{results_name(machine or this_machine())}{ENDINGS[what]}`."
        )
    own = results_name(machine) + ENDINGS[what] if machine else ""
    runs = [load(found[name]) for name in sorted(found, key=lambda name: name != own)]
    return next((run for run in runs if not run.quick), runs[0])
