"""What a run is to do, where it writes, and what an unfinished run has done of it already."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from helpers.claims import CLAIMS, Claim, run_claim
from helpers.measure import Processes, load, quick, record, save, this_machine
from helpers.measure.machine import Machine

from . import notebooks
from .choosing import choose
from .digest import Code
from .run import Run, load_run, reference, results_name, second_of
from .time_left import TimeLeft

FULL_S, QUICK_S = {"claim": 12.0, "notebook": 70.0}, {"claim": 1.5, "notebook": 15.0}
"""What a step takes about, where no earlier run tells."""

Tell = Callable[[float, str], None]
"""Takes the share of a step that is done, and what it is at."""


@dataclass(frozen=True)
class Step:
    """One claim or one notebook.

    Attributes:
        name: The claim's id or the notebook's name without ending.
        kind: "claim" or "notebook".
        item: The claim, or the notebook's path.
        digest: Of the code that changes its numbers; what another code measured is measured again.
        store: Whether a notebook takes up what it shows, so that its figures and the results file
            come from one run.
    """

    name: str
    kind: str
    item: Any
    digest: str
    store: bool = False

    @property
    def title(self) -> str:
        """The step in words."""
        return f"{self.kind} {self.name}"

    def run(self, folder: Path, tell: Tell, processes: Processes | None) -> str:
        """Measures, leaves the records in a folder, and returns in words what came out."""
        if self.kind == "notebook":
            book = notebooks.execute(
                self.item, keep_in=folder, on_cell=lambda done, total: tell(done / total, "")
            )
            if self.store:
                notebooks.store(book, self.item)
            return "done"
        result = run_claim(
            self.item, on_progress=lambda words, share: tell(share, words), processes=processes
        )
        save(result, folder / "result.json")
        return result.verdict


@record
@dataclass(frozen=True)
class Made:
    """Under what the steps of a partial run were measured: only the same may be added."""

    machine: Machine
    quick: bool


@record
@dataclass(frozen=True)
class Done:
    """A finished step: how long it took, and the digest of its code."""

    seconds: float
    digest: str


@dataclass(frozen=True)
class Plan:
    """A run that has not begun.

    Attributes:
        steps: What it measures, in order.
        kept: Names of those that an earlier, unfinished run has measured already.
        target: The results file.
        partial: Folder for what is measured on the way.
        made: What it is measured under.
        selected: Whether it is asked for some claims and notebooks only.
        discarded: Why what an unfinished run left cannot be taken up; empty if it can be.
        before: The results file as it is, of which the steps are taken whose code is the same.
    """

    steps: tuple[Step, ...]
    kept: frozenset[str]
    target: Path
    partial: Path
    made: Made
    selected: bool
    discarded: str = ""
    before: Run | None = None

    @property
    def ahead(self) -> tuple[Step, ...]:
        """The steps that are still to do."""
        return tuple(
            step
            for step in self.steps
            if step.name not in self.kept and step.name not in self.unchanged
        )

    @property
    def unchanged(self) -> frozenset[str]:
        """Names of the steps that are taken from the results file as it is."""
        codes = self.before.codes if self.before else {}
        return frozenset(step.name for step in self.steps if codes.get(step.name) == step.digest)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What to say about an unfinished run before this one begins."""
        said = [self.discarded] if self.discarded else []
        if self.kept:
            kept = f"{len(self.kept)} of {len(self.steps)} steps"
            said.append(f"Going on where a run ended: {kept} are taken from it.")
        if self.before:
            same = f"{len(self.unchanged)} of {len(self.steps)} steps"
            said.append(f"The code of {same} is that of {self.target.name}; they are left.")
        return tuple(said)

    def folder(self, step: Step) -> Path:
        """Where a step's records go."""
        return self.partial / f"{step.kind}-{step.name}"

    def done_file(self, step: Step) -> Path:
        """What says that a step is finished; written last."""
        return self.partial / f"{step.kind}-{step.name}.done.json"

    def time_left(self) -> TimeLeft:
        """Estimates from the run that this one will replace, or from the reference run."""
        known: dict[str, float] = {}
        with suppress(ValueError):  # a damaged file is no reason not to replace it
            if self.target.exists():
                known = load_run(self.target).seconds
            elif not self.made.quick and (run := reference(self.made.machine)):
                known = run.seconds
        guess = QUICK_S if self.made.quick else FULL_S
        return TimeLeft({step.name: known.get(step.name, guess[step.kind]) for step in self.ahead})


def prepare(
    folder: Path,
    only: Sequence[str] | None = None,
    *,
    again: bool = False,
    store: bool = False,
    changed: bool = False,
) -> Plan:
    """Finds out what is to do, and whether it can be written, before anything is measured.

    Args:
        folder: Where the results file goes; made when it is missing.
        only: As for `choose`.
        again: Measure a second time, beside the results file that is there.
        store: Store in each notebook what it shows.
        changed: Measure only what has other code than the results file that is there.

    Raises:
        ValueError: In one sentence, for an unknown name, a folder that cannot be written, a
            second run without a first, or a results file that is missing or of another machine.
    """
    if only and changed:
        raise ValueError("either name what to measure or take what has changed, not both.")
    claims, books = choose(only, CLAIMS, notebooks.paths())
    codes = digests(claims, books)
    steps = [Step(claim.id, "claim", claim, codes[claim.id]) for claim in claims]
    steps += [Step(path.stem, "notebook", path, codes[path.stem], store) for path in books]
    folder = folder.resolve()  # the kernels run elsewhere
    _check_writable(folder)
    machine = this_machine()
    name = results_name(machine, quick=quick(), selected=bool(only))
    target = folder / f"{name}.json"
    if again:
        if not target.exists():
            raise ValueError(f"there is no first run {target.name} to add a second to; make it.")
        load_run(target)  # now, not when the report is written
        target = second_of(target)
    plan = Plan(
        tuple(steps),
        frozenset(),
        target,
        folder / "partial" / target.stem,
        Made(machine, quick()),
        bool(only),
        before=_before(target, machine) if changed else None,
    )
    return _take_up(plan)


def digests(
    claims: Iterable[Claim] | None = None, books: Iterable[Path] | None = None
) -> dict[str, str]:
    """Returns the digest of the code of claims and notebooks, of all unless given, by name."""
    code = Code()
    found = {claim.id: code.of_claim(claim.id) for claim in (CLAIMS if claims is None else claims)}
    for path in notebooks.paths() if books is None else books:
        found[path.stem] = code.of_notebook(path)
    return found


def _before(target: Path, machine: Machine) -> Run:
    if not target.exists():
        raise ValueError(f"there is no {target.name} to bring up to date; run without --changed.")
    run = load_run(target)
    if run.machine != machine:
        raise ValueError(
            f"{target.name} is of another machine, or of other versions than are installed: "
            "run without --changed."
        )
    return run


def _check_writable(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise ValueError(f"{folder} cannot be written: {error.strerror}.") from error


def _take_up(plan: Plan) -> Plan:
    """Finds the steps that an earlier run finished, or clears away what does not fit."""
    header = plan.partial / "made.json"
    if plan.partial.exists():
        reason = _other(header, plan.made)
        if reason:
            shutil.rmtree(plan.partial)
            plan = replace(plan, discarded=reason)
    save(plan.made, header)
    kept = [step.name for step in plan.steps if finished(plan, step)]
    return replace(plan, kept=frozenset(kept))


def _other(header: Path, made: Made) -> str:
    """Why what lies there cannot be taken up, or nothing."""
    try:
        found = load(header)
    except ValueError:
        return "What an unfinished run left cannot be read; it is measured again."
    if found == made:
        return ""
    return "The machine or a package has changed since the unfinished run; it starts afresh."


def finished(plan: Plan, step: Step) -> bool:
    """Tells whether a step was done, with the code that it has now."""
    try:
        return load(plan.done_file(step)).digest == step.digest
    except ValueError:
        return False
