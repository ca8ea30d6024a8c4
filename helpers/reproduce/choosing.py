"""Claims and notebooks by the names that a command is given."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from helpers.claims import Claim


def choose(
    only: Sequence[str] | None,
    claims: Sequence[Claim],
    books: Sequence[Path],
) -> tuple[list[Claim], list[Path]]:
    """Finds what was asked for, in the order of the ledger and of reading.

    Args:
        only: Ids of claims, and notebooks by number, name or file name; all unless given.
        claims: All that there are.
        books: All that there are.

    Raises:
        ValueError: In one sentence that lists what is near, for a name that is neither.
    """
    if not only:
        return list(claims), list(books)
    names = {path: {path.stem, path.name, path.stem.partition("-")[0]} for path in books}
    for name in only:
        if not any(name == claim.id for claim in claims) and not any(
            name in each for each in names.values()
        ):
            raise ValueError(_unknown(name, [claim.id for claim in claims], books))
    return (
        [claim for claim in claims if claim.id in only],
        [path for path in books if names[path] & set(only)],
    )


def _unknown(name: str, ids: list[str], books: Sequence[Path]) -> str:
    """A sentence with what is spelled alike, else with what there is."""
    stems = [path.stem for path in books]
    near = [each for each in (*ids, *stems) if name.lower() in each]
    near += difflib.get_close_matches(name.lower(), [*ids, *stems], n=4, cutoff=0.5)
    what = "claim or notebook" if ids else "notebook"
    if near:
        return f"there is no {what} {name!r}; near it are {', '.join(dict.fromkeys(near))}."
    tail = "; `workbook claims` lists the claims." if ids else "."
    return f"there is no {what} {name!r}; there are {', '.join(stems)}{tail}"
