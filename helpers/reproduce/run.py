"""What `workbook reproduce` writes: everything that one run measured on one machine."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from helpers.claims import ClaimResult
from helpers.measure import Measurement, load, record
from helpers.measure.keeping import FOLDER
from helpers.measure.machine import Machine
from helpers.replay import MACHINE, replaying

from .notebooks import NOTEBOOKS

RESULTS = NOTEBOOKS.parent / "results"
"""Where the reference runs are committed, and where new ones go unless told otherwise."""

SO_FAR = "so-far.json"
"""The results file of an unfinished run, beside the folders of its steps."""


@record
@dataclass(frozen=True)
class Run:
    """Everything that one run measured on one machine.

    Attributes:
        machine: What ran it.
        quick: Whether it was shortened for a test.
        code: One digest of all the code that measured; see `digest`.
        seconds: How long each claim and each notebook took, by id or by file name without ending.
        claims: The claims' results by id.
        measurements: The notebooks' comparisons by the names they keep them under.
        selected: Whether it was asked for some claims and notebooks only.
        missing: What was asked for and is not here, a sentence each; empty in a complete run.
        codes: The same for each claim and each notebook; empty in a run from before there was.
    """

    machine: Machine
    quick: bool
    code: str
    seconds: dict[str, float]
    claims: dict[str, ClaimResult]
    measurements: dict[str, Measurement]
    selected: bool = False
    missing: tuple[str, ...] = ()
    codes: dict[str, str] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether it holds every claim and every notebook."""
        return not (self.selected or self.missing)

    @property
    def mode(self) -> str:
        """How it was run, in words."""
        said = "QUICK run" if self.quick else "full run"
        said += " of a selection" if self.selected else ""
        said += ", unfinished" if self.missing else ""
        return f"{said}, numbers show nothing" if self.quick else said

    def of_notebook(self, name: str) -> dict[str, Measurement]:
        """What a notebook kept: the measurements that begin with its number."""
        number = f"{name.partition('-')[0]}-"
        return {what: one for what, one in self.measurements.items() if what.startswith(number)}

    def comparisons(self) -> Iterator[tuple[str, str, Measurement]]:
        """Yields every comparison: where it belongs, what it is called there, and itself."""
        for id_, result in self.claims.items():
            for condition in result.conditions:
                if condition.measurement is not None:
                    yield f"claim {id_}", condition.name, condition.measurement
        for name, measurement in self.measurements.items():
            yield f"notebook {name[:2]}", name, measurement


def results_name(machine: Machine, *, quick: bool = False, selected: bool = False) -> str:
    """The name of a machine's results file, without its ending.

    A shortened run and a selection have names of their own, so that neither ever takes the place
    of a machine's reference run.
    """
    slug = re.sub(r"[^a-z0-9]+", "-", machine.processor.lower()).strip("-")
    return f"{slug}-{machine.cores}-cores{'.part' * selected}{'.quick' * quick}"


def second_of(path: Path) -> Path:
    """Where the second run of a machine is kept, beside the first."""
    return path.with_name(f"{path.stem}.again.json")


def pair_of(path: Path) -> tuple[Path, Path | None]:
    """The first run of a machine, and the second if there is one, from the path of either."""
    first = path.with_name(f"{path.stem.removesuffix('.again')}.json")
    second = second_of(first)
    return first, second if second.exists() else None


def load_run(path: Path) -> Run:
    """Reads a results file of `workbook reproduce`.

    Raises:
        ValueError: In one sentence, if it is missing, truncated, newer, or something else.
    """
    run = load(path)
    if not isinstance(run, Run):
        raise ValueError(
            f"{path.name} holds a {type(run).__name__}, not a run: name a file that "
            "`workbook reproduce` wrote."
        )
    return run


def reference(machine: Machine, folder: Path | None = None) -> Run | None:
    """Returns the committed reference run: this machine's if there is one, else the first.

    A notebook that a run executes gets that run itself, with the claims that it has tried by then.

    Args:
        machine: The machine that asks.
        folder: Where the results files are; `RESULTS` unless given.

    Raises:
        ValueError: If a results file is damaged or newer.
    """
    if replaying():
        return replayed(folder)
    if keeping := os.environ.get(FOLDER):
        so_far = Path(keeping).parent / SO_FAR
        if so_far.exists() and (run := load_run(so_far)).claims:
            return run
    found = machines(folder)
    return found.get(results_name(machine)) or next(iter(found.values()), None)


def replayed(folder: Path | None = None) -> Run:
    """Returns the run that stands in for measuring: see `helpers.replay`.

    Args:
        folder: Where the results files are; `RESULTS` unless given.

    Raises:
        ValueError: In one sentence that lists the machines, if there is no such run.
    """
    return _replayed(os.environ[MACHINE], folder or RESULTS)


@functools.cache
def _replayed(name: str, folder: Path) -> Run:
    found = machines(folder)
    if name not in found and (name != "1" or not found):
        raise ValueError(f"{MACHINE} is {name!r}; there are {', '.join(found) or 'no runs'}.")
    return found.get(name) or next(iter(found.values()))


def machines(folder: Path | None = None) -> dict[str, Run]:
    """Returns the whole, full runs of a folder by machine, second runs left out.

    Args:
        folder: Where the results files are; `RESULTS` unless given.

    Raises:
        ValueError: If a results file is damaged or newer.
    """
    plain = [path for path in sorted((folder or RESULTS).glob("*.json")) if "." not in path.stem]
    found = {path.stem: load_run(path) for path in plain}
    return {name: run for name, run in found.items() if run.whole and not run.quick}
