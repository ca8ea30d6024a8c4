"""What a run of the benchmark leaves behind."""

from __future__ import annotations

from dataclasses import dataclass

from helpers.measure import Machine, Measurement, Ratio, record


@dataclass(frozen=True)
class ArmResult:
    """One arm on one workload.

    Attributes:
        arm: Its name.
        delivers: What arrives in Python: "TensorFlow", "torch", "NumPy", "rows" one by one, or
            "numbers" of rows that stay where they were read.
        examples_per_second: In the steady state, median over the rounds.
        ratio: Examples per second as a multiple of the first arm's in the same rounds, median.
        low: Lower end of its 95 % interval.
        high: Upper end.
        rounds: How many rounds it rests on.
        examples: Examples in an epoch.
        first_batch_ms: From the call of `iter` to the first element, median over the epochs after
            the first one.
        start_up_ms: The same in the first epoch, with the building: starting workers, for one.
    """

    arm: str
    delivers: str
    examples_per_second: float
    ratio: float
    low: float
    high: float
    rounds: int
    examples: int
    first_batch_ms: float
    start_up_ms: float

    @property
    def speed(self) -> Ratio:
        """The ratio with its interval."""
        return Ratio(self.ratio, self.low, self.high, self.rounds)


@dataclass(frozen=True)
class WorkloadResult:
    """Every arm on one workload.

    Attributes:
        workload: Its name.
        description: Its rows in words.
        batch_size: Rows in a batch.
        noise: The first arm against itself in the rounds of most arms.
        arms: The arms; the first one is what the others are compared with.
        missing: Arms that this workload does not have, or that failed, each with the reason.
        measurements: Every trial. Slow arms, and arms that start processes, have rounds of their
            own, with fewer rows; the first arm takes part in all.
        seconds: How long it took.
    """

    workload: str
    description: str
    batch_size: int
    noise: Ratio
    arms: tuple[ArmResult, ...]
    missing: dict[str, str]
    measurements: tuple[Measurement, ...]
    seconds: float

    def between(self, arm: str, other: str) -> Ratio:
        """Throughput of an arm over that of another.

        Arms of the same rounds are compared round by round. Between others the quotient of their
        ratios to the first arm stands in, with the widest interval that it allows.

        Raises:
            ValueError: If there is no such arm.
        """
        for measurement in self.measurements:
            if {arm, other} <= set(measurement.arms):
                return measurement.ratio(arm, other)
        over, under = self.arm(arm), self.arm(other)
        return Ratio(
            over.ratio / under.ratio,
            over.low / under.high,
            over.high / under.low,
            min(over.rounds, under.rounds),
        )

    def arm(self, name: str) -> ArmResult:
        """The result of one arm.

        Raises:
            ValueError: If it is not here.
        """
        for arm in self.arms:
            if arm.arm == name:
                return arm
        raise ValueError(f"{self.workload} has no arm {name!r}.")


@dataclass(frozen=True)
class GrowthPoint:
    """How an epoch stands after so many examples.

    Attributes:
        examples: Examples so far.
        us_per_example: Over the last nine tenths of them.
        resident_mib: Most memory that the process held meanwhile, in MiB.
        ratio: Speed as a multiple of `from_tensor_slices` over the same stretch, taken in turns.
    """

    examples: int
    us_per_example: float
    resident_mib: float
    ratio: Ratio


@dataclass(frozen=True)
class Growth:
    """Whether a long epoch becomes slower, or takes more memory, as it goes on.

    Attributes:
        description: What was read.
        points: From few examples to many.
    """

    description: str
    points: tuple[GrowthPoint, ...]


@record
@dataclass(frozen=True)
class BridgeBench:
    """A run of `workbook bench bridge`, or of `workbook bench sources`.

    Attributes:
        machine: What ran it.
        quick: Whether it was shortened for a test.
        peers: Versions of the other loaders; empty without them.
        workloads: The workloads that were finished.
        growth: None if it was not asked for, or not finished.
        interrupted: Whether it was ended before it was done.
    """

    machine: Machine
    quick: bool
    peers: dict[str, str]
    workloads: tuple[WorkloadResult, ...]
    growth: Growth | None
    interrupted: bool

    def workload(self, name: str) -> WorkloadResult:
        """The result of one workload.

        Raises:
            ValueError: If it is not here.
        """
        for result in self.workloads:
            if result.workload == name:
                return result
        raise ValueError(f"there is no result for {name!r} here.")

    @property
    def provenance(self) -> str:
        """What ran it, in one line."""
        mode = "QUICK run, numbers show nothing" if self.quick else "full run"
        peers = [f"{name} {version}" for name, version in self.peers.items()]
        return ", ".join([self.machine.line, *peers, mode])
