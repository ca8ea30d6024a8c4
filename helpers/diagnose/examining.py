"""The examination: look, measure, profile, judge; within the budget."""

from __future__ import annotations

import functools
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from helpers.diagnose import accounting, fixing, ladder, law, profile, signature, verdict
from helpers.diagnose import advice as advising
from helpers.diagnose.consumer import refusal, step_of
from helpers.diagnose.diagnosis import Bound, Diagnosis, Work
from helpers.diagnose.estimate import draw_medians, of_draws
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
from helpers.diagnose.hazards import Evidence, Hazard, find
from helpers.diagnose.looking import Look, look
from helpers.diagnose.probes import Kind, held_share, kind_of, running_share
from helpers.diagnose.subject import Subject, resolve
from helpers.diagnose.trying import BEFORE, Tried, race, try_out
from helpers.diagnose.xray import Node, xray
from helpers.measure import Cancelled, percent, quick, this_machine
from helpers.measure.timing import Flag
from helpers.measure.turn import turn
from helpers.quiet import tf

BATCH = 32
"""Rows in a batch when none is said."""

Tell = Callable[[str, float], None]
"""Called with what is being done and the share of the budget that is spent."""

LOOK, CLIMB, RACE = 0.2, 0.35, 0.95
"""Shares of the budget: the two passes, the ladder. The profile has 3 s of what is left, at most,
and the fixes are tried until the third share of the whole budget is gone."""

ALONGSIDE = 0.2
"""Two that share a GIL can bind each other if the shorter takes this part of the longer."""

CONSUMER_S = 1
"""Seconds for which the consumer is watched."""

RACE_S = 12
"""Seconds for trying the fixes, at most."""


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
            return exam.judge()
        return exam.answer(cause="unseen", sentence=f"{stuck}.")
    except KeyboardInterrupt:
        exam.deadline.cancel()
        raise
    finally:
        done.set()


@dataclass
class _Examination:
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
    was_cancelled: bool = False
    trying: bool = False

    def follow(self, cancelled: Flag, done: threading.Event) -> None:
        """Passes a cancel flag on to the deadline, until the examination is done."""
        while not done.wait(0.1):
            if cancelled.is_set():
                self.was_cancelled = True
                self.deadline.cancel()
                return

    def run(self) -> Diagnosis:
        """Examines, step by step; each leaves more to answer with."""
        self._say("finding out what it is")
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
        return self.judge()

    def _say(self, words: str) -> None:
        spent = 1 - self.deadline.left_s / self.deadline.seconds
        self.tell(words, min(1.0, spent))

    def _look(self) -> str:
        """Looks at rows and settles the signature; returns why it must stop, or ""."""
        subject = self.subject
        if subject.rows is None:
            return "" if subject.pipeline is not None else "There are no rows to look at."
        self._say("looking at rows, twice")
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
        self._say("giving the consumer a batch")
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
        self._say("measuring where the time goes")
        part = Deadline(CLIMB / (1 - LOOK) * self.deadline.left_s)
        stop = threading.Event()
        threading.Thread(target=self._pass_on, args=(part, stop), daemon=True).start()
        try:
            self.climbed = ladder.climb(
                subject, self.use, self.tight, seen.kept if seen else (),
                batch_size=self.batch_size, rows_known=known,
                row_ns=seen.row_ns if seen else 0.0, step=self.step, deadline=part,
                tell=lambda rounds: self._say(f"measuring where the time goes, round {rounds}"),
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

    def _pass_on(self, part: Deadline, stop: threading.Event) -> None:
        while not stop.wait(0.1) and part.left_s > 0:
            if self.deadline.is_set():
                part.cancel()
                return

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
        self._say("watching which lines run")
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
        self._say("watching the consumer")
        self.consumer_held = profile.held_by(self.step, self.climbed.ring, CONSUMER_S)

    def _work(self) -> Work | None:
        if self.kind is None:
            return None
        running = self.kind.running
        if self.profiled is not None and not self.profiled.missing:
            held = held_share(
                self.profiled.held, self.profiled.active, self.profiled.waiting, running
            )
            source = f"{self.profiled.looks} looks of py-spy, and the thread's own clock"
        else:
            held = running * (self.kind.held_low + self.kind.held_high) / 2
            source = "the thread's own clock; what holds the GIL of it is not known"
            if self.kind.rho == self.kind.rho:  # not NaN
                source = (
                    f"two threads against one gave {self.kind.rho:.2f}×: of what runs, "
                    f"{percent(self.kind.held_low)} to {percent(self.kind.held_high)} holds it"
                )
        known = not self.profiled.missing or self.kind.rho == self.kind.rho
        return Work(held, 1 - running, running - held, source, known)

    def judge(self) -> Diagnosis:
        """Draws the conclusions."""
        work = self._work()
        if self.climbed is None or not self.climbed.count:
            return self.answer(
                cause="unmeasured", sentence="No time of a batch could be had; see the remarks."
            )
        self._say("working out what binds")
        if self.climbed.count < law.FEWEST_ROUNDS:
            self.remarks.append(
                "Fewer than three rounds are not enough for intervals: give it a larger budget."
            )
        draws = draw_medians(self.climbed.rounds)
        now = next((name for name in (ladder.TOGETHER, ladder.PIPELINE, ladder.CROSSED)
                    if name in draws), None)  # fmt: skip
        row_ns = self.seen.row_ns if self.seen else 0.0

        def made(one: dict[str, float]) -> law.Coefficients:
            return accounting.coefficients(
                one, work, self.batch_size * row_ns, self.overlapped(), self.consumer_held
            )

        middle = {name: float(values[0]) for name, values in draws.items()}
        c = made(middle)
        headroom = None
        if ladder.TOGETHER in draws and self.climbed.count >= law.FEWEST_ROUNDS:
            headroom = of_draws(1 - draws[ladder.CONSUMER] / draws[ladder.TOGETHER])
        off = None if now is None else advising.misfit(made, draws, now)
        cause = verdict.cause_of(c)
        if verdict.nothing_to_win(headroom):
            cause = "consumer"
        ranked: tuple[advising.Advice, ...] = ()
        if cause != "consumer":
            found = advising.candidates(
                self.subject, self.report.proposed if self.report else "", self.batch_size, c, draws
            )
            lines = self.profiled.lines if self.profiled else ()
            found = advising.rewrites(self.hazards, lines) + found
            predicted = [
                replace(one, predicted=advising.predict(edit, made, draws, now))
                for one, edit in found
            ]
            ranked = advising.rank(
                self._race(predicted, middle.get(now, 0.0)), law.unsure(self.climbed.count, off)
            )
        if off is not None and not law.trusted(off) and any(one.tried is None for one in ranked):
            self.remarks.append(
                f"The law is {verdict.off_by(off)} off on today's batch: it does not fit this "
                "pipeline, so what it says of changes that were not tried is worth little."
            )
        sentence = verdict.sentence_of(
            cause, c, middle.get(now) or law.batch_ns(c), headroom, self.step is None
        )
        if verdict.nothing_to_win(headroom):
            sentence += " There is nothing to win here by changing the data."
        rows = law.bounds(c)
        bounds = tuple(Bound(name, ns, name == law.binding(c)) for name, ns in rows.items() if ns)
        return self.answer(
            cause=cause, sentence=sentence, parts=accounting.parts_of(draws), work=work,
            bounds=bounds, headroom=headroom, misfit=off, advice=ranked,
        )  # fmt: skip

    def _race(self, candidates: list[advising.Advice], batch_ns: float) -> list[advising.Advice]:
        """Tries what the doctor can apply itself: a trial tells more than a law.

        Args:
            candidates: All that is thought of.
            batch_ns: What a batch takes today.
        """
        part = Deadline(min(RACE_S, self.deadline.left_s - (1 - RACE) * self.deadline.seconds))
        able = [one for one in candidates if one.automatic]
        if not able or part.left_s < 1:
            return candidates
        self.trying = True  # from here on what takes its time may be a worker's start
        self._say("trying " + ", ".join(one.name for one in able))
        changed: dict[str, Callable[[], tf.data.Dataset]] = {}
        for one in able:
            try:
                changed[one.name] = self._changed(one)
            except (TypeError, ValueError) as error:
                why = str(error).partition("\n")[0]
                self.remarks.append(f"{one.name} could not be tried: {why}")
        stop = threading.Event()
        threading.Thread(target=self._pass_on, args=(part, stop), daemon=True).start()
        rounds = (1 + len(changed)) * 6  # a warm-up and five, if every arm is as slow as today's
        fit = max(ladder.FEWEST, int(part.left_s * 1e9 / (rounds * max(batch_ns, 1))))
        batches = {one.name: max(_at_least(one), min(self.climbed.batches, fit)) for one in able}
        batches[BEFORE] = min(self.climbed.batches, fit)
        try:
            gains = race(
                self.original, changed, parallel=[one.name for one in able if _whole(one)],
                batches=batches, batch_size=self.batch_size, step=self.step, deadline=part,
            )  # fmt: skip
        finally:
            stop.set()
        refused = set(changed) - set(gains)
        return [
            replace(one, tried=gains.get(one.name))
            for one in candidates
            if not (gains and one.name in refused)  # it raises: it is no fix
        ]

    def overlapped(self) -> bool:
        """Whether a prefetch lets the data and the consumer run at once."""
        if self.subject.pipeline is None:
            return True  # TensorFlow adds one at the end
        names = [node.name for node in self.nodes]
        return not names or any("Prefetch" in name or "Parallel" in name for name in names[:2])

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
            self.original, changed or self._changed(one), name=one.name,
            batches=max(self.climbed.batches, _at_least(one)), batch_size=self.batch_size,
            step=self.step, parallel=_whole(one), **how,
        )  # fmt: skip

    def _changed(self, one: advising.Advice) -> Callable[[], tf.data.Dataset]:
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


def _whole(one: advising.Advice) -> bool:
    """Whether a fix makes whole batches at the same time; threads make rows of one."""
    return one.name == "workers"


def _at_least(one: advising.Advice) -> int:
    """Batches of a trial: two turns of each worker; and more than what threads have in flight."""
    return 2 * one.workers if _whole(one) else 6 if one.workers else 0


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
