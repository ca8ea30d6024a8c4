"""Runs side by side: which ratios agree within their intervals, and which verdicts differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from helpers.claims.expectation import CANNOT_RUN, INCONCLUSIVE
from helpers.measure import Measurement, Ratio, percent

from .run import Run


@dataclass(frozen=True)
class VerdictRow:
    """One claim's verdicts.

    Attributes:
        claim: Its id.
        verdicts: One for each run, None where the run does not have the claim.
    """

    claim: str
    verdicts: tuple[str | None, ...]

    @property
    def same(self) -> bool:
        """Whether all runs that have the claim say the same."""
        return len({verdict for verdict in self.verdicts if verdict}) < 2

    @property
    def counts(self) -> bool:
        """Whether every run could judge the claim and one of them at least did.

        A claim that one run decides and another leaves open counts, as a difference.
        """
        return (
            None not in self.verdicts
            and CANNOT_RUN not in self.verdicts
            and set(self.verdicts) != {INCONCLUSIVE}
        )


@dataclass(frozen=True)
class RatioRow:
    """One arm's ratio to its baseline.

    Attributes:
        where: The claim or the notebook.
        what: The condition or the measurement.
        arm: The arm.
        ratios: One for each run, None where the run does not have it.
    """

    where: str
    what: str
    arm: str
    ratios: tuple[Ratio | None, ...]

    @property
    def processes(self) -> int:
        """How many measured it in the run that had the fewest; one promises only its own run."""
        return min(ratio.processes for ratio in self.ratios if ratio is not None)

    @property
    def agree(self) -> bool:
        """Whether all intervals share a point."""
        found = [ratio for ratio in self.ratios if ratio]
        return max(ratio.low for ratio in found) <= min(ratio.high for ratio in found)


@dataclass(frozen=True)
class Comparison:
    """Two runs or more.

    Attributes:
        names: What the runs are called here.
        runs: The runs.
        verdicts: A row for each claim that two runs have.
        ratios: A row for each arm that two runs have with the same baseline.
    """

    names: tuple[str, ...]
    runs: tuple[Run, ...]
    verdicts: tuple[VerdictRow, ...]
    ratios: tuple[RatioRow, ...]

    @property
    def apart(self) -> tuple[RatioRow, ...]:
        """The ratios whose intervals share no point."""
        return tuple(row for row in self.ratios if not row.agree)

    @property
    def counted(self) -> tuple[VerdictRow, ...]:
        """The claims that the share of equal verdicts is taken of."""
        return tuple(row for row in self.verdicts if row.counts)

    @property
    def share(self) -> float | None:
        """The share of equal verdicts, or None when no claim counts."""
        rows = self.counted
        return sum(row.same for row in rows) / len(rows) if rows else None

    @property
    def otherwise(self) -> tuple[str, ...] | None:
        """Claims and notebooks that other code measured; None where runs do not say of each."""
        if not all(run.codes for run in self.runs):
            return () if len({run.code for run in self.runs}) == 1 else None
        names = dict.fromkeys(name for run in self.runs for name in run.codes)
        codes = {name: {run.codes.get(name) for run in self.runs} - {None} for name in names}
        return tuple(name for name, found in codes.items() if len(found) > 1)

    @property
    def sentences(self) -> tuple[str, ...]:
        """What the rows come to."""
        runs = "both runs" if len(self.runs) == 2 else f"all {len(self.runs)} runs"
        said = []
        if self.ratios:
            said.append(f"{_agreeing(self.ratios, 'ratios agree within their intervals')}.")
            several = [row for row in self.ratios if row.processes > 1]
            alone = [row for row in self.ratios if row.processes == 1]
            if several and alone:
                said.append(
                    f"Of those that rest on several processes each, "
                    f"{_agreeing(several, 'agree')}; of those that one process measured, whose "
                    f"intervals promise only their own run, {_agreeing(alone, 'do')}."
                )
        rows = self.counted
        if rows:
            same = sum(row.same for row in rows)
            said.append(
                f"{same} of {len(rows)} claims ({percent(self.share)}) have the same verdict in "
                f"{runs}."
            )
            turned = [row.claim for row in rows if {"supported", "refuted"} <= set(row.verdicts)]
            if turned:
                said.append(f"Supported in one and refuted in another: {', '.join(turned)}.")
            elif same < len(rows):
                said.append("None is supported in one and refuted in another.")
            decided = [row for row in rows if INCONCLUSIVE not in row.verdicts]
            if decided and len(decided) < len(rows):
                same = sum(row.same for row in decided)
                said.append(f"Of the {len(decided)} that {runs} decided, {same} have the same.")
        elif self.verdicts:
            said.append(f"No claim was decided in {runs}.")
        left = len(self.verdicts) - len(rows)
        if rows and left:
            said.append(f"{left} more are left out: inconclusive, not run, or not there in one.")
        other = self.otherwise
        if other is None:
            said.append("The runs were made by different versions of the measuring code.")
        elif other:
            said.append(f"Measured by different versions of the code: {', '.join(other)}.")
        return tuple(said)


def _agreeing(rows: Sequence[RatioRow], what: str) -> str:
    agree = sum(row.agree for row in rows)
    return f"{agree} of {len(rows)} {what} ({percent(agree / len(rows))})"


def compare_runs(runs: Mapping[str, Run]) -> Comparison:
    """Sets runs side by side.

    Args:
        runs: Two or more, by what they are to be called.

    Raises:
        ValueError: In one sentence, if there are fewer, quick runs among full ones, or nothing
            that two of them share.
    """
    if len(runs) < 2:
        raise ValueError("a comparison needs two results files or more.")
    quick = [name for name, run in runs.items() if run.quick]
    if quick and len(quick) < len(runs):
        full = next(name for name in runs if name not in quick)
        raise ValueError(
            f"{quick[0]} is a quick run and {full} a full one: they cannot be compared; "
            "run both the same way."
        )
    made = list(runs.values())
    claims = dict.fromkeys(id_ for run in made for id_ in run.claims)
    verdicts = [
        VerdictRow(id_, tuple(_verdict(run, id_) for run in made))
        for id_ in claims
        if sum(id_ in run.claims for run in made) > 1
    ]
    found = [_by_name(run) for run in made]
    keys = dict.fromkeys(key for each in found for key in each)
    ratios = [
        RatioRow(
            *key[:3],
            tuple(each[key].ratio(key[2]) if key in each else None for each in found),
        )
        for key in keys
        if sum(key in each for each in found) > 1
    ]
    if not verdicts and not ratios:
        raise ValueError(f"{' and '.join(runs)} have no claim and no measurement in common.")
    return Comparison(tuple(runs), tuple(made), tuple(verdicts), tuple(ratios))


def _verdict(run: Run, id_: str) -> str | None:
    return run.claims[id_].verdict if id_ in run.claims else None


_Key = tuple[str, str, str, str]


def _by_name(run: Run) -> dict[_Key, Measurement]:
    """Every measurement by where it belongs, what it is, an arm and the baseline."""
    return {
        (where, what, arm, measurement.baseline): measurement
        for where, what, measurement in run.comparisons()
        for arm in measurement.arms
        if arm != measurement.baseline
    }
