"""From a run of one's own to what may be given away."""

from __future__ import annotations

import getpass
import platform
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from helpers.measure import save, this_machine
from helpers.measure.results import from_json

from .run import RESULTS, Run, load_run, results_name, second_of
from .shared import Shared, SharedRatio, Unusable, file_name

_PATH = re.compile(r"(?<!\w)(?:~|[A-Za-z]:)?[/\\]\w[\w.-]*[/\\]")


def share(results: Path | None, to: Path, *, quick: bool = False) -> tuple[Path, Shared]:
    """Writes what the room may see of a run, whole or not at all.

    Args:
        results: What `workbook reproduce` wrote, or a folder of that; `RESULTS` unless given.
        to: The folder to write to.
        quick: Whether to share a quick run.

    Returns:
        The file, and what is in it.

    Raises:
        ValueError: In one sentence, if there is none, it cannot be read, or is a quick one.
    """
    if results is None or results.is_dir():
        path, run = _latest(results or RESULTS, quick)
    else:
        path, run = results, load_run(results)
    if run.quick and not quick:
        raise ValueError(
            f"{path.name} is a quick run, whose numbers show nothing: run `workbook reproduce` in "
            "full, or give --quick to share it as one."
        )
    shared = shared_of(run)
    return save(shared, file_name(shared.machine, to)), shared


def _latest(folder: Path, quick: bool) -> tuple[Path, Run]:
    """The newest run of this machine in a folder."""
    machine = this_machine()

    def names(quick: bool) -> Iterator[Path]:
        for selected in (False, True):
            path = folder / f"{results_name(machine, quick=quick, selected=selected)}.json"
            yield from (path, second_of(path))

    found = [path for path in names(quick) if path.exists()]
    if not found:
        if not quick and any(path.exists() for path in names(True)):
            raise ValueError(
                f"{folder.name}/ has a quick run of this machine only, whose numbers show nothing: "
                "run `workbook reproduce` in full, or give --quick to share it as one."
            )
        raise ValueError(
            f"{folder.name}/ has no results of this machine: run "
            f"`workbook reproduce{' --quick' * quick}` first, or name the file to share."
        )
    runs = [(path, load_run(path)) for path in sorted(found, key=lambda path: -_age(path))]
    own = [(path, run) for path, run in runs if run.machine == machine]
    if not own:
        # The reference run that comes with the workbook may be of a machine of the same name.
        raise ValueError(
            f"{runs[0][0].name} is of another machine, or of other versions than are installed: "
            "run `workbook reproduce` first, or name the file to share it all the same."
        )
    return own[0]


def _age(path: Path) -> float:
    return path.stat().st_mtime


def shared_of(run: Run) -> Shared:
    """What the room sees of a run: numbers, verdicts, and the kind of machine.

    What a check saw, and why something could not run, stays behind: it is free text, in which a
    path may stand. So does a ratio with a name that holds a path, the user's or the host's name.

    Raises:
        ValueError: If nothing is left.
    """
    personal = _personal()
    ratios = []
    for where, what, measurement in run.comparisons():
        for arm in measurement.arms:
            names = (where, what, arm, measurement.baseline)
            if arm != measurement.baseline and not any(personal.search(name) for name in names):
                found = measurement.ratio(arm)
                ratios.append(
                    SharedRatio(
                        *names, found.value, found.low, found.high, found.rounds, found.processes
                    )
                )
    verdicts = {
        id_: result.verdict for id_, result in run.claims.items() if not personal.search(id_)
    }
    try:
        return Shared(run.machine, run.quick, run.whole, run.code, verdicts, tuple(ratios))
    except Unusable as error:
        raise ValueError(f"this run cannot be shared: {error}.") from error


def shared_of_json(data: dict[str, Any]) -> Shared:
    """The same of a whole run that somebody put into the room as it is.

    Raises:
        Unusable: If it is damaged.
    """
    try:
        return shared_of(from_json(data, "it"))
    except Exception as error:  # the trials of a hostile file can make anything fail
        said = str(error) if isinstance(error, ValueError) else "its trials cannot be reckoned with"
        raise Unusable(said.rstrip(".")) from error


def _personal() -> re.Pattern[str]:
    """Finds paths, and the names of this user and this host, as words."""
    words = [platform.node(), platform.node().partition(".")[0]]
    with suppress(KeyError, OSError, ImportError):  # a container may have no name for its user
        words.append(getpass.getuser())
    words = [re.escape(word) for word in words if len(word) > 2]
    named = "|".join([re.escape(str(Path.home())), *(rf"(?<!\w){word}(?!\w)" for word in words)])
    return re.compile(rf"{_PATH.pattern}|{named}", re.IGNORECASE)
