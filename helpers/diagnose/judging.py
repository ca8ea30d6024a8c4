"""What an examination's findings amount to: work, cause, and changes that were tried."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from helpers.diagnose import accounting, ladder, law, verdict
from helpers.diagnose import advice as advising
from helpers.diagnose.diagnosis import Bound, Diagnosis, Work
from helpers.diagnose.estimate import draw_medians, of_draws
from helpers.diagnose.findings import Findings, at_least, makes_whole
from helpers.diagnose.guard import Deadline
from helpers.diagnose.probes import held_share
from helpers.diagnose.trying import BEFORE, race
from helpers.measure import percent
from helpers.quiet import tf

RACE = 0.95
"""Share of the budget after which no change is tried any more."""

RACE_S = 12
"""Seconds for trying the changes, at most."""


def judge(found: Findings) -> Diagnosis:
    """Draws the conclusions.

    Args:
        found: What is known.
    """
    work = _work(found)
    if found.climbed is None or not found.climbed.count:
        return found.answer(
            cause="unmeasured", sentence="No time of a batch could be had; see the remarks."
        )
    found.say("working out what binds")
    if found.climbed.count < law.FEWEST_ROUNDS:
        found.remarks.append(
            "Fewer than three rounds are not enough for intervals: give it a larger budget."
        )
    draws = draw_medians(found.climbed.rounds)
    now = next((name for name in (ladder.TOGETHER, ladder.PIPELINE, ladder.CROSSED)
                if name in draws), None)  # fmt: skip
    row_ns = found.seen.row_ns if found.seen else 0.0

    def made(one: dict[str, float]) -> law.Coefficients:
        return accounting.coefficients(
            one, work, found.batch_size * row_ns, found.overlapped(), found.consumer_held
        )

    middle = {name: float(values[0]) for name, values in draws.items()}
    c = made(middle)
    headroom = None
    if ladder.TOGETHER in draws and found.climbed.count >= law.FEWEST_ROUNDS:
        headroom = of_draws(1 - draws[ladder.CONSUMER] / draws[ladder.TOGETHER])
    off = None if now is None else advising.misfit(made, draws, now)
    cause = verdict.cause_of(c)
    if verdict.nothing_to_win(headroom):
        cause = "consumer"
    ranked: tuple[advising.Advice, ...] = ()
    if cause != "consumer":
        proposed = found.report.proposed if found.report else ""
        lines = found.profiled.lines if found.profiled else ()
        changes = advising.rewrites(found.hazards, lines)
        changes += advising.candidates(found.subject, proposed, found.batch_size, c, draws)
        predicted = [
            replace(one, predicted=advising.predict(edit, made, draws, now))
            for one, edit in changes
        ]
        ranked = advising.rank(
            _race(found, predicted, middle.get(now, 0.0)), law.unsure(found.climbed.count, off)
        )
    if off is not None and not law.trusted(off) and any(one.tried is None for one in ranked):
        found.remarks.append(
            f"The law is {verdict.off_by(off)} off on today's batch: it does not fit this "
            "pipeline, so what it says of changes that were not tried is worth little."
        )
    sentence = verdict.sentence_of(
        cause, c, middle.get(now) or law.batch_ns(c), headroom, found.step is None
    )
    if verdict.nothing_to_win(headroom):
        sentence += " There is nothing to win here by changing the data."
    rows = law.bounds(c)
    bounds = tuple(Bound(name, ns, name == law.binding(c)) for name, ns in rows.items() if ns)
    return found.answer(
        cause=cause, sentence=sentence, parts=accounting.parts_of(draws), work=work,
        bounds=bounds, headroom=headroom, misfit=off, advice=ranked,
    )  # fmt: skip


def _work(found: Findings) -> Work | None:
    if found.kind is None:
        return None
    running = found.kind.running
    if found.profiled is not None and not found.profiled.missing:
        held = held_share(
            found.profiled.held, found.profiled.active, found.profiled.waiting, running
        )
        source = f"{found.profiled.looks} looks of py-spy, and the thread's own clock"
    else:
        held = running * (found.kind.held_low + found.kind.held_high) / 2
        source = "the thread's own clock; what holds the GIL of it is not known"
        if found.kind.rho == found.kind.rho:  # not NaN
            source = (
                f"two threads against one gave {found.kind.rho:.2f}×: of what runs, "
                f"{percent(found.kind.held_low)} to {percent(found.kind.held_high)} holds it"
            )
    known = not found.profiled.missing or found.kind.rho == found.kind.rho
    return Work(held, 1 - running, running - held, source, known)


def _race(
    found: Findings, candidates: list[advising.Advice], batch_ns: float
) -> list[advising.Advice]:
    """Tries what the doctor can apply itself: a trial tells more than a law.

    Args:
        found: What is known.
        candidates: All that is thought of.
        batch_ns: What a batch takes today.
    """
    part = Deadline(min(RACE_S, found.deadline.left_s - (1 - RACE) * found.deadline.seconds))
    able = [one for one in candidates if one.automatic]
    if not able or part.left_s < 1:
        return candidates
    found.trying = True  # from here on what takes its time may be a worker's start
    found.say("trying " + ", ".join(one.name for one in able))
    changed: dict[str, Callable[[], tf.data.Dataset]] = {}
    for one in able:
        try:
            changed[one.name] = found.changed(one)
        except (TypeError, ValueError) as error:
            why = str(error).partition("\n")[0]
            found.remarks.append(f"{one.name} could not be tried: {why}")
    stop = threading.Event()
    threading.Thread(target=found.pass_on, args=(part, stop), daemon=True).start()
    rounds = (1 + len(changed)) * 6  # a warm-up and five, if every arm is as slow as today's
    fit = max(ladder.FEWEST, int(part.left_s * 1e9 / (rounds * max(batch_ns, 1))))
    batches = {one.name: max(at_least(one), min(found.climbed.batches, fit)) for one in able}
    batches[BEFORE] = min(found.climbed.batches, fit)
    try:
        gains = race(
            found.original, changed, parallel=[one.name for one in able if makes_whole(one)],
            batches=batches, batch_size=found.batch_size, step=found.step, deadline=part,
        )  # fmt: skip
    finally:
        stop.set()
    refused = set(changed) - set(gains)
    return [
        replace(one, tried=gains.get(one.name))
        for one in candidates
        if not (gains and one.name in refused)  # it raises: it is no fix
    ]
