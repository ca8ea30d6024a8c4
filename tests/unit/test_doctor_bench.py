"""The proof table on made-up results, and the rules of others."""

from dataclasses import replace

import pytest

from helpers.bench.doctor import run, subjects
from helpers.bench.doctor_results import (
    CaseResult,
    DoctorBench,
    InjectedResult,
    MixResult,
    Pair,
    WorkersResult,
    best_first,
)  # fmt: skip
from helpers.bench.doctor_rules import right
from helpers.measure import load, save, this_machine
from helpers.reproduce import RESULTS


def _pair(fix, predicted, measured, same="in order"):
    said = (predicted, 0.9 * predicted, 1.1 * predicted)
    return Pair(fix, 2 * predicted, True, *said, measured, 0.98 * measured, 1.02 * measured, same)


def _case(**changes):
    fields = {
        "name": "one", "wanted": ("crossing",), "healthy": False, "first": "crossing",
        "advised": ("bridge",), "accused": False, "misfit": 0.1,
        "pairs": (_pair("bridge", 10.0, 10.5), _pair("worker", 8.0, 4.0)), "xprof": "waits",
        "grain": "holds-gil", "seconds": 11.0, "budget_s": 10.0,
    }  # fmt: skip
    return CaseResult(**(fields | changes))


def _bench(*cases, mixes=()):
    return DoctorBench(this_machine(), True, cases, tuple(mixes), (), (), False)


def test_the_table_counts():
    mix = MixResult("m", (0.5, 0.3, 0.2), (0.44, 0.34, 0.22), 0.03)
    healthy = _case(name="well", healthy=True, accused=True, wanted=("consumer",), pairs=())
    rows = {row[0]: row[2] for row in _bench(_case(), healthy, mixes=[mix]).rows()}
    assert rows["first cause right"] == "1 of 2 (50\u00a0%)"
    assert rows["healthy, accused"] == "1 of 1"
    assert rows["best fix first, by trying all"] == "1 of 1 (100\u00a0%)"
    assert rows["stated 90 % interval holds"] == "1 of 2 (50\u00a0%)"
    assert rows["GIL held / waiting / freed within 10 points"] == "1 of 1 (100\u00a0%)"
    assert rows["the same within 5 points"] == "0 of 1 (0\u00a0%)"
    assert rows["longest time to an answer"] == "11 s, 110\u00a0%"


def test_the_best_fix_is_the_first_unless_another_is_surely_faster():
    assert best_first((_pair("a", 2, 1.0),)) is None
    assert best_first((_pair("a", 2, 1.0), _pair("b", 2, 1.04))) is True
    assert best_first((_pair("a", 2, 1.0), _pair("b", 2, 1.5))) is False
    other = _pair("b", 2, 9.0, "different elements")
    assert best_first((_pair("a", 2, 1.0), other)) is None


def test_known_costs_and_numbers_of_workers_count_and_so_do_their_fixes():
    fixes = (_pair("workers", 2, 1.0), _pair("bridge", 2, 1.5))
    workers = [WorkersResult("a", 4, 3, (), fixes), WorkersResult("b", 4, 2, (), ())]
    costs = [InjectedResult("c", (0.5, 0.3, 0.2), (0.54, 0.26, 0.2)),
             InjectedResult("d", (0.5, 0.3, 0.2), (0.56, 0.24, 0.2))]  # fmt: skip
    made = replace(_bench(), workers=tuple(workers), injected=tuple(costs))
    rows = {row[0]: row[2] for row in made.rows()}
    assert rows["number of workers within 1 of the best tried"] == "1 of 2 (50\u00a0%)"
    assert rows["shares of known costs within 5 points"] == "1 of 2 (50\u00a0%)"
    assert rows["best fix first, by trying all"] == "0 of 1 (0\u00a0%)"
    assert rows["predicted against measured, median error"].endswith("2 pairs")


def test_a_run_goes_to_a_file_and_back(tmp_path):
    made = _bench(_case())
    assert load(save(made, tmp_path / "b.json")) == made


def test_a_rule_is_right_about_health_only_by_saying_so():
    assert right("healthy", ("consumer",), True)
    assert not right("waits", ("consumer",), True)
    assert right("waits", ("waits",), False)


def test_an_unknown_subject_is_one_sentence():
    with pytest.raises(ValueError, match="there is no subject 'none'"):
        run(["none"])


def test_twelve_mixes_and_thirty_subjects():
    known = subjects()
    assert len(known.MIXES) == 12 and len(known.CASES) >= 30
    assert len({case.name for case in known.CASES}) == len(known.CASES)


def test_the_readme_says_what_the_committed_run_found():
    (path,) = RESULTS.glob("*.doctor.json")
    rows = {row[0]: row[2].replace("\u00a0", " ") for row in load(path).rows()}
    counts = {name: found.partition(" (")[0] for name, found in rows.items()}
    error, _, pairs = rows["predicted against measured, median error"].partition(", ")
    text = (RESULTS.parent / "README.md").read_text(encoding="utf-8")
    for said in (
        f"the first cause of {counts['first cause right']} subjects",
        f"accused none of {counts['healthy, accused'].removeprefix('0 of ')} healthy ones",
        f"first in {counts['best fix first, by trying all']};",
        f"off by {error} in the median of {pairs.removesuffix(' pairs')},",
        f"held {counts['stated 90 % interval holds'].partition(' of ')[0]} of them",
    ):
        assert said in text
