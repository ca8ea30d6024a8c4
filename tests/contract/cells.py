"""One cell: a way under a use, beside tf.data's own pipeline under the same use."""

import functools
import re
import time
from typing import Any

from contract import refused
from contract.result import DIFFERENT, EQUAL, REFUSED, SKIPPED, Cell
from contract.seen import difference
from contract.use import Use
from contract.uses import USES
from contract.ways import WAYS, Build, Way

LONGEST = 300  # characters of an error


class Building:
    """Builds a data set, and knows whose.

    Args:
      build: Builds it.
      stock: Whether it is tf.data's own.
    """

    def __init__(self, build: Build, stock: bool):
        self._build = build
        self.stock = stock

    def __call__(self, **options):
        return self._build(**options)


class Raised:
    """What a use raised, in place of a record."""

    def __init__(self, error: BaseException):
        self.kind = type(error).__name__
        self.text = wording(error)


def wording(error: BaseException) -> str:
    """The message of an error, in a line and without paths of this machine."""
    text = " ".join(str(error).split())
    text = re.sub(r"\{\{[^}]*\}?\}?\}", "", text)
    text = re.sub(r"(?<![\w.])(?:/[\w.+@-]+){2,}", "…", text)
    text = re.sub(r"\b[\w.-]+:\d{4,5}\b", "…", text)  # addresses of an in-process cluster
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def cells_of(way: str, use: str) -> bool:
    """Whether a way and a use make a cell."""
    return WAYS[way].shuffled == USES[use].shuffled


def fill(way_name: str, use_name: str) -> Cell:
    """Runs one cell in this process."""
    way, use = WAYS[way_name], USES[use_name]
    begun = time.perf_counter()
    try:
        status, text = _judge(way, use)
    except Exception as error:
        status, text = DIFFERENT, f"the comparison fails: {type(error).__name__}: {error}"
    return Cell(way.name, use.family, use.name, status, text, time.perf_counter() - begun)


def skipped(way: str, use: str, why: str) -> Cell:
    """A cell that cannot run here."""
    return Cell(way, USES[use].family, use, SKIPPED, why)


def broken(way: str, use: str, what: str) -> Cell:
    """A cell whose process came to an end."""
    return Cell(way, USES[use].family, use, DIFFERENT, what)


def _judge(way: Way, use: Use) -> tuple[str, str]:
    found = _record(use, way.ours, stock=False)
    sentence = refused.REFUSED.get((way.name, use.name))
    if sentence is not None:
        if not isinstance(found, Raised):
            return DIFFERENT, f"is listed as refused ({sentence}), and works"
        if sentence not in found.text:
            return DIFFERENT, f"has to be refused with “{sentence}”; it is {_said(found)}"
        return REFUSED, _said(found)
    may_be_lost = isinstance(found, Raised) and (way.name, use.name) in refused.MAY_BE_LOST
    if may_be_lost and any(sentence in found.text for sentence in refused.LOSSES):
        return REFUSED, _said(found)
    expected = _reference(way.reference, use.name)
    if isinstance(expected, Raised):
        if isinstance(found, Raised) and found.kind == expected.kind:
            return EQUAL, f"tf.data too: {expected.kind}"
        if not isinstance(found, Raised) and (why := refused.WORKS_ALONE.get((way.name, use.name))):
            return EQUAL, f"works: {why}"
        what = _said(found) if isinstance(found, Raised) else "it works"
        return DIFFERENT, f"{what}, where tf.data raises {_said(expected)}"
    if isinstance(found, Raised):
        return DIFFERENT, _said(found)
    text = difference(found, expected)
    return (DIFFERENT, text) if text else (EQUAL, "")


@functools.cache
def _reference(reference: str, use: str) -> Any:
    """What tf.data gives, once for the ways that are held to the same pipeline."""
    way = next(way for way in WAYS.values() if way.reference == reference)
    return _record(USES[use], way.stock, stock=True)


def _record(use: Use, build: Build, stock: bool) -> Any:
    try:
        return use.run(Building(build, stock))
    except Exception as error:
        return Raised(error)


def _said(raised: Raised) -> str:
    return f"{raised.kind}: {raised.text}"
