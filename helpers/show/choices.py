"""The choices of a prediction: what each covers, and how what was found is told."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from helpers.measure import Ratio, percent, quick

Found = Ratio | float | str


class Choices:
    """The answers that a question offers.

    Attributes:
        labels: The answers, as the reader sees them.
        limits: What each covers, in words such as "5 to 25 %"; empty where answers are no numbers.
    """

    def __init__(
        self, offered: Mapping[str, float] | Sequence[str], *, unit: str = "×", says: str
    ) -> None:
        """Takes the answers as words; or each with the value below which it holds.

        Args:
            offered: In the second case ascending to infinity, so that no value is left without an
                answer.
            unit: Of the values, "%" for shares of 1.
            says: A sentence about what was found, which stands at the braces in it. It begins with
                a small letter and ends without a full stop.

        Raises:
            ValueError: If there are fewer than two answers, or their ends leave a gap.
        """
        ends = list(offered.values()) if isinstance(offered, Mapping) else []
        if len(offered) < 2:
            raise ValueError("a prediction needs two choices or more.")
        if ends and (ends != sorted(set(ends)) or ends[-1] != math.inf):
            raise ValueError("the choices' ends must ascend, the last to infinity.")
        self.labels = tuple(offered)
        self._starts, self._ends = [-math.inf, *ends[:-1]], ends
        self._unit, self._says = unit, says
        self.limits = tuple(map(self._span, self._starts, ends)) if ends else ("",) * len(offered)

    def allowed(self, found: Found) -> list[str]:
        """The answers that are right: of a ratio, all that its interval touches.

        Raises:
            ValueError: If there is none.
        """
        if isinstance(found, str):
            right = [label for label in self.labels if label == found]
        else:
            low, high = (found.low, found.high) if isinstance(found, Ratio) else (found, found)
            spans = zip(self.labels, self._starts, self._ends, strict=False)
            right = [label for label, start, end in spans if start <= high and low < end]
        if not right:
            raise ValueError(f"no choice of {', '.join(self.labels)} covers {self.written(found)}.")
        return right

    def told(self, answer: str | None, found: Found) -> str:
        """Holds an answer against what was found, in a whole sentence.

        Args:
            answer: One of the labels; None if the reader gave none.
            found: What was found.
        """
        right = self.allowed(found)
        what = self._says.format(self.written(found))
        so = "" if found in right else f", so {' or '.join(map(self._quoted, right))}"
        if answer is None:
            text = f"{what[0].upper()}{what[1:]}{so}."
        elif answer not in right:
            text = f"You said “{answer}”; {what}{so}."
        elif len(right) == 1:
            text = f"You said “{answer}”, and so it is: {what}."
        else:
            text = f"You said “{answer}”, and so it may be: {what}{so}."
        if quick() and not isinstance(found, str):
            text += " This was a quick run: its numbers show nothing."
        return text

    def written(self, found: Found) -> str:
        """What was found, with its unit."""
        if isinstance(found, (str, Ratio)):
            return str(found)
        return percent(found) if self._unit == "%" else self._number(found) + self._tail

    @property
    def _tail(self) -> str:
        return self._unit if self._unit == "×" else f"\u00a0{self._unit}"

    def _number(self, value: float) -> str:
        return f"{100 * value if self._unit == '%' else value:.3g}"

    def _span(self, start: float, end: float) -> str:
        if start == -math.inf:
            return f"below {self._number(end)}{self._tail}"
        if end == math.inf:
            return f"{self._number(start)}{self._tail} or more"
        return f"{self._number(start)} to {self._number(end)}{self._tail}"

    def _quoted(self, label: str) -> str:
        limits = self.limits[self.labels.index(label)]
        return f"“{label}” ({limits})" if limits else f"“{label}”"
