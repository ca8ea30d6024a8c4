"""The claims with the verdicts of the committed run, as `workbook claims` lists them."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import groupby
from pathlib import Path
from typing import Any

from .page import SiteError

_LIST = """
import json
from helpers.claims import listing
from helpers.measure import this_machine
from helpers.reproduce import reference

run = reference(this_machine())
print(json.dumps({
    "claims": listing(run.claims.values() if run else ()),
    "run": f"{run.machine.line}, {run.mode}" if run else "",
}))
"""


class Listing:
    """The list, made by a process of its own while the notebooks become pages.

    The catalogue of claims holds the pipelines that try them and so imports TensorFlow, which the
    pages need not wait for.
    """

    def __init__(self, root: Path) -> None:
        """Starts it.

        Args:
            root: The folder that `helpers` is imported from.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-c", _LIST],
            cwd=root,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def result(self) -> dict[str, Any]:
        """Waits for it: "claims", as `helpers.claims.listing` gives them, and "run", in words.

        Raises:
            SiteError: If the claims cannot be listed.
        """
        said, wrong = self._process.communicate()
        if self._process.returncode:
            last = (wrong.strip().splitlines() or ["no reason given"])[-1]
            raise SiteError(f"the claims cannot be listed: {last}")
        return json.loads(said)

    def end(self) -> None:
        """Ends it, if nobody waits for it any more."""
        self._process.kill()
        self._process.communicate()


def by_notebook(claims: list[dict[str, Any]]) -> list[tuple[str, list[dict[str, Any]]]]:
    """The claims in order, under the notebook that explains each."""
    ordered = sorted(claims, key=lambda claim: claim["notebook"])  # keeps their order within
    return [(name, list(group)) for name, group in groupby(ordered, lambda c: c["notebook"])]


def counts(claims: list[dict[str, Any]]) -> dict[str, int]:
    """How many claims have each verdict, in the order in which the workbook names them."""
    found = [claim["verdict"] or "not measured yet" for claim in claims]
    known = ["supported", "refuted", "depends", "inconclusive"]
    return {
        verdict: found.count(verdict)
        for verdict in [*known, *sorted(set(found) - set(known))]
        if verdict in found
    }
