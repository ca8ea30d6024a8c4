"""Exercises of notebook 13: what a policy promises, and when writing pays."""

from __future__ import annotations

import math
from typing import Any

from . import looking
from .exercise import Exercise, NotYetError, Seen

_WAYS = ("OFF", "DYNAMIC", "materialise")

_RIGHT = {
    "one epoch, no row twice": "DYNAMIC",
    "endless, and a lost worker costs no row": "OFF",
    "slow rows, the same in each of ten epochs": "materialise",
}

_WHY = {
    ("one epoch, no row twice", "OFF"): "With OFF each worker gives all rows: two workers give "
    "each row twice.",
    ("one epoch, no row twice", "materialise"): "Written once they would come once, but for one "
    "epoch the writing does not pay.",
    ("endless, and a lost worker costs no row", "DYNAMIC"): "With DYNAMIC a killed worker takes "
    "what it was given and had not sent with it.",
    ("endless, and a lost worker costs no row", "materialise"): "A stream without an end does not "
    "fit on a disk.",
    ("slow rows, the same in each of ten epochs", "OFF"): "The workers would make the same slow "
    "rows ten times over.",
    ("slow rows, the same in each of ten epochs", "DYNAMIC"): "The workers would make the same "
    "slow rows ten times over.",
}


def _promise(made: Any, seen: Seen) -> None:
    made = looking.filled(made, _RIGHT)
    for use, way in made.items():
        if way not in _WAYS:
            raise NotYetError(f"“{use}” has {way!r}; the ways are {looking.listed(_WAYS)}.")
    seen.count("right", sum(made[use] == way for use, way in _RIGHT.items()), len(_RIGHT))
    for use, way in _RIGHT.items():
        if made[use] != way:
            raise NotYetError(f"“{use}”: {_WHY[use, made[use]]}")


PROMISE = Exercise(
    name="13-promise",
    title="What was promised",
    spec='Give each use its way: `"OFF"` or `"DYNAMIC"`, the sharding policies of the service, '
    'or `"materialise"`.',
    start="""
promise = {
    "one epoch, no row twice": ...,
    "endless, and a lost worker costs no row": ...,
    "slow rows, the same in each of ten epochs": ...,
}
""",
    solution="""
promise = {
    "one epoch, no row twice": "DYNAMIC",
    "endless, and a lost worker costs no row": "OFF",
    "slow rows, the same in each of ten epochs": "materialise",
}
""",
    answer="promise",
    hint="Ask of each way how often a row comes at most, and at least when a worker dies.",
    right="At most once, at least once, and made only once.",
    look=_promise,
)


def _pays(made: Any, seen: Seen) -> None:
    cases = [(11, 3, 1), (9, 4, 1), (0.5, 4, 1), (100, 3, 2.5), (10, 1, 1), (10, 1, 2)]
    right = 0
    for once_s, made_s, read_s in cases:
        found = looking.called(made, once_s, made_s, read_s)
        saved = made_s - read_s
        wanted = max(1, math.ceil(once_s / saved)) if saved > 0 else None
        said = f"Writing {once_s} s, an epoch {made_s} s made and {read_s} s read"
        if wanted is None and found is not None:
            raise NotYetError(f"{said}: it never pays, so None is wanted, not {found!r}.")
        if wanted is not None and found is None:
            raise NotYetError(f"{said}: it does pay, each epoch saves {saved} s.")
        if wanted is not None:
            looking.number(
                found, wanted,
                {
                    once_s / saved: f"{said}: epochs are whole; after a part of one nothing has "
                    "paid yet.",
                    once_s // saved: f"{said}: after {{value}} epochs it has not paid yet; the "
                    "next one does it.",
                    math.ceil(once_s / made_s): f"{said}: an epoch saves the difference, since "
                    "stored rows have to be read.",
                },
                f"{said}: {{value}} epochs are not when both ways have cost the same.",
            )  # fmt: skip
        right += 1
    seen.count("cases", right, len(cases))


PAYS = Exercise(
    name="13-pays",
    title="When writing pays",
    spec="Writing takes `once_s` seconds, an epoch of made rows `made_s`, an epoch of stored ones "
    "`read_s`. After how many epochs has writing and reading cost no more than making? Return "
    "`None` where it never pays.",
    start="""
def pays_after(once_s, made_s, read_s):
    return 1  # change me
""",
    solution="""
def pays_after(once_s, made_s, read_s):
    saved = made_s - read_s
    return max(1, -int(-once_s // saved)) if saved > 0 else None
""",
    answer="pays_after",
    hint="Each epoch saves the difference between making and reading; epochs are whole.",
    right="Whole epochs, the difference as what each saves, and None where nothing is saved.",
    look=_pays,
)
