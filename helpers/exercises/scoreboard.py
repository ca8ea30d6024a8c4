"""The exercise of notebook 14: what the claims advise."""

from __future__ import annotations

from typing import Any

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
