import dataclasses
import io

import pytest
from rich.console import Console
from unit.fake_runs import MACHINE, make_run, measured, result

from helpers.command.tables import comparison_tables
from helpers.reproduce import compare_runs


def _with_claims(run, **verdicts):
    return dataclasses.replace(
        run, claims={id_: result(id_, verdict) for id_, verdict in verdicts.items()}
    )


@pytest.fixture(scope="module")
def run():
    return make_run()


def test_a_run_agrees_with_itself_in_everything(run):
    found = compare_runs({"a": run, "b": run})
    assert [row.claim for row in found.verdicts] == list(run.claims)
    assert all(row.same for row in found.verdicts)
    assert all(row.agree for row in found.ratios)
    # four arms in the notebooks; each timed condition of a claim has one
    assert len(found.ratios) == 4 + 2 + 1 + 2 + 2
    assert found.share == 1
    assert found.sentences == (
        "11 of 11 ratios agree within their intervals (100\u00a0%).",
        "3 of 3 claims (100\u00a0%) have the same verdict in both runs.",
        "2 more are left out: inconclusive, not run, or not there in one.",
    )


@pytest.mark.parametrize(
    ("one", "other", "counts", "same"),
    [
        ("supported", "supported", True, True),
        ("supported", "refuted", True, False),
        ("supported", "depends", True, False),
        ("supported", "inconclusive", True, False),
        ("inconclusive", "refuted", True, False),
        ("inconclusive", "inconclusive", False, True),
        ("cannot run here", "supported", False, False),
        ("cannot run here", "cannot run here", False, True),
    ],
)
def test_which_claims_the_share_is_taken_of(run, one, other, counts, same):
    found = compare_runs({"a": _with_claims(run, x=one), "b": _with_claims(run, x=other)})
    assert found.verdicts[0].counts is counts
    assert found.verdicts[0].same is same
    assert found.share == (None if not counts else float(same))


def test_a_claim_that_turned_is_named(run):
    first = _with_claims(run, x="supported", y="supported", z="depends")
    second = _with_claims(run, x="refuted", y="inconclusive", z="depends")
    said = compare_runs({"a": first, "b": second}).sentences
    assert said[1].startswith("1 of 3 claims (33\u00a0%)")
    assert said[2] == "Supported in one and refuted in another: x."
    second = _with_claims(run, x="supported", y="inconclusive", z="depends")
    said = compare_runs({"a": first, "b": second}).sentences
    assert said[2] == "None is supported in one and refuted in another."


def test_ratios_agree_when_all_intervals_share_a_point(run):
    def of(speed):
        changed = {"03-idle": measured(speed, rounds=30)}
        return dataclasses.replace(run, claims={}, measurements=changed)

    near = compare_runs({"a": of(2.0), "b": of(2.01), "c": of(1.99)})
    assert [row.agree for row in near.ratios] == [True]
    far = compare_runs({"a": of(2.0), "b": of(2.01), "c": of(3.0)})
    assert [row.agree for row in far.ratios] == [False]
    assert (near.apart, far.apart) == ((), far.ratios)
    assert "0 of 1 ratios agree" in far.sentences[0]


def test_a_ratio_to_another_baseline_is_another_ratio(run):
    def of(*names):
        return dataclasses.replace(run, claims={}, measurements={"x": measured(2, names=names)})

    with pytest.raises(ValueError, match="no claim and no measurement in common"):
        compare_runs({"a": of("base", "arm"), "b": of("other", "arm")})


def test_what_only_one_of_three_runs_has_is_left_out(run):
    some = dataclasses.replace(run, claims={}, measurements=dict([*run.measurements.items()][:1]))
    found = compare_runs({"a": run, "b": some, "c": some})
    assert {row.what for row in found.ratios} == {"03-idle"}
    assert found.verdicts == ()


def test_quick_and_full_runs_are_not_compared(run):
    with pytest.raises(ValueError, match=r"^q is a quick run and a a full one"):
        compare_runs({"a": run, "b": run, "q": make_run(quick=True)})
    quick = make_run(quick=True)
    assert compare_runs({"a": quick, "b": quick}).share == 1


def test_one_run_is_not_a_comparison(run):
    with pytest.raises(ValueError, match="two results files or more"):
        compare_runs({"a": run})


def test_other_code_and_other_machines_are_compared_and_the_code_is_told(run):
    machine = dataclasses.replace(MACHINE, processor="Another")
    other = dataclasses.replace(run, code="other", machine=machine)
    found = compare_runs({"a": run, "b": other})
    assert found.share == 1
    assert found.sentences[-1] == "The runs were made by different versions of the measuring code."


def test_only_claims_and_notebooks_of_other_code_are_named(run):
    one = dataclasses.replace(run, codes={"claim-supported": "a", "03-prefetch": "b"})
    other = dataclasses.replace(
        one, code="other", codes={"claim-supported": "a", "03-prefetch": "c"}
    )
    assert compare_runs({"a": one, "b": one}).otherwise == ()
    assert compare_runs({"a": one, "b": other}).sentences[-1] == (
        "Measured by different versions of the code: 03-prefetch."
    )


def test_agreement_stands_at_the_top_and_what_misses_is_drawn_with_every_interval(run):
    def of(speed):
        changed = {"03-idle": measured(speed, rounds=30)}
        return dataclasses.replace(run, claims={}, measurements=changed)

    console = Console(width=160, record=True, file=io.StringIO())
    console.print(comparison_tables(compare_runs({"one": of(2.0), "two": of(3.0)})))
    shown = console.export_text()
    assert shown.index("0 of 1 ratios agree") < shown.index("share no point")
    assert shown.index("share no point") < shown.index("Speed as a multiple")
    drawn = {line.split("│")[2].strip()[0]: line for line in shown.splitlines() if "●" in line}
    assert set(drawn) == {"A", "B"}
    assert drawn["A"].index("┤") < drawn["B"].index("├")


def test_ratios_of_one_process_are_told_from_those_of_several(run):
    def spread(measurement):
        trials = [
            dataclasses.replace(trial, process=trial.round % 2) for trial in measurement.trials
        ]
        return dataclasses.replace(measurement, trials=tuple(trials))

    def of(alone):
        both = {"03-idle": spread(measured(2.0, rounds=30)), "11-jpeg": measured(alone, rounds=30)}
        return dataclasses.replace(run, claims={}, measurements=both)

    said = compare_runs({"a": of(2.0), "b": of(3.0)}).sentences
    assert said[0].startswith("1 of 2 ratios agree")
    assert "several processes each, 1 of 1 agree" in said[1]
    assert "promise only their own run, 0 of 1 do" in said[1]
