"""An exercise: what is asked, a place to write, a hint, a solution, and a check in words."""

from __future__ import annotations

import ast
import hashlib
import linecache
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import CodeType, FunctionType
from typing import Any, Literal

from helpers.study import PipelineOptions

NAMES = """
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice

import numpy as np

from helpers import bridge
from helpers.measure import ratio_of_times
from helpers.quiet import tf
from helpers.study import EXAMPLES, PipelineOptions
"""
"""What the code of an exercise may use; its notebook imports what of it is used there."""

_LONGEST = 200
"""Letters of an error's message; TensorFlow's go on for pages."""


class NotYetError(Exception):
    """Says in a sentence what is wrong with an answer."""


@dataclass(frozen=True)
class Count:
    """Something that was counted while an answer ran.

    Attributes:
        what: Such as "crossings".
        found: How many there were.
        wanted: How many a right answer has.
    """

    what: str
    found: int
    wanted: int


class Seen:
    """What a look at an answer saw; it is shown beside the sentence.

    Attributes:
        counts: In the order in which they were counted.
        code: The pipeline that the answer describes, or nothing.
    """

    def __init__(self) -> None:
        self.counts: list[Count] = []
        self.code = ""

    def count(self, what: str, found: int, wanted: int) -> bool:
        """Notes a count, and tells whether it is the wanted one."""
        self.counts.append(Count(what, found, wanted))
        return found == wanted


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        state: "nothing" where the reader wrote nothing yet.
        sentence: What is wrong, or what was found to be right.
        counts: What was counted on the way.
        code: The pipeline that the answer describes, or nothing.
    """

    state: Literal["nothing", "wrong", "right"]
    sentence: str
    counts: tuple[Count, ...] = ()
    code: str = ""


@dataclass(frozen=True)
class Exercise:
    """One exercise; notebook, check and tests are all made from it.

    Attributes:
        name: The notebook's number and a word or two; what is kept of it is found by this name.
        title: A few words.
        spec: What is asked, in Markdown.
        start: The code that the reader changes.
        solution: The code that takes its place.
        answer: The name that the code gives to what is checked.
        hint: Where to look, without the solution.
        right: What is true of a right answer, as a sentence.
        look: Looks at an answer and raises `NotYetError` if something is wrong with it. It looks at
            content and counts events, and at no clock.
        given: Code before the start, which stays as it is.
    """

    name: str
    title: str
    spec: str
    start: str
    solution: str
    answer: str
    hint: str
    right: str
    look: Callable[[Any, Seen], None]
    given: str = ""

    def check(self, made: Any) -> Finding:
        """Tells what is wrong with an answer, in one sentence; it never raises.

        Args:
            made: What the reader's code made.
        """
        if self._untouched(made):
            return Finding("nothing", "Nothing is here yet: change the lines above and run them.")
        seen = Seen()
        try:
            self.look(made, seen)
        except NotYetError as wrong:
            return Finding("wrong", f"Not yet. {wrong}", tuple(seen.counts), seen.code)
        except Exception as error:  # the reader's code may raise anything
            return Finding("wrong", f"Not yet. {_raised(error, made)}", tuple(seen.counts))
        return Finding("right", f"Right. {self.right}", tuple(seen.counts), seen.code)

    def answered(self, code: str) -> Any:
        """Runs code in the place of the start, and returns what it makes.

        Args:
            code: Such as the solution.
        """
        text = "\n".join([NAMES, self.given, code])
        file = f"<exercise {hashlib.sha256(text.encode()).hexdigest()[:12]}>"
        # Without a time stamp linecache keeps an entry for which there is no file.
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        names: dict[str, Any] = {"__name__": "exercise"}
        exec(compile(text, file, "exec", dont_inherit=True), names)
        return names[self.answer]

    def text(self, number: int) -> str:
        """What the notebook says before the cell.

        Args:
            number: Of the exercise in its notebook.
        """
        return f"**Exercise {number}. {self.title}.** {self.spec}"

    def cell(self) -> str:
        """The notebook's cell: a place to write, and the check."""
        parts = [self.given, self.start, f'check("{self.name}", {self.answer})']
        text = ""
        for part in filter(None, (part.strip("\n") for part in parts)):
            apart = part.startswith("def ") or _ends_in_function(text)
            text += (("\n\n\n" if apart else "\n") if text else "") + part
        return text

    def _untouched(self, made: Any) -> bool:
        """Tells whether an answer is the start as it was given."""
        if made is None or made is ...:
            return True
        start = self.answered(self.start)
        if isinstance(made, FunctionType) and isinstance(start, FunctionType):
            return _same_code(made.__code__, start.__code__)
        if isinstance(made, PipelineOptions) and isinstance(start, PipelineOptions):
            return made == replace(start, take=made.take)  # quick mode takes fewer
        try:
            return type(made) is type(start) and bool(made == start)
        except Exception:  # arrays, and types that refuse to be compared
            return False


def _ends_in_function(code: str) -> bool:
    return isinstance(ast.parse(code or "0").body[-1], ast.FunctionDef)


def _same_code(one: CodeType, other: CodeType) -> bool:
    """Compares what two functions do, wherever they are written."""
    if (one.co_code, one.co_names, one.co_varnames) != (
        other.co_code, other.co_names, other.co_varnames,
    ) or len(one.co_consts) != len(other.co_consts):  # fmt: skip
        return False
    return all(
        _same_code(mine, yours)
        if isinstance(mine, CodeType) and isinstance(yours, CodeType)
        else type(mine) is type(yours) and mine == yours
        for mine, yours in zip(one.co_consts, other.co_consts, strict=True)
    )


def _raised(error: Exception, made: Any) -> str:
    """Says what was raised, and in which of the reader's lines."""
    said = " ".join(str(error).split())
    said = said if len(said) <= _LONGEST else said[:_LONGEST] + " …"
    file = getattr(getattr(made, "__code__", None), "co_filename", None)
    lines = [
        frame.line for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file
    ]
    where = f" in the line `{lines[-1]}`" if lines and lines[-1] else ""
    return f"Your code raised {type(error).__name__}{where}: {said}"
