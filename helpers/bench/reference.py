"""The benchmark runs that are committed beside the reference runs."""

from __future__ import annotations

from pathlib import Path

from helpers.bench.results import BridgeBench
from helpers.measure import Machine, load, this_machine
from helpers.reproduce import RESULTS, results_name

ENDING = ".bench.json"


def committed(machine: Machine | None = None, folder: Path | None = None) -> BridgeBench:
    """Returns the committed run of the benchmark: a machine's if there is one, else the first.

    Args:
        machine: The machine that asks; None for the first by name, whoever asks.
        folder: Where the results files are; `RESULTS` unless given.

    Raises:
        ValueError: In one sentence, if there is none, or it is damaged or newer.
    """
    folder = folder or RESULTS
    found = {path.name: path for path in sorted(folder.glob(f"*{ENDING}"))}
    if not found:
        raise ValueError(
            "there is no committed run of the benchmark: make one with `workbook bench bridge "
            f"--json results/{results_name(machine or this_machine())}{ENDING}`."
        )
    own = found.get(results_name(machine) + ENDING) if machine else None
    return load(own or next(iter(found.values())))
