"""What an examination has found so far, from which it can answer at any moment."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from helpers.diagnose import advice as advising
from helpers.diagnose import fixing, ladder, profile, signature
from helpers.diagnose.diagnosis import Diagnosis
from helpers.diagnose.guard import Deadline
from helpers.diagnose.hazards import Evidence, Hazard, find
from helpers.diagnose.looking import Look
from helpers.diagnose.probes import Kind
from helpers.diagnose.subject import Subject
from helpers.diagnose.trying import Tried, try_out
from helpers.diagnose.xray import Node
from helpers.measure import quick, this_machine
from helpers.quiet import tf

Tell = Callable[[str, float], None]
"""Called with what is being done and the share of the budget that is spent."""


@dataclass
class Findings:
    """What is known so far; `answer` can be asked for at any moment."""

    brought: Any
    given: Any
    args: Sequence[Any] | None
    batch_size: int
    step: Callable[[Any], object] | None
    consumer: str
    model: bool
    deadline: Deadline
    tell: Tell
    started: float = field(default_factory=time.perf_counter)
    subject: Subject | None = None
    seen: Look | None = None
    report: signature.SignatureReport | None = None
    use: Any = None
    tight: Any = None
    climbed: ladder.Ladder | None = None
    kind: Kind | None = None
    profiled: profile.Profile | None = None
    consumer_held: float = 0.0
    nodes: tuple[Node, ...] = ()
    remarks: list[str] = field(default_factory=list)
    trying: bool = False

    def say(self, words: str) -> None:
        """Tells what is being done."""
        spent = 1 - self.deadline.left_s / self.deadline.seconds
        self.tell(words, min(1.0, spent))

    def pass_on(self, part: Deadline, stop: threading.Event) -> None:
        """Cancels a part of the time with the whole, until it is stopped or over."""
        while not stop.wait(0.1) and part.left_s > 0:
            if self.deadline.is_set():
                part.cancel()
                return

    def overlapped(self) -> bool:
        """Whether a prefetch lets the data and the consumer run at once."""
        if self.subject.pipeline is None:
            return True  # TensorFlow adds one at the end
        names = [node.name for node in self.nodes]
        return not names or any("Prefetch" in name or "Parallel" in name for name in names[:2])

    def answer(self, *, cause: str, sentence: str, **known: Any) -> Diagnosis:
        """Makes the diagnosis of all that is known."""
        subject, hazards = self.subject, self.hazards
        name = subject.name if subject else getattr(self.brought, "__name__", "the subject")
        profiled = self.profiled
        fields: dict[str, Any] = {
            "parts": (), "work": None, "bounds": (), "headroom": None, "misfit": None,
            "advice": (), "failure": None,
        } | known  # fmt: skip
        made = Diagnosis(
            subject=name, kind=subject.kind if subject else "unknown",
            file=subject.at(1).rpartition(":")[0] if subject else "",
            consumer=self.consumer, batch_size=self.batch_size,
            seen=self._seen(failed=fields["failure"] is not None),
            signature=self.report, lines=profiled.lines if profiled else (), nodes=self.nodes,
            cause=cause, sentence=sentence, hazards=hazards, remarks=tuple(self.remarks),
            rounds=self.climbed.count if self.climbed else 0,
            seconds=time.perf_counter() - self.started, machine=this_machine(), quick=quick(),
            speedscope=profiled.speedscope if profiled else "", **fields,
        )  # fmt: skip
        object.__setattr__(made, "_trial", self._trial)  # not a field: it does not go to a file
        return made

    @functools.cached_property
    def hazards(self) -> tuple[Hazard, ...]:
        """What loses or changes data, or costs time; asked for when the looking is over."""
        subject = self.subject
        if subject is None:
            return ()
        dataset = subject.pipeline() if subject.pipeline is not None else None
        return find(
            Evidence(
                subject, self.seen, self.report, subject.signature, self.batch_size, self.model,
                dataset,
            )
        )  # fmt: skip

    @property
    def original(self) -> Callable[[], tf.data.Dataset]:
        """What builds today's pipeline."""
        return fixing.original(self.subject, self.use, self.batch_size)

    def _trial(self, one: advising.Advice, changed: Any, **how: Any) -> Tried:
        return try_out(
            self.original, changed or self.changed(one), name=one.name,
            batches=max(self.climbed.batches, at_least(one)), batch_size=self.batch_size,
            step=self.step, parallel=makes_whole(one), **how,
        )  # fmt: skip

    def changed(self, one: advising.Advice) -> Callable[[], tf.data.Dataset]:
        """Gives what builds the pipeline with a change."""
        tight = self.tight or self.use
        return fixing.changed(one, self.subject, self.use, tight, self.batch_size)

    def _seen(self, failed: bool) -> str:
        seen = self.seen
        if seen is None:
            return "No rows were looked at in Python."
        rows = f"{seen.count} rows"
        if seen.ended:
            return f"It was seen whole: {rows}."
        if failed:
            return f"{rows} were seen before that."
        return f"{rows} were seen; it has more, or no end."


def makes_whole(one: advising.Advice) -> bool:
    """Whether a fix makes whole batches at the same time; threads make rows of one."""
    return one.name == "workers"


def at_least(one: advising.Advice) -> int:
    """Batches of a trial: two turns of each worker; and more than what threads have in flight."""
    return 2 * one.workers if makes_whole(one) else 6 if one.workers else 0
