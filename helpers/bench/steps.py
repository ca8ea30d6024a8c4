"""The steps of a benchmark: some or all, told and kept one by one, and ended by Ctrl-C."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

Tell = Callable[[str, float, str], None]
"""Called with a step's name, the share of it that is done, and what it is at."""

R = TypeVar("R")


def chosen(names: Iterable[str], only: Sequence[str] | None, what: str) -> list[str]:
    """Returns the names of what is to be run, in the order of running.

    Args:
        names: All there are.
        only: Some of them; None or none for all.
        what: What a name stands for, such as "workload".

    Raises:
        ValueError: In one sentence, if there is no such name.
    """
    names = list(names)
    for name in only or ():
        if name not in names:
            raise ValueError(f"there is no {what} {name!r}; there are {', '.join(names)}.")
    return [name for name in names if not only or name in only]


def one_by_one(
    names: Sequence[str],
    run: Callable[[str], None],
    result: Callable[[bool], R],
    *,
    tell: Tell,
    keep: Callable[[R], None],
) -> R:
    """Runs steps, and returns the result of those that were finished.

    Args:
        names: The steps.
        run: Runs one.
        result: Makes the result of what was run so far, told whether it is a part only.
        tell: Told how far it is.
        keep: Called with the result so far, whenever a step is finished.
    """
    try:
        for name in names:
            tell(name, 0, "")
            run(name)
            keep(result(name != names[-1]))
            tell(name, 1, "")
    except KeyboardInterrupt:
        return result(True)
    return result(False)
