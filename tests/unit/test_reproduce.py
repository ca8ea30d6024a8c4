import contextlib
import copy
import dataclasses
import functools
import getpass
import os
import time

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from unit.fake_runs import claim_of, measured

from helpers import reproduce
from helpers.claims import run_claim
from helpers.measure import load, save, this_machine
from helpers.reproduce import TimeLeft, carrying_out, load_run, notebooks, planning
from helpers.reproduce import run as runs
from helpers.reproduce.digest import Code, together

timed = functools.cache(functools.partial(measured, quick=True))
STEPS = ["one", "two", "00-a", "01-b"]
whole_code = functools.cache(Code)


def code_read_before():
    """The workbook's code, to which notebooks are added: reading it takes a second or two."""
    code = copy.copy(whole_code())
    vars(code).update({name: copy.copy(value) for name, value in vars(code).items()})
    return code


class House:
    """Two claims and two notebooks that take no time, and what a run of them did."""

    def __init__(self, folder, monkeypatch):
        self.folder, self.out = folder, folder / "results"
        self.ran, self.said, self.breaks, self.failures = [], [], {}, {}
        monkeypatch.setattr(planning, "CLAIMS", (claim_of("one"), claim_of("two")))
        monkeypatch.setattr(planning, "run_claim", self._run_claim)
        monkeypatch.setattr(planning, "Code", code_read_before)
        monkeypatch.setattr(notebooks, "NOTEBOOKS", folder)
        monkeypatch.setattr(notebooks, "execute", self._execute)
        monkeypatch.setenv("WORKBOOK_QUICK", "1")
        for name in ("00-a", "01-b"):
            self.write(name, "x = 1")

    def write(self, name, source, prose=""):
        book = new_notebook(cells=[new_markdown_cell(prose), new_code_cell(source)])
        nbformat.write(book, self.folder / f"{name}.ipynb")

    def _run_claim(self, claim, **options):
        self._do(claim.id)
        return run_claim(claim, **options)

    def _execute(self, path, *, keep_in, on_cell):
        on_cell(1, 2)
        save(timed(2.0), keep_in / f"{path.stem[:2]}-z-first.json")
        time.sleep(0.01)  # records come in the order of their times
        self._do(path.stem)
        save(timed(3.0), keep_in / f"{path.stem[:2]}-a-second.json")
        book = nbformat.read(path, as_version=4)
        book.cells[1].update(execution_count=1, outputs=[new_output("stream", text="shown")])
        return book

    def _do(self, name):
        self.ran.append(name)
        if name in self.breaks:
            raise self.breaks[name]

    def run(self, *only, again=False, store=False, changed=False):
        """Runs as the command does, and returns what it wrote."""
        self.ran.clear()
        self.said.clear()
        self.failures.clear()
        options = {"again": again, "store": store, "changed": changed}
        self.plan = plan = planning.prepare(self.out, only or None, **options)
        try:
            reproduce.measure(plan, plan.time_left(), self._tell, self.failures)
        finally:
            self.run_ = reproduce.gather(plan, self.failures)
            self.written = reproduce.conclude(plan, self.run_)
        return self.written

    def _tell(self, *told):
        self.said.append(told)


@pytest.fixture
def house(tmp_path, monkeypatch):
    return House(tmp_path, monkeypatch)


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_run_holds_every_claim_and_every_notebook_and_leaves_one_file(house):
    run = load_run(house.run())
    assert house.ran == list(run.seconds) == STEPS
    assert list(run.claims) == ["one", "two"]
    assert {result.verdict for result in run.claims.values()} == {"supported"}
    assert list(run.measurements) == ["00-z-first", "00-a-second", "01-z-first", "01-a-second"]
    assert run.whole and run.quick and run.machine == this_machine()
    assert run.codes == planning.digests() and run.code == together(run.codes)
    assert _names(house.out) == [house.written.name]
    assert not house.failures


def test_it_tells_how_far_each_step_is(house):
    house.run()
    assert ("claim one", 1, "supported") in house.said
    assert ("notebook 00-a", 0.5, "") in house.said
    assert [told[0] for told in house.said if told[1] == 1] == [
        "claim one", "claim two", "notebook 00-a", "notebook 01-b",
    ]  # fmt: skip


def test_a_notebook_runs_while_the_measuring_processes_are_lent(house, monkeypatch):
    lent, seen = [], []

    class Lender:
        @contextlib.contextmanager
        def lent(self):
            lent.append(True)
            yield
            lent.pop()

    def looking(path, **how):
        seen.append(bool(lent))
        return house._execute(path, **how)

    monkeypatch.setattr(notebooks, "execute", looking)
    plan = planning.prepare(house.out, ["00", "01"])
    carrying_out._measure(plan, plan.time_left(), house._tell, house.failures, Lender())
    assert seen == [True, True] and not lent and not house.failures


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_run_is_kept_and_the_next_goes_on_there(house, kind):
    house.breaks["00-a"] = kind()
    with pytest.raises(kind):
        house.run()
    assert house.written == house.out / "partial" / house.plan.target.stem / "so-far.json"
    so_far = load_run(house.written)
    assert list(so_far.claims) == list(so_far.seconds) == ["one", "two"]
    assert so_far.missing == (
        "notebook 00-a was not finished.", "notebook 01-b was not finished.",
    )  # fmt: skip
    assert not so_far.whole and "unfinished" in so_far.mode
    assert list(so_far.measurements) == ["00-z-first"], "what a notebook measured is kept"
    assert not house.plan.target.exists()

    house.breaks.clear()
    run = load_run(house.run())
    assert house.ran == ["00-a", "01-b"]
    assert "2 of 4 steps are taken from it" in house.plan.remarks[0]
    assert run.whole and list(run.seconds) == STEPS
    assert _names(house.out) == [house.written.name]

    house.run()
    assert house.ran == STEPS, "a finished run starts afresh"
    assert house.plan.remarks == ()


@pytest.mark.parametrize(
    ("name", "error", "said"),
    [
        ("one", KeyError("boo"), "claim one failed: KeyError: 'boo'"),
        ("00-a", ValueError("00-a.ipynb failed in a cell."), "00-a.ipynb failed in a cell."),
    ],
)
def test_a_failure_is_one_sentence_and_the_others_still_run(house, name, error, said):
    house.breaks[name] = error
    run = load_run(house.run())
    assert house.ran == STEPS
    assert house.failures == {name: said}
    assert run.missing == (said,)
    assert list(run.seconds) == [step for step in STEPS if step != name]
    assert not house.plan.target.exists(), "an unfinished run replaces no results file"

    house.breaks.clear()
    assert load_run(house.run()).whole
    assert house.ran == [name]


def test_an_unfinished_run_leaves_the_results_file_that_is_there(house):
    before = house.run().read_bytes()
    house.breaks["two"] = RuntimeError("boo")
    house.run()
    assert house.plan.target.read_bytes() == before


def test_a_notebook_whose_code_changed_is_run_again_and_prose_is_not_code(house):
    house.breaks["01-b"] = KeyboardInterrupt()
    for source, prose, ran in [("x = 1", "", STEPS), ("x = 1", "Why", STEPS[3:]),
                               ("x = 2", "Why", STEPS[2:])]:  # fmt: skip
        house.write("00-a", source, prose)
        with pytest.raises(KeyboardInterrupt):
            house.run()
        assert house.ran == ran


def test_what_another_machine_measured_is_not_taken_up(house):
    house.breaks["01-b"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        house.run()
    header = house.plan.partial / "made.json"
    machine = dataclasses.replace(this_machine(), cores=99)
    save(dataclasses.replace(load(header), machine=machine), header)
    house.breaks.clear()
    house.run()
    assert house.ran == STEPS
    assert house.plan.remarks[0].startswith("The machine or a package has changed")


def test_a_claim_whose_code_changed_is_measured_again(house):
    house.breaks["01-b"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        house.run()
    done = house.plan.partial / "claim-two.done.json"
    save(dataclasses.replace(load(done), digest="another"), done)
    with pytest.raises(KeyboardInterrupt):
        house.run()
    assert house.ran == ["two", "01-b"]


@pytest.mark.parametrize("damage", [lambda path: path.write_text('{"schema'), os.remove])
def test_a_damaged_unfinished_run_is_measured_again(house, damage):
    house.breaks["01-b"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        house.run()
    damage(house.plan.partial / "made.json")
    house.breaks.clear()
    house.run()
    assert house.ran == STEPS
    assert "cannot be read" in house.plan.remarks[0]


def test_what_the_code_has_changed_since_is_measured_and_the_rest_is_left(house):
    house.run()
    before = load_run(house.run(again=True))
    first = runs.pair_of(house.written)[0].read_bytes()
    house.write("00-a", "x = 2")
    for again in (False, True):
        run = load_run(house.run(changed=True, again=again, store=True))
        assert house.ran == ["00-a"]
        assert house.plan.remarks == (
            f"The code of 3 of 4 steps is that of {house.written.name}; they are left.",
        )
        assert list(run.seconds) == list(run.codes) == STEPS and run.whole
        assert run.codes == planning.digests() != before.codes
    assert list(run.measurements) == list(before.measurements)
    assert run.claims == before.claims
    assert run.of_notebook("01-b") == before.of_notebook("01-b") != {}
    assert runs.pair_of(house.written)[0].read_bytes() != first

    house.run(changed=True)
    assert house.ran == []


def test_a_run_from_before_there_were_digests_is_measured_whole(house):
    path = house.run()
    save(dataclasses.replace(load_run(path), codes={}), path)
    house.run(changed=True)
    assert house.ran == STEPS


def test_what_an_interrupted_one_measured_is_taken_up(house):
    house.run()
    house.write("00-a", "x = 2")
    house.write("01-b", "x = 2")
    house.breaks["01-b"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        house.run(changed=True)
    house.breaks.clear()
    run = load_run(house.run(changed=True))
    assert house.ran == ["01-b"]
    assert run.whole and run.codes == planning.digests()


def test_there_must_be_a_run_of_this_machine_to_bring_up_to_date(house):
    with pytest.raises(ValueError, match=r"^there is no .* to bring up to date; run without"):
        house.run(changed=True)
    path = house.run()
    machine = dataclasses.replace(this_machine(), cores=99)
    save(dataclasses.replace(load_run(path), machine=machine), path)
    with pytest.raises(ValueError, match="is of another machine"):
        house.run(changed=True)
    with pytest.raises(ValueError, match="not both"):
        house.run("one", changed=True)


def test_quick_runs_selections_and_full_runs_have_files_of_their_own(house, monkeypatch):
    quick, part = house.run(), house.run("two")
    monkeypatch.delenv("WORKBOOK_QUICK")
    full, full_part = house.run(), house.run("two", "01")
    name = runs.results_name(this_machine())
    stems = [path.stem for path in (full, full_part, quick, part)]
    assert stems == [name, f"{name}.part", f"{name}.quick", f"{name}.part.quick"]
    assert list(load_run(full_part).seconds) == ["two", "01-b"]
    assert not load_run(part).whole


def test_one_selection_leaves_what_another_one_kept(house):
    house.breaks["two"] = KeyboardInterrupt()
    with pytest.raises(KeyboardInterrupt):
        house.run("one", "two")
    house.breaks.clear()
    house.run("00")
    house.run("one", "two")
    assert house.ran == ["two"]
    assert not (house.out / "partial").exists()


def test_notebooks_take_up_what_they_show_when_asked_and_stay_as_they_are_otherwise(house):
    path = house.folder / "00-a.ipynb"
    before = path.read_text()
    house.run()
    assert path.read_text() == before
    house.run(store=True)
    book = nbformat.read(path, as_version=4)
    assert book.cells[1].outputs[0].text == "shown"
    assert book.cells[1].execution_count == 1


def test_a_second_run_goes_beside_the_first(house):
    with pytest.raises(ValueError, match="there is no first run"):
        house.run(again=True)
    first = house.run()
    before = first.read_bytes()
    second = house.run(again=True)
    assert second.name == f"{first.stem}.again.json"
    assert first.read_bytes() == before
    assert runs.pair_of(first) == runs.pair_of(second) == (first, second)


def test_a_folder_that_cannot_be_written_is_found_before_anything_runs(house):
    house.out.write_text("in the way")
    with pytest.raises(ValueError, match="results cannot be written"):
        house.run()
    assert not house.ran


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("tow", "there is no claim or notebook 'tow'; near it are two."),
        ("77", "there is no claim or notebook '77'; there are 00-a, 01-b; `workbook claims` lists"),
    ],
)
def test_an_unknown_name_lists_what_is_near_before_anything_runs(house, name, said):
    with pytest.raises(ValueError) as caught:
        house.run("one", name)
    assert str(caught.value).startswith(said)
    assert not house.ran and not house.out.exists()


def test_kernels_that_run_elsewhere_keep_their_records_in_the_right_folder(house, monkeypatch):
    monkeypatch.chdir(house.folder)
    house.out = house.out.relative_to(house.folder)
    house.run()
    assert house.plan.partial.is_absolute()


def test_a_file_carries_no_host_user_or_path(house):
    text = house.run().read_text()
    for secret in (os.uname().nodename, str(house.folder), os.path.expanduser("~")):
        assert secret not in text
    assert f'"{getpass.getuser()}"' not in text


def test_the_reference_run_is_this_machines_and_neither_quick_nor_second(tmp_path):
    machine = this_machine()
    assert runs.reference(machine, tmp_path) is None
    made = {"code": "", "seconds": {}, "claims": {}, "measurements": {}}
    other = dataclasses.replace(machine, processor="Another")

    def put(machine, **changes):
        run = runs.Run(machine=machine, **{"quick": False, **made, **changes})
        name = runs.results_name(machine, quick=run.quick, selected=run.selected)
        save(run, tmp_path / f"{name}.json")
        return run

    put(machine, quick=True)
    put(machine, selected=True)
    assert runs.reference(machine, tmp_path) is None
    elsewhere = put(other)
    assert runs.reference(machine, tmp_path) == elsewhere
    own = put(machine)
    assert runs.reference(machine, tmp_path) == own


def test_time_left_is_scaled_by_how_fast_this_machine_is():
    now = [0.0]
    left = TimeLeft({"a": 10, "b": 20, "c": 15}, clock=lambda: now[0])
    assert left.seconds == 10 + 20 + 15
    left.begin("a")
    now[0] += 5
    assert left.seconds == 5 + 20 + 15
    now[0] += 15
    assert left.seconds == 0 + 20 + 15  # it takes longer than it should
    left.end()
    assert left.seconds == 2 * (20 + 15)
    left.begin("b")
    now[0] += 10
    assert left.seconds == 30 + 30
    assert str(left) == "about 60 s left"
    now[0] += 100
    left.end()
    left.begin("c")
    now[0] += 1000
    left.end()
    assert left.seconds == 0


def test_the_time_left_is_expected_from_the_run_that_is_replaced(house):
    guessed = planning.prepare(house.out).time_left().seconds
    assert guessed == 2 * planning.QUICK_S["claim"] + 2 * planning.QUICK_S["notebook"]
    before = load_run(house.run())
    assert planning.prepare(house.out).time_left().seconds == sum(before.seconds.values())
    assert planning.prepare(house.out, ["00"]).time_left().seconds == planning.QUICK_S["notebook"]
    house.plan.target.write_text("damaged")
    assert planning.prepare(house.out).time_left().seconds == guessed


def test_a_notebook_is_shown_the_claims_of_the_run_that_executes_it(house, monkeypatch):
    seen = []
    execute = house._execute

    def looking(path, *, keep_in, on_cell):
        monkeypatch.setenv("WORKBOOK_KEEP", str(keep_in))
        seen.append(runs.reference(this_machine(), house.out))
        monkeypatch.delenv("WORKBOOK_KEEP")
        return execute(path, keep_in=keep_in, on_cell=on_cell)

    monkeypatch.setattr(notebooks, "execute", looking)
    house.run()
    assert [set(run.claims) for run in seen] == [{"one", "two"}] * 2
    house.run("00")
    assert seen[-1] is None  # a run without claims has none to show; none is committed here
