"""Exercises of notebook 14: what the claims advise, and when intervals allow a verdict."""

from __future__ import annotations

from typing import Any

from . import looking
from .exercise import Exercise, NotYetError, Seen

_WRONG = {
    "prefetch": "It hides 1 ms of 2 behind the training step, and the step waits for the rest.",
    "interleave": "Its threads share one GIL, so pure Python in them runs one row at a time.",
    "tf.constant": "The crossing takes microseconds, and the parsing 2 ms: it stays as it was.",
}


def _advice(made: Any, seen: Seen) -> None:
    if not isinstance(made, str):
        raise NotYetError(f"The answer is one of the four in quotes, not a {type(made).__name__}.")
    if made in _WRONG:
        raise NotYetError(_WRONG[made])
    if made != "worker processes":
        raise NotYetError(f"The answer is one of the four, and {made!r} is none of them.")


ADVICE = Exercise(
    name="14-advice",
    title="What helps first",
    spec="A friend's generator parses text in pure Python, about 2 ms for each row, on eight "
    "cores; the training step takes 1 ms. Which is worth most: `prefetch`, `interleave`, "
    "`tf.constant` or `worker processes`? The claims above say it.",
    start="advice = ...  # change me: one of the four, in quotes",
    solution='advice = "worker processes"',
    answer="advice",
    hint="2 ms of Python for each row have to become less than 1 ms. Which of the four gives "
    "Python a second GIL?",
    right="Two processes parse two rows at once, and with more of them the step waits no longer.",
    look=_advice,
)

_SAYS = "faster", "slower", "unclear"

_CASES = (
    ((1.3, 1.5), (0.95, 1.05), "faster", "All of it lies above the noise."),
    ((0.5, 0.6), (0.95, 1.05), "slower", "All of it lies below the noise."),
    ((1.02, 1.15), (0.9, 1.1), "unclear", "Above 1× is not enough: the noise reaches there, too."),
    ((0.85, 0.98), (0.9, 1.1), "unclear", "Below 1× is not enough: the noise reaches there, too."),
    ((0.97, 1.4), (0.95, 1.05), "unclear", "Its middle is clear of the noise, its low end is not."),
    ((0.6, 1.03), (0.95, 1.05), "unclear", "Its middle is clear of the noise, its high end is "
     "not."),
    ((1.02, 1.08), (1.1, 1.2), "slower", "It is the noise that it is held against, and not 1×: in "
     "this run the baseline's second pass was the faster one."),
    ((0.92, 0.98), (0.8, 0.9), "faster", "It is the noise that it is held against, and not 1×: in "
     "this run the baseline's second pass was the slower one."),
    ((1.05, 1.2), (0.95, 1.05), "unclear", "They share a point, 1.05, and a shared point is no "
     "difference yet."),
)  # fmt: skip
"""An arm's interval, the noise, what is true of them, and why."""


def _verdict(made: Any, seen: Seen) -> None:
    said = [looking.called(made, arm, noise) for arm, noise, _, _ in _CASES]
    for one in said:
        if one not in _SAYS:
            raise NotYetError(f"A verdict is one of {looking.listed(_SAYS)}, and {one!r} is none.")
    right = sum(one == wanted for one, (_, _, wanted, _) in zip(said, _CASES, strict=True))
    if seen.count("pairs of intervals judged rightly", right, len(_CASES)):
        return
    for one, (arm, noise, wanted, why) in zip(said, _CASES, strict=True):
        if one != wanted:
            raise NotYetError(
                f"The arm at {arm[0]}× to {arm[1]}×, with noise from {noise[0]}× to {noise[1]}×, "
                f"is “{wanted}”, not “{one}”. {why}"
            )


VERDICT = Exercise(
    name="14-verdict",
    title="Give a verdict",
    spec="`arm` and `noise` are intervals, each as `(low, high)`: an arm's speed, and the "
    'baseline\'s against itself. Return `"faster"` or `"slower"` where the two are clear of '
    'each other, and `"unclear"` where they are not.',
    start='def verdict(arm, noise):\n    return "unclear"  # change me',
    solution="def verdict(arm, noise):\n"
    "    if arm[0] > noise[1]:\n"
    '        return "faster"\n'
    '    return "slower" if arm[1] < noise[0] else "unclear"',
    answer="verdict",
    hint="Two intervals are clear of each other when one begins above the other's end. Neither 1× "
    "nor the middle of an interval has a say.",
    right="So are all verdicts above: the arm's whole interval is beyond the noise, or nothing is "
    "said.",
    look=_verdict,
)
