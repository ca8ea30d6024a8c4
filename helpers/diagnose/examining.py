"""The examination: look, measure, profile, and then judge; within the budget."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from helpers.diagnose import ladder, profile, signature
from helpers.diagnose.consumer import refusal, step_of
from helpers.diagnose.diagnosis import Diagnosis
from helpers.diagnose.findings import Findings, Tell
from helpers.diagnose.guard import (
    OWN,
    Deadline,
    Failed,
    Failure,
    Stuck,
    failure_of,
    failure_through_tensorflow,
    index_of,
    limited,
)
from helpers.diagnose.hazards import Evidence
from helpers.diagnose.judging import judge
from helpers.diagnose.looking import Look, look
from helpers.diagnose.probes import Kind, kind_of, running_share
from helpers.diagnose.subject import Subject, resolve
from helpers.diagnose.xray import xray
from helpers.measure import Cancelled, quick
from helpers.measure.timing import Flag
from helpers.measure.turn import turn
from helpers.quiet import tf

BATCH = 32
"""Rows in a batch when none is said."""

LOOK, CLIMB = 0.2, 0.35
"""Shares of the budget: the two passes, the ladder. The profile has 3 s of what is left at most."""

ALONGSIDE = 0.2
"""Two that share a GIL can bind each other if the shorter takes this part of the longer."""

CONSUMER_S = 1
"""Seconds for which the consumer is watched."""


def examine(
    subject: Any,
    *,
    output_signature: Any = None,
    args: Sequence[Any] | None = None,
    batch_size: int | None = None,
    consumer: Any = None,
    budget_s: float = 45,
    tell: Tell | None = None,
    cancelled: Flag | None = None,
) -> Diagnosis:
    """Examines a generator or pipeline: what is slow, what is wrong, and what to change.

    It runs the user's code, in a thread of its own, and never changes it. What it cannot see
    within the budget it says.

    Args:
        subject: A generator function, a sequence or Keras `PyDataset`, a `tf.data.Dataset`, or a
            callable that returns one of them.
        output_signature: Of one row, as for `from_generator`; proposed when it is missing.
        args: Values for the generator, which reach it as arrays, as in `from_generator`.
        batch_size: Rows in a batch; 32 unless given. A `tf.data.Dataset` has its own.
        consumer: What each batch is given to: a callable, a compiled Keras model, or None.
        budget_s: Seconds; a tenth more at most.
        tell: Told what is being done; that it has to wait is said in any case.
        cancelled: Looked at between rows and trials.

    Raises:
        TypeError: If the subject or the consumer is nothing that can be run.
        ValueError: If an argument is wrong.
        Cancelled: If `cancelled` was set.
    """
    if not budget_s > 0:
        raise ValueError(f"budget_s is a number of seconds above 0, not {budget_s!r}.")
    if batch_size is not None and (not isinstance(batch_size, int) or batch_size < 1):
        raise ValueError(f"batch_size is a whole number of rows above 0, not {batch_size!r}.")
    step, consumer_name, model = step_of(consumer)

    def waiting(words: str) -> None:
        if tell is None:
            print(words, file=sys.stderr)
        else:
            tell(words, 0.0)

    with turn(waiting, cancelled):
        exam = _Examination(
            subject, output_signature, args, batch_size or BATCH, step, consumer_name, model,
            Deadline(budget_s), tell or (lambda words, share: None),
        )  # fmt: skip
        return _within(exam, budget_s, cancelled)


def _within(exam: _Examination, budget_s: float, cancelled: Flag | None) -> Diagnosis:
    """Runs an examination to its end, its deadline or its cancellation."""
    done = threading.Event()
    if cancelled is not None:
        threading.Thread(target=exam.follow, args=(cancelled, done), daemon=True).start()
    try:
        return limited(exam.run, 1.05 * budget_s, "your code")
    except Stuck as stuck:
        exam.deadline.cancel()
        if exam.climbed is not None and exam.climbed.count:
            up = "The time was up while changes were tried" if exam.trying else f"{stuck}"
            exam.remarks.append(f"{up}; this rests on what was measured before.")
            return judge(exam)
        return exam.answer(cause="unseen", sentence=f"{stuck}.")
    except KeyboardInterrupt:
        exam.deadline.cancel()
        raise
    finally:
        done.set()


@dataclass
class _Examination(Findings):
    """The steps, each of which leaves more to answer with."""

    was_cancelled: bool = False

    def follow(self, cancelled: Flag, done: threading.Event) -> None:
        """Passes a cancel flag on to the deadline, until the examination is done."""
        while not done.wait(0.1):
            if cancelled.is_set():
                self.was_cancelled = True
                self.deadline.cancel()
                return

    def run(self) -> Diagnosis:
        """Examines, step by step; each leaves more to answer with."""
        self.say("finding out what it is")
        try:
            self.subject = resolve(self.brought, self.given, self.args)
        except (TypeError, ValueError) as error:
            if error.__traceback__ and _is_ours(error):
                raise
            return self._failed(failure_of(error, -1))
        except BaseException as error:  # the user's factory raised, or exits
            return self._failed(failure_of(error, -1))
        try:
            stopped = self._look()
        except Failed as failed:
            return self._failed(failed.failure)
        if stopped:
            return self.answer(cause="unseen", sentence=stopped)
        try:
            if refused := self._try_consumer():
                return self.answer(cause="unseen", sentence=refused)
            self._climb()
            self._profile()
        except Cancelled:
            pass
        except (tf.errors.OpError, ValueError, TypeError) as error:
            return self._refused(error)
        except Exception as error:  # the user's code, beyond the rows that were looked at
            return self._raised(error)
        if self.was_cancelled:
            raise Cancelled("cancelled before the examination was done.")
        return judge(self)

    def _look(self) -> str:
        """Looks at rows and settles the signature; returns why it must stop, or ""."""
        subject = self.subject
        if subject.rows is None:
            return "" if subject.pipeline is not None else "There are no rows to look at."
        self.say("looking at rows, twice")
        once = subject.kind == "object"
        part = Deadline(LOOK * self.deadline.left_s)
        self.seen = Look()
        look(subject.rows, self.seen, part, file=subject.file, once=once)
        if not self.seen.count:
            return (
                "It yields nothing."
                if self.seen.ended
                else ("Not one row came within the time for looking.")
            )
        try:
            self.report, self.use = signature.report(subject.signature, self.seen.kept)
        except ValueError as error:
            self.remarks.append(f"No signature fits: {error}")
            return "" if subject.pipeline is not None else f"No signature fits the rows: {error}"
        if subject.kind == "batches":
            self.batch_size = 1
        if subject.kind in ("generator", "sequence") and signature.differ_in_length(self.seen.kept):
            self.subject = replace(subject, padded=True)
            self.remarks.append("Rows differ in length, so padded_batch made their batches.")
        if once:
            return "A generator object runs once, and looking at it used it up: pass the function."
        return ""

    def _try_consumer(self) -> str:
        """Gives the consumer a batch, for what it prepares but once, and says if it refuses it."""
        if self.step is None:
            return ""
        self.say("giving the consumer a batch")
        kept = self.seen.kept if self.seen is not None else ()
        batch = ladder.one_batch(self.subject, self.use, kept, self.batch_size)
        return "" if batch is None else refusal(self.step, self.consumer, batch)

    def _climb(self) -> None:
        subject, seen = self.subject, self.seen
        known = seen.count if seen is not None and seen.ended else None
        if subject.pipeline is not None:
            size = rows_per_element(subject.pipeline())
            self.batch_size = size
            elements = self._elements(subject.pipeline())
            known = None if elements is None else elements * size
            if elements is not None and elements < 3:
                self.remarks.append(f"The data set has {elements} elements: too few to time.")
                return
        elif known is not None and known < 3 * self.batch_size:
            if known < 3:
                self.remarks.append(f"{known} rows are too few to time.")
                return
            self.batch_size = max(1, known // 4)
            self.remarks.append(
                f"There are {known} rows, so batches of {self.batch_size} were measured."
            )
        if self.report is not None and _slow_callback(self.use):
            self.tight = signature.propose(seen.kept)
        self.say("measuring where the time goes")
        part = Deadline(CLIMB / (1 - LOOK) * self.deadline.left_s)
        stop = threading.Event()
        threading.Thread(target=self.pass_on, args=(part, stop), daemon=True).start()
        try:
            self.climbed = ladder.climb(
                subject, self.use, self.tight, seen.kept if seen else (),
                batch_size=self.batch_size, rows_known=known,
                row_ns=seen.row_ns if seen else 0.0, step=self.step, deadline=part,
                tell=lambda rounds: self.say(f"measuring where the time goes, round {rounds}"),
            )  # fmt: skip
        except ValueError as error:
            why = str(error)
            if "yielded nothing" in why:
                why = "it gave no rows when it was run again."
            self.remarks.append(f"No time of a batch could be had: {why}")
            return
        self.remarks += [f"Left out, {name}: {why}." for name, why in self.climbed.left_out.items()]
        if "the user's rows" not in self.climbed.left_out:
            self._xray()

    def _elements(self, dataset: tf.data.Dataset) -> int | None:
        """How many elements a data set has, counted up to a few dozen; None for more."""
        cardinality = int(dataset.cardinality())
        if cardinality >= 0:
            return cardinality
        if cardinality == tf.data.INFINITE_CARDINALITY:
            return None
        end, count = time.monotonic() + 0.15 * self.deadline.left_s, 0
        for _ in dataset:
            count += 1
            if count >= 3 * ladder.MOST_BATCHES or time.monotonic() > end:
                return None if count >= 3 * ladder.MOST_BATCHES else count
        return count

    def _xray(self) -> None:
        try:
            self.nodes = xray(
                self.original(), elements=max(1, min(10, self.climbed.batches - 2))
            ).nodes
        except (ValueError, tf.errors.OpError) as error:
            self.remarks.append(f"The data set's steps are not known: {error}")

    def _profile(self) -> None:
        subject, seen = self.subject, self.seen
        if subject.rows is None or seen is None:
            return
        self.say("watching which lines run")
        running = running_share(seen)
        self.kind = Kind(running, float("nan"), 0.0, 1.0)
        seconds = min(3.0, 0.7 * self.deadline.left_s - 0.5)
        if seconds < 1 or seen.row_ns > 0.1e9 * seconds or quick():
            self.profiled = profile.nothing("there was no time to watch")
        else:
            self.profiled = profile.watch(subject.rows, subject.file, seconds, running)
        if self.profiled.missing:
            self.kind = kind_of(subject.rows, seen, Deadline(0.8 * self.deadline.left_s))
            self.remarks.append(f"Which lines cost the time is not known: {self.profiled.missing}.")
        self._watch_consumer()

    def _watch_consumer(self) -> None:
        """Sees how much of the consumer's time holds the GIL, where that could bind."""
        if self.climbed is None or not {ladder.CONSUMER, ladder.BARE} <= set(self.climbed.rounds):
            return
        alone, bare = (
            float(np.median(self.climbed.rounds[name])) for name in (ladder.CONSUMER, ladder.BARE)
        )
        if min(alone, bare) < ALONGSIDE * max(alone, bare) or self.profiled.missing:
            return
        if self.deadline.left_s < 3 * CONSUMER_S or alone > 1e8 * CONSUMER_S:
            return
        self.say("watching the consumer")
        self.consumer_held = profile.held_by(self.step, self.climbed.ring, CONSUMER_S)

    def _refused(self, error: Exception) -> Diagnosis:
        """TensorFlow would not take the rows, though Python gave them."""
        failure = failure_through_tensorflow(error)
        if failure is not None:
            self.remarks.append(
                "A plain loop over your code went well. TensorFlow calls it from threads of its "
                "own, not always from the same one."
            )
            return self._failed(failure)
        if not isinstance(error, tf.errors.OpError) and not _is_ours(error):
            return self._raised(error)
        last = str(error).strip().splitlines()[0][:300]
        self.remarks.append(f"TensorFlow refused the rows: {last}")
        made = self.answer(
            cause="unmeasured", sentence="No time of a batch could be had; see the remarks."
        )
        if made.first != "unmeasured":
            return made  # a hazard explains it
        return self._failed(failure_of(error, -1, self.subject.file))

    def _raised(self, error: BaseException) -> Diagnosis:
        """The user's code raised beyond the rows that were looked at."""
        failure = failure_of(error, -1, self.subject.file)
        if self.subject.rows is not None:
            part = Deadline(0.5 * self.deadline.left_s)
            failure = replace(failure, index=index_of(self.subject.rows, failure.kind, part))
        return self._failed(failure)

    def _failed(self, failure: Failure) -> Diagnosis:
        where = f" at {failure.where}" if failure.where else ""
        at = f" when element {failure.index} was asked for" if failure.index >= 0 else ""
        sentence = f"Your code raised {failure.kind}{where}{at}: {failure.message[:300]}"
        return self.answer(cause="raises", sentence=sentence, failure=failure)


def rows_per_element(dataset: tf.data.Dataset) -> int:
    """Returns how many of the source's rows an element of a data set holds, 1 if in doubt."""
    size = 1
    evidence = Evidence(Subject("pipeline", "", None, None), None, None, None, 1, dataset=dataset)
    for one, step in zip(evidence.chain, evidence.steps, strict=True):
        if step == "unbatch":
            size = 1
        try:
            size *= max(1, int(getattr(one, "_batch_size", 1)))
        except (TypeError, ValueError):
            continue
    return size


def _slow_callback(spec: Any) -> bool:
    return isinstance(spec, tf.TensorSpec) and spec.shape.rank is None


def _is_ours(error: BaseException) -> bool:
    """Whether the innermost frame of an exception is the doctor's own."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return trace is not None and trace.tb_frame.f_code.co_filename.startswith(OWN)
