"""What a participant gives to the room: ratios and verdicts of a run, and nothing personal.

It needs no TensorFlow, so that a room of hundreds is read within seconds: the intervals were
computed where the trials are, on the participant's machine.
"""

from __future__ import annotations

import json
import math
import re
import secrets
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cattrs

from helpers.claims.expectation import CANNOT_RUN, DEPENDS, INCONCLUSIVE, REFUTED, SUPPORTED
from helpers.measure import Ratio, record
from helpers.measure.machine import Machine
from helpers.measure.results import READS, from_json

VERDICTS = (SUPPORTED, REFUTED, DEPENDS, INCONCLUSIVE, CANNOT_RUN)
"""Every verdict, as they are told."""

LARGEST = 64 * 2**20
"""Bytes of a file that is still read; a whole run has 2 MB."""

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # those that are not taken for one another
_LONGEST = 300
_MOST = 5000
_SPAN = 1e7


class Unusable(ValueError):
    """A file cannot be used; the message says why, with "it" for the file."""


@dataclass(frozen=True)
class SharedRatio:
    """One arm's ratio to its baseline, with its interval.

    Attributes:
        where: The claim or the notebook.
        what: The condition or the measurement.
        arm: The arm.
        baseline: What it is compared with.
        value: The ratio.
        low: Lower end of its 95 % interval.
        high: Upper end.
        rounds: Paired rounds that it rests on.
        processes: Processes that they were run in.
    """

    where: str
    what: str
    arm: str
    baseline: str
    value: float
    low: float
    high: float
    rounds: int
    processes: int

    def __post_init__(self) -> None:
        ends = (self.low, self.value, self.high)
        if not all(1 / _SPAN <= end <= _SPAN for end in ends):  # NaN is not, either
            raise Unusable("a ratio in it is none that can be measured")
        if self.low > self.high or self.rounds < 1 or self.processes < 1:
            raise Unusable("a ratio in it contradicts itself")
        _check_words(self.where, self.what, self.arm, self.baseline)

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What makes it the same ratio on another machine."""
        return self.where, self.what, self.arm, self.baseline

    @property
    def ratio(self) -> Ratio:
        """The numbers alone."""
        return Ratio(self.value, self.low, self.high, self.rounds, self.processes)


@record
@dataclass(frozen=True)
class Shared:
    """A run as the room sees it.

    Attributes:
        machine: What ran it.
        quick: Whether it was shortened for a test.
        whole: Whether it has every claim and every notebook.
        code: Digest of the code that measured.
        verdicts: By the claim's id.
        ratios: Of all claims and notebooks.
    """

    machine: Machine
    quick: bool
    whole: bool
    code: str
    verdicts: dict[str, str]
    ratios: tuple[SharedRatio, ...]

    def __post_init__(self) -> None:
        machine = self.machine
        if not (1 <= machine.cores <= 10**5 and 0 <= machine.memory_gib <= 10**6):
            raise Unusable("its cores or its memory are none of a machine")
        if max(len(self.ratios), len(self.verdicts), len(machine.versions)) > _MOST:
            raise Unusable(f"it has more than {_MOST} entries of a kind")
        if not set(self.verdicts.values()) <= set(VERDICTS):
            raise Unusable("it has a verdict that there is not")
        if len({ratio.key for ratio in self.ratios}) < len(self.ratios):
            raise Unusable("it has one ratio twice")
        if not self.ratios and not self.verdicts:
            raise Unusable("it has neither a ratio nor a verdict")
        _check_words(
            machine.processor, machine.system, machine.python, self.code,
            *self.verdicts, *machine.versions, *machine.versions.values(),
        )  # fmt: skip


def clean(words: str, longest: int = _LONGEST) -> str:
    """Makes other people's words fit for a line.

    Args:
        words: What they wrote; of it, what cannot be printed becomes a question mark.
        longest: Letters that are kept.
    """
    said = "".join(letter if letter.isprintable() else "?" for letter in words[: longest + 1])
    return said if len(said) <= longest else f"{said[: longest - 1]}…"


def _check_words(*words: str) -> None:
    for word in words:
        if len(word) > _LONGEST:
            raise Unusable(f"a name in it has more than {_LONGEST} letters")
        if not word.isprintable():  # control codes would reach the terminal
            raise Unusable("a name in it has letters that cannot be printed")


def read(path: Path) -> tuple[str, Any]:
    """Reads a file of the room as far as its envelope.

    Args:
        path: The file.

    Returns:
        The kind of its record, and the whole, as JSON gives it.

    Raises:
        Unusable: If it is no results file, or one of a schema that is not read here.
    """
    if not path.name.lower().endswith(".json"):
        raise Unusable("its name does not end in .json")
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise Unusable("it is not a file")  # a pipe would be waited for
        if found.st_size > LARGEST:
            raise Unusable(f"it has more than {LARGEST >> 20} MB")
        text = path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise Unusable(f"it cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise Unusable("it is not text in UTF-8") from error
    if not text.strip():
        raise Unusable("it is empty")
    try:
        data = json.loads(text)
    except RecursionError as error:
        raise Unusable("it is nested too deeply") from error
    except ValueError as error:
        raise Unusable(_why_not_json(text)) from error
    if not isinstance(data, dict) or "kind" not in data or data.get("schema") not in READS:
        try:
            from_json(data, "it")
        except ValueError as error:
            raise Unusable(str(error).rstrip(".")) from error
    kind = data["kind"]
    if kind not in ("Shared", "Run"):
        raise Unusable(f"it holds a {kind}, not a run")
    return kind, data


def _why_not_json(text: str) -> str:
    """Tells a file that stops early from one that never was JSON."""
    if text.lstrip()[0] not in "{[":
        return "it is not JSON"
    try:
        json.JSONDecoder().raw_decode(text.strip())
    except json.JSONDecodeError as error:
        if error.pos >= len(text.strip()) - 1 or "Unterminated" in error.msg:
            return "it was cut short: its JSON stops in the middle"
        return f"its JSON is broken in line {error.lineno}, column {error.colno}"
    except (ValueError, RecursionError):
        return "its JSON is broken"
    return "it goes on after the end of its JSON"


def shared_from(data: dict[str, Any]) -> Shared:
    """Makes of JSON values what was shared, and takes no value for another's kind.

    Raises:
        Unusable: If something is missing, of another type, or beyond reason.
    """
    try:
        return _strict.structure(data.get("record"), Shared)
    except Exception as error:  # cattrs raises groups of many types
        raise Unusable(_first(error)) from error


def _first(error: BaseException) -> str:
    """The first thing that is odd, of all that cattrs found."""
    while (inner := getattr(error, "exceptions", None)) and not isinstance(error, Unusable):
        error = inner[0]
    if isinstance(error, Unusable):
        return str(error)
    if isinstance(error, cattrs.errors.ForbiddenExtraKeysError):
        return f"it has fields that there are not: {', '.join(sorted(error.extra_fields))}"
    if isinstance(error, KeyError) and error.args:
        return f"it is damaged: {error.args[0]!r} is missing"
    return "it is damaged: it has missing or odd parts"


def _exact(value: Any, kind: type) -> Any:
    """Refuses what cattrs would convert: a text for a number, or a list for a text."""
    fits = isinstance(value, (int, float) if kind is float else kind)
    if not fits or (kind is not bool and isinstance(value, bool)):
        raise Unusable(f"it is damaged: it has a {type(value).__name__} for a {kind.__name__}")
    if kind is float:
        value = float(min(max(value, -_SPAN * 10), _SPAN * 10)) if value == value else math.nan
    return value


_strict = cattrs.Converter(forbid_extra_keys=True)
for _kind in (str, int, float, bool):
    _strict.register_structure_hook(_kind, _exact)


def file_name(machine: Machine, folder: Path) -> Path:
    """A new name in a folder: some letters by chance, and the kind of machine."""
    slug = re.sub(r"[^a-z0-9]+", "-", machine.processor.lower()).strip("-")[:60]
    while True:
        chance = "".join(secrets.choice(_LETTERS) for _ in range(6))
        path = folder / f"{chance}-{slug}-{machine.cores}-cores.json"
        if not path.exists():
            return path
