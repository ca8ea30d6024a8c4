"""Runs whose numbers come from a fake clock: claims of every verdict, and notebooks."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace

from unit.fakes import FakeMachine

from helpers.claims import Checked, Claim, ClaimResult, ConditionResult, Finding, Timed
from helpers.claims.expectation import Expectation, at_least, faster
from helpers.measure import Measurement, Settings, compare
from helpers.measure.machine import Machine
from helpers.reproduce import Run

MACHINE = Machine("Fake <CPU> 9", 2, 8, "Linux", "3.11.7", {"tensorflow": "2.21.0"})
VERDICTS = ("supported", "refuted", "depends", "inconclusive", "cannot run here")


def measured(
    *speeds: float,
    seed: int = 0,
    quick: bool = False,
    rounds: int = 12,
    title: str = "",
    noise: float = 0.01,
    names: tuple[str, ...] = ("from_tensor_slices", "generator", "generator + prefetch"),
    machine: Machine = MACHINE,
) -> Measurement:
    """A baseline and arms that are as many times as fast, on a machine that drifts."""
    clock = FakeMachine(drift=0.02, noise=noise, seed=seed)
    arms = [
        clock.arm(name, 1e6 / speed, open_=1e7, step=1e4)
        for name, speed in zip(names, (1, *speeds), strict=False)
    ]
    settings = Settings(min_rounds=rounds, max_rounds=rounds, quick=quick, seed=seed)
    found = compare(arms, title=title, settings=settings, clock=clock.clock)
    return replace(found, machine=machine)


def condition(
    name: str, speed: float, expects: Expectation | None = None, noise: float = 0.01, **options
) -> ConditionResult:
    """A condition that was timed."""
    timed = measured(speed, noise=noise, **options)
    return ConditionResult(name, expects or faster(), timed)


def result(claim: str, verdict: str, **options) -> ClaimResult:
    """A result from which that verdict follows."""
    idle, busy, missing = (
        "behind an idle consumer",
        "behind a step of 1 ms & more",
        "with a cluster",
    )
    conditions = {
        "supported": lambda: (condition(idle, 1.8, **options), condition(busy, 1.3, **options)),
        "refuted": lambda: (
            ConditionResult(idle, finding=Finding(False, "it raises <TypeError>")),
            condition(busy, 0.6, **options),
        ),
        "depends": lambda: (condition(idle, 0.7, **options), condition(busy, 1.4, **options)),
        "inconclusive": lambda: (
            condition(idle, 1.25, at_least(1.24), noise=0.1, **options),
            condition(busy, 3.0, at_least(1.5), **options),
        ),
        "cannot run here": lambda: (ConditionResult(missing, missing="there are no free ports"),),
    }[verdict]()
    found = ClaimResult(claim, "whether the consumer leaves the GIL free", conditions, 1.5)
    assert found.verdict == verdict
    return found


def claim_of(id_: str) -> Claim:
    """A claim of that id, with a condition that takes no time."""
    return Claim(
        id=id_,
        statement=f"What {id_} says about a generator & its consumer.",
        source="article",
        detail="the second example.",
        notebook="03-prefetched-generator",
        conditions=(Checked("whenever it runs", lambda: Finding(True, "it ran")),),
        supports="a ratio clear of 1.",
        refutes="no difference.",
        varies="whether the consumer leaves the GIL free",
    )


def timed_claim(id_: str, arms: tuple) -> Claim:
    """A claim that compares two arms once."""

    @contextmanager
    def opened():
        yield arms

    return replace(claim_of(id_), conditions=(Timed("in any case", opened, faster()),))


def make_run(seed: int = 0, *, quick: bool = False, **changes) -> Run:
    """A run with a claim of every verdict and two notebooks; the same for the same seed."""
    options = {"seed": seed, "quick": quick}
    claims = {f"claim-{verdict.split()[0]}": verdict for verdict in VERDICTS}
    parts = {
        "machine": MACHINE,
        "quick": quick,
        "code": "0123456789ab",
        "seconds": {**dict.fromkeys(claims, 20.0), "03-prefetch": 40.0, "04-constant": 50.0},
        "claims": {id_: result(id_, verdict, **options) for id_, verdict in claims.items()},
        "measurements": {
            "03-idle": measured(0.2, 0.205, title="Idle <consumer>", **options),
            "04-ladder": measured(0.1, 0.3, title="From the baseline to the recipe", **options),
        },
    }
    return Run(**{**parts, **changes})
