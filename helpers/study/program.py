"""A text in phases, compiled once: what is shown is what runs."""

from __future__ import annotations

import hashlib
import linecache
import re
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

Phase = Literal["rows", "setup", "build", "drain"]


@dataclass(frozen=True)
class Block:
    """A few top-level statements of a program.

    Attributes:
        phase: When it runs. "rows": once in a process for all programs that hold the same line;
            "setup": once in a program; "build": for each trial; "drain": only when the whole text
            runs, because the measurement is what drains.
        text: The statements, without blank lines around them.
    """

    phase: Phase
    text: str


def join(blocks: Sequence[Block]) -> str:
    """Returns the blocks as one text, two blank lines around a function and one elsewhere."""
    text = ""
    for before, block in zip([None, *blocks], blocks, strict=False):
        if before is not None:
            apart = _ends_in_function(before.text) or block.text.startswith(("def ", "@"))
            text += "\n\n" if apart else "\n"
        text += block.text + "\n"
    return text


def _ends_in_function(text: str) -> bool:
    return re.findall(r"^\S.*", text, re.MULTILINE)[-1].startswith("def ")


_ROWS: weakref.WeakValueDictionary[str, np.ndarray] = weakref.WeakValueDictionary()


class Program:
    """The phases of one text, run one by one in a namespace of their own.

    The text is registered in linecache under a name made from its digest, with its own line
    numbers: tracebacks show its lines, and AutoGraph, which reads source, finds them.

    Attributes:
        namespace: The globals of the text.
    """

    def __init__(self, blocks: Sequence[Block]) -> None:
        """Compiles the blocks and runs the rows and the setup."""
        text = join(blocks)
        name = f"<pipeline {hashlib.sha256(text.encode()).hexdigest()[:12]}>"
        # Without a time stamp linecache keeps an entry for which there is no file.
        linecache.cache[name] = (len(text), None, text.splitlines(keepends=True), name)
        self.namespace: dict[str, Any] = {"__name__": "pipeline"}
        self._codes = []
        end = 0
        for block in blocks:
            start = text.index(block.text, end)
            end = start + len(block.text)
            padded = "\n" * text.count("\n", 0, start) + block.text
            self._codes.append((block, compile(padded, name, "exec", dont_inherit=True)))
        for block, code in self._codes:
            if block.phase == "rows":
                self._share_rows(block, code)
            elif block.phase == "setup":
                exec(code, self.namespace)

    def _share_rows(self, block: Block, code: Any) -> None:
        rows = _ROWS.get(block.text)
        if rows is None:
            exec(code, self.namespace)
            rows = _ROWS[block.text] = self.namespace["rows"]
        self.namespace["rows"] = rows

    def build(self) -> Any:
        """Runs the build phase and returns the data set it made."""
        for block, code in self._codes:
            if block.phase == "build":
                exec(code, self.namespace)
        # Nothing but the caller may keep the data set, or its cache would outlive it.
        dataset = self.namespace.pop("dataset")
        if folder := self.namespace.pop("folder", None):
            weakref.finalize(dataset, folder.cleanup)
        return dataset
