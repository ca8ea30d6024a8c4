"""The choices of a prediction: what each covers, and how what was found is told."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from helpers.measure import Ratio, Verdict, percent, quick, times

Found = Verdict | Ratio | float | str

_IN_WORDS = {"half": 0.5, "a third": 1 / 3, "a tenth": 0.1, "a twentieth": 0.05}
"""Numbers as a label may write them."""


class Choices:
    """The answers that a question offers.

    Attributes:
        labels: The answers, as the reader sees them.
        limits: What each covers, in words such as "5 to 25 %"; empty where answers are no numbers,
            and where the label has these numbers itself.
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
        limits = map(self._limits, offered, self._starts, ends)
        self.limits = tuple(limits) if ends else ("",) * len(offered)

    def allowed(self, found: Found) -> list[str]:
        """The answers that are right: of a ratio, all that its interval touches.

        Where a verdict sees no difference, the one that covers 1 is right as well.

        Raises:
            ValueError: If there is none.
        """
        if isinstance(found, str):
            right = [label for label in self.labels if label == found]
        else:
            ratio = found.ratio if isinstance(found, Verdict) else found
            low, high = (ratio.low, ratio.high) if isinstance(ratio, Ratio) else (ratio, ratio)
            spans = zip(self.labels, self._starts, self._ends, strict=False)
            right = [
                label
                for label, start, end in spans
                if (start <= high and low < end) or (_unclear(found) and start <= 1 < end)
            ]
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
        if _unclear(found):
            noise = f"{times(found.floor.low)} to {times(found.floor.high)}"
            what += f", which this run cannot tell from no difference (its noise is {noise})"
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
        if isinstance(found, (str, Ratio, Verdict)):
            return str(found.ratio if isinstance(found, Verdict) else found)
        return percent(found) if self._unit == "%" else self._number(found) + self._tail

    @property
    def _tail(self) -> str:
        return self._unit if self._unit == "×" else f"\u00a0{self._unit}"

    def _number(self, value: float) -> str:
        return f"{100 * value if self._unit == '%' else value:.3g}"

    def _limits(self, label: str, start: float, end: float) -> str:
        """What a label covers, unless it says so."""
        said = [float(number) for number in re.findall(r"\d+(?:\.\d+)?", label)]
        said += [number for word, number in _IN_WORDS.items() if re.search(rf"\b{word}\b", label)]
        scale = 100 if self._unit == "%" else 1
        ends = [scale * one for one in (start, end) if math.isfinite(one)]
        if all(any(math.isclose(one, number, rel_tol=0.02) for number in said) for one in ends):
            return ""
        return self._span(start, end)

    def _span(self, start: float, end: float) -> str:
        if start == -math.inf:
            return f"below {self._number(end)}{self._tail}"
        if end == math.inf:
            return f"{self._number(start)}{self._tail} or more"
        return f"{self._number(start)} to {self._number(end)}{self._tail}"

    def _quoted(self, label: str) -> str:
        limits = self.limits[self.labels.index(label)]
        return f"“{label}” ({limits})" if limits else f"“{label}”"


def _unclear(found: Found) -> bool:
    """Whether the noise of its own run hides a difference, if there is one."""
    return isinstance(found, Verdict) and found.kind not in ("faster", "slower")
