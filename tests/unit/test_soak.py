"""Tests run many times beside busy processes, and what is left of those afterwards."""

from types import SimpleNamespace

import soak

ONE = "tests/unit/test_soak.py::test_busy_processes_work_and_end"


def test_busy_processes_work_and_end():
    with soak.busy(2) as load:
        assert [each.poll() for each in load] == [None, None]
    assert None not in [each.poll() for each in load]


def test_each_test_runs_so_many_times(monkeypatch, capfd):
    monkeypatch.setattr(soak.os, "cpu_count", lambda: 1)
    assert soak.main(["--rounds", "3", ONE]) == 0
    said = capfd.readouterr().out
    assert "3 passed" in said and "3 rounds beside 1 busy" in said and "not one failed" in said


def test_a_failure_is_told(monkeypatch, capsys):
    monkeypatch.setattr(soak.subprocess, "run", lambda *a, **k: SimpleNamespace(returncode=1))
    assert soak.main([]) == 1
    assert capsys.readouterr().out.endswith("s: failed\n")
