import json

import pytest
from typer.testing import CliRunner
from unit.fake_runs import claim_of, make_run, result

from helpers import reproduce
from helpers.claims import ledger
from helpers.command import app
from helpers.command.terminal import Terminated
from helpers.measure import save, selfcheck, this_machine
from helpers.measure.results import SCHEMA
from helpers.reproduce import planning
from helpers.reproduce import run as runs

run = CliRunner().invoke


def _words(done):
    return " ".join(done.output.split())


@pytest.fixture
def claims(monkeypatch):
    """Two claims that take no time, and a measuring that can be replaced."""
    both = (claim_of("one"), claim_of("two"))
    monkeypatch.setattr(planning, "CLAIMS", both)
    monkeypatch.setattr(ledger, "CLAIMS", both)
    monkeypatch.setenv("WORKBOOK_QUICK", "1")


@pytest.mark.parametrize("command", ["reproduce", "refresh"])
def test_an_unknown_name_is_one_sentence_and_a_failure(command):
    done = run(app, [command, "--only", "77"])
    assert done.exit_code == 1
    what = "claim or notebook" if command == "reproduce" else "notebook"
    assert f"there is no {what} '77'; there are 00-start-here" in _words(done)
    assert "Traceback" not in done.output


@pytest.mark.parametrize("name", ["00", "00-start-here", "00-start-here.ipynb"])
def test_a_notebook_is_named_by_number_or_name(name, monkeypatch, tmp_path):
    chosen = []

    def note(plan, *_):
        chosen.extend(step.name for step in plan.steps)

    monkeypatch.setattr(reproduce, "measure", note)
    done = run(app, ["reproduce", "--quick", "--only", name, "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert chosen == ["00-start-here"]


def test_a_run_ends_with_a_table_and_the_files(claims, tmp_path):
    done = run(app, ["reproduce", "--quick", "--only", "one", "--out", str(tmp_path)])
    assert done.exit_code == 0, done.output
    said = _words(done)
    assert "1 of 1: claim one: supported" in said
    assert "1 supported" in said
    assert f"{this_machine().line}; QUICK run of a selection" in said
    written = sorted(path.name for path in tmp_path.iterdir())
    assert [name.rpartition(".")[2] for name in written] == ["html", "json"]
    assert all(name in said for name in written)


def test_a_second_run_is_told_apart_and_shares_the_report(claims, tmp_path):
    command = ["reproduce", "--quick", "--only", "one", "--out", str(tmp_path)]
    assert "there is no first run" in _words(run(app, [*command, "--again"]))
    for more in ([], ["--again"]):
        assert run(app, [*command, *more]).exit_code == 0
    (report,) = tmp_path.glob("*.html")
    assert "The second run" in report.read_text()
    assert len([*tmp_path.glob("*.json")]) == 2


def test_an_unwritable_folder_is_one_sentence_before_the_work(claims, monkeypatch, tmp_path):
    monkeypatch.setattr(reproduce, "measure", lambda *_: pytest.fail("it has begun"))
    (tmp_path / "file").write_text("in the way")
    done = run(app, ["reproduce", "--only", "one", "--out", str(tmp_path / "file")])
    assert done.exit_code == 1
    assert "cannot be written" in _words(done)
    assert "Traceback" not in done.output


def test_a_failing_claim_is_one_sentence_and_the_rest_is_kept(claims, monkeypatch, tmp_path):
    real = planning.run_claim

    def fail(claim, **options):
        if claim.id == "one":
            raise RuntimeError("boo")
        return real(claim, **options)

    monkeypatch.setattr(planning, "run_claim", fail)
    command = ["reproduce", "--quick", "--only", "one", "--only", "two", "--out", str(tmp_path)]
    done = run(app, command)
    assert done.exit_code == 1
    assert "workbook: claim one failed: RuntimeError: boo" in _words(done)
    assert "the same command repeats only what failed" in _words(done)
    (so_far,) = tmp_path.rglob("so-far.html")
    assert "claim one failed" in so_far.read_text()

    monkeypatch.setattr(planning, "run_claim", real)
    done = run(app, command)
    assert done.exit_code == 0
    assert "1 of 2 steps are taken from it" in _words(done)
    assert "claim two" not in done.output


@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt, 130), (Terminated, 143)])
def test_ctrl_c_and_sigterm_end_with_a_sentence_and_a_code_of_their_own(
    claims, monkeypatch, tmp_path, error, code
):
    def interrupt(claim, **_):
        raise error

    command = ["reproduce", "--quick", "--only", "one", "--out", str(tmp_path)]
    monkeypatch.setattr(planning, "run_claim", interrupt)
    done = run(app, command)
    assert done.exit_code == code
    assert "0 of 1 steps are done; the same command goes on there" in _words(done)
    assert "Traceback" not in done.output


def test_compare_sets_runs_side_by_side_and_ends_well(tmp_path):
    paths = [str(save(make_run(seed), tmp_path / f"{seed}.json")) for seed in (0, 50)]
    done = run(app, ["compare", *paths])
    assert done.exit_code == 0, done.output
    said = _words(done)
    assert "A: 0: Fake <CPU> 9, 2 cores" in said
    assert "3 of 3 claims (100 %) have the same verdict in both runs." in said
    assert "cannot run here" in said


def test_compare_tells_files_of_one_name_apart(tmp_path):
    paths = [str(save(make_run(), tmp_path / name / "x.json")) for name in "ab"]
    done = run(app, ["compare", *paths], terminal_width=300)
    assert all(path in done.output.replace("\n", "") for path in paths)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path.write_text(path.read_text()[:-50]), "not whole JSON"),
        (lambda path: path.unlink(), "cannot be read"),
        (
            lambda path: path.write_text(json.dumps({"schema": SCHEMA + 1, "kind": "Run"})),
            f"has schema {SCHEMA + 1} and this workbook reads schema {SCHEMA}",
        ),
        (lambda path: save(make_run(quick=True), path), "is a quick run and"),
        (lambda path: save(make_run().measurements["03-idle"], path), "holds a Measurement"),
    ],
)
def test_compare_refuses_what_cannot_be_compared_in_a_sentence(change, said, tmp_path):
    paths = [save(make_run(), tmp_path / name) for name in ("a.json", "b.json")]
    change(paths[1])
    done = run(app, ["compare", *map(str, paths)])
    assert done.exit_code == 1
    assert said in _words(done)
    assert "Traceback" not in done.output


def test_claims_are_listed_with_the_verdict_of_the_reference_run(claims, monkeypatch, tmp_path):
    monkeypatch.setattr(runs, "RESULTS", tmp_path)
    said = _words(run(app, ["claims"]))
    assert "not measured yet" in said and "No reference run is there." in said
    made = make_run(machine=this_machine(), claims={"one": result("one", "refuted")})
    save(made, tmp_path / f"{runs.results_name(this_machine())}.json")
    said = _words(run(app, ["claims"]))
    assert "refuted" in said and "not measured yet" in said
    assert f"Verdicts: {this_machine().line}" in said

    rows = json.loads(run(app, ["claims", "--json"]).output)
    assert [row["id"] for row in rows] == ["one", "two"]
    assert [row["verdict"] for row in rows] == ["refuted", None]
    assert rows[0]["source"] == "article" and rows[0]["notebook"] == "03-prefetched-generator"


def test_a_report_is_written_again_without_measuring(tmp_path):
    path = save(make_run(), tmp_path / "x.json")
    done = run(app, ["report", str(path)])
    assert done.exit_code == 0
    assert (tmp_path / "x.html").exists() and "x.html" in _words(done)


def test_selfcheck_refuses_no_repeats():
    done = run(app, ["selfcheck", "--repeats", "0"])
    assert done.exit_code == 1
    assert "repeats must be 1 or more" in done.output


@pytest.mark.parametrize(
    ("found", "said", "code"), [(4, "Both rates are kept.", 0), (3, "A rate was missed", 1)]
)
def test_selfcheck_says_what_it_tried_and_how_it_went(monkeypatch, found, said, code):
    result = selfcheck.SelfCheck(this_machine(), 4, 0, 1, found, 4)
    monkeypatch.setattr(selfcheck, "selfcheck", lambda *_, **__: result)
    done = run(app, ["selfcheck", "--repeats", "4"])
    assert done.exit_code == code
    assert said in done.output
    assert "The arms are plain Python" in done.output
