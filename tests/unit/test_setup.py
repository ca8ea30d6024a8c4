"""The set-up: its sentences, its repairs, and the lock that it installs."""

import ast
import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import browser_finder
import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

try:
    import tomllib
except ImportError:  # Python 3.10; pytest brings this one there
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "setup_venv.py"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
GIB = 2**30


@pytest.fixture
def tree(tmp_path):
    """A copy of what the set-up reads, with the script in it loaded as a module."""
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPT, tmp_path / "scripts")
    for name in ("pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, tmp_path)
    shutil.copytree(ROOT / "scripts" / "lab", tmp_path / "scripts" / "lab")
    spec = importlib.util.spec_from_file_location("setup", tmp_path / "scripts" / "setup_venv.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def call(tree, monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["setup_venv.py", *arguments])
    return tree.main()


def sentence(capsys):
    """The one line that was written to standard error."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("set-up: "), lines
    return lines[0]


# ------------------------------------------------------------------------------ one clear line


@pytest.mark.parametrize("version", [(3, 9, 18), (3, 14, 0)])
def test_a_python_without_tensorflow(tree, version, monkeypatch, capsys):
    monkeypatch.setattr(sys, "version_info", version)
    assert call(tree, monkeypatch, "--this-python") == 1
    assert "install Python 3.10, 3.11, 3.12 or 3.13" in sentence(capsys)


def test_another_python_is_taken_when_there_is_one(tree, monkeypatch):
    monkeypatch.setattr(sys, "version_info", (3, 9, 18))
    monkeypatch.setattr(tree, "another_python", lambda: "/there/python3.12")
    calls = []

    def run(command):
        calls.append(command)
        return SimpleNamespace(returncode=7)

    monkeypatch.setattr(tree.subprocess, "run", run)
    assert call(tree, monkeypatch, "--peers") == 7
    assert calls == [["/there/python3.12", str(Path(tree.__file__).resolve()), "--peers"]]


def test_another_python_fits(tree):
    found = tree.another_python()
    assert found is None or os.access(found, os.X_OK)
    if found:
        code = "import sys; print(sys.version_info[:2])"
        done = subprocess.run([found, "-c", code], capture_output=True, text=True)
        assert ast.literal_eval(done.stdout) in tree.supported_versions()


def test_no_venv_module(tree, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ensurepip", None)
    assert call(tree, monkeypatch, "--this-python") == 1
    assert "has no venv module; on Debian and Ubuntu: sudo apt install" in sentence(capsys)


@pytest.mark.parametrize(
    ("system", "machine", "fits"),
    [
        ("Linux", "x86_64", True),
        ("Linux", "aarch64", True),
        ("Linux", "riscv64", False),
        ("Darwin", "arm64", True),
        ("Darwin", "x86_64", False),
        ("Windows", "AMD64", True),
        ("FreeBSD", "amd64", False),
    ],
)
def test_machines(tree, system, machine, fits, monkeypatch):
    monkeypatch.setattr(tree.platform, "system", lambda: system)
    monkeypatch.setattr(tree.platform, "machine", lambda: machine)
    monkeypatch.setattr(tree.platform, "libc_ver", lambda: ("glibc", "2.36"))
    problem = tree.wrong_with_this_machine()
    assert (problem is None) == fits
    assert fits or f"no build for {system} on {machine.lower()}" in problem


def test_musl(tree, monkeypatch):
    monkeypatch.setattr(tree.platform, "system", lambda: "Linux")
    monkeypatch.setattr(tree.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(tree.platform, "libc_ver", lambda: ("", ""))
    assert "without glibc" in tree.wrong_with_this_machine()


def test_no_disk(tree, monkeypatch, capsys):
    monkeypatch.setattr(tree.shutil, "disk_usage", lambda _: SimpleNamespace(free=1.25 * GIB))
    assert call(tree, monkeypatch, "--this-python") == 1
    assert "has 1.2 GiB free and the set-up needs" in sentence(capsys)
    assert not tree.VENV.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ERROR: Could not install packages due to an OSError: [Errno 28] No space left", "disk"),
        (
            "WARNING: Retrying after connection broken by 'NewConnectionError(...)'\n"
            "ERROR: No matching distribution found for pip==26.3",
            "could not reach the package index",
        ),
        (
            "ERROR: No matching distribution found for tensorflow==2.21.0",
            "no tensorflow==2.21.0 for this machine",
        ),
        ("Collecting a\nERROR: first\nERROR: last", "pip failed: last"),
        ("", "no reason"),
    ],
)
def test_what_pip_said_in_one_line(tree, text, said):
    message = str(tree.pip_error(text))
    assert said in message and "\n" not in message
    assert ".venv-setup.log" in message


def test_old_pythons_can_read_the_script():
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 6))


# ------------------------------------------------------------------------------ making, repairing


@pytest.fixture
def installs(tree, monkeypatch):
    """The commands that a set-up would run; none is run, all succeed."""
    commands = []

    def logged(command, log):
        commands.append([str(part) for part in command])
        return True, ""

    monkeypatch.setattr(tree, "logged", logged)
    monkeypatch.setattr(tree, "check_disk", lambda: None)
    monkeypatch.setattr(
        tree, "venv_version", lambda: sys.version_info[:2] if tree.VENV.exists() else None
    )
    return commands


def test_the_second_call_installs_nothing(tree, installs, monkeypatch):
    assert call(tree, monkeypatch) == 0
    assert installs[0][1:3] == ["-m", "venv"]
    assert installs[-1][-3:] == ["--no-deps", "-e", "."]
    installs.clear()
    assert call(tree, monkeypatch) == 0
    assert installs == []


@pytest.mark.parametrize(
    "name", ["requirements.txt", "pyproject.toml", "scripts/lab/jupyter_server_config.py"]
)
def test_a_changed_lock_is_installed_into_the_same_venv(tree, installs, name, monkeypatch):
    call(tree, monkeypatch)
    (tree.VENV / "kept").touch()
    installs.clear()
    with open(tree.ROOT / name, "a") as file:
        file.write("\n# changed\n")
    assert call(tree, monkeypatch) == 0
    assert installs and ["-m", "venv"] not in [command[1:3] for command in installs]
    assert (tree.VENV / "kept").exists()


def test_a_killed_set_up_is_removed_and_made_again(tree, installs, monkeypatch):
    call(tree, monkeypatch)
    tree.UNFINISHED.touch()
    (tree.VENV / "half").touch()
    installs.clear()
    assert call(tree, monkeypatch) == 0
    assert not (tree.VENV / "half").exists() and not tree.UNFINISHED.exists()
    assert installs[0][1:3] == ["-m", "venv"]


def test_a_folder_of_somebody_is_left_alone(tree, installs, monkeypatch, capsys):
    monkeypatch.setattr(tree, "venv_version", lambda: None)
    tree.VENV.mkdir()
    (tree.VENV / "thesis.txt").write_text("mine")
    assert call(tree, monkeypatch) == 1
    assert "is not a virtual environment; move it away" in sentence(capsys)
    assert (tree.VENV / "thesis.txt").exists() and installs == []


def test_without_a_network_a_working_venv_stays(tree, installs, monkeypatch, capsys):
    call(tree, monkeypatch)
    with open(tree.ROOT / "requirements.txt", "a") as file:
        file.write("# changed\n")
    monkeypatch.setattr(tree, "logged", lambda command, log: (False, "getaddrinfo failed"))
    capsys.readouterr()
    assert call(tree, monkeypatch) == 1
    assert "could not reach the package index" in sentence(capsys)
    assert tree.VENV.exists() and not tree.UNFINISHED.exists()


@pytest.mark.skipif(os.name == "nt", reason="locks by another call there")
def test_only_one_at_a_time(tree, installs, monkeypatch, capsys):
    with tree.only_one():
        assert call(tree, monkeypatch) == 1
    assert "another set-up is at work" in sentence(capsys)


def test_without_tensorflow_the_rest_is_installed_and_a_whole_venv_will_do(
    tree, installs, monkeypatch
):
    assert call(tree, monkeypatch, "--without-tensorflow") == 0
    lock = (tree.VENV / ".light.txt").read_text(encoding="utf-8").splitlines()
    names = {line.partition("==")[0] for line in lock}
    assert "numpy" in names and not names & set(tree.HEAVY)
    installs.clear()
    assert call(tree, monkeypatch, "--without-tensorflow") == 0
    assert installs == []
    assert call(tree, monkeypatch) == 0  # now with it
    assert any("requirements.txt" in install for install in installs)
    installs.clear()
    assert call(tree, monkeypatch, "--without-tensorflow") == 0
    assert installs == []


@pytest.mark.parametrize("extra", ["peers", "cluster"])
def test_an_extra_is_added_once(tree, installs, monkeypatch, extra):
    assert call(tree, monkeypatch, f"--{extra}") == 0
    assert installs[-1][-4:] == ["-c", "requirements.txt", "-e", f".[{extra}]"]
    installs.clear()
    assert call(tree, monkeypatch, f"--{extra}") == 0
    assert installs == []


@pytest.mark.faults
def test_no_network_for_real(tree):
    """A real venv, a real pip, and an index that refuses connections."""
    environment = {name: value for name, value in os.environ.items() if "PIP_" not in name}
    environment.update(PIP_CONFIG_FILE=os.devnull, PIP_INDEX_URL="http://127.0.0.1:9/simple")
    done = subprocess.run(
        [sys.executable, tree.__file__], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "could not reach the package index" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "127.0.0.1" in tree.LOG.read_text()


# ------------------------------------------------------------------------------ the lock


def locked_in(python, platform):
    """What pip would install from the lock there: {name: version}."""
    system, os_name = platform
    there = {
        "python_version": python,
        "python_full_version": python + ".9",
        "sys_platform": system,
        "platform_system": {"linux": "Linux", "darwin": "Darwin", "win32": "Windows"}[system],
        "os_name": os_name,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
    }
    found = {}
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate(there):
            name = canonicalize_name(requirement.name)
            assert name not in found, f"{name} twice for Python {python} on {system}"
            (pin,) = requirement.specifier
            assert pin.operator == "==", line
            found[name] = pin.version
    return found


@pytest.mark.parametrize("platform", [("linux", "posix"), ("darwin", "posix"), ("win32", "nt")])
@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13"])
def test_the_lock_meets_the_project_everywhere(python, platform):
    assert SpecifierSet(PROJECT["requires-python"]).contains(python + ".9")
    lock = locked_in(python, platform)
    extras = PROJECT["optional-dependencies"]
    for line in PROJECT["dependencies"] + extras["test"] + extras["author"]:
        wanted = Requirement(line)
        assert wanted.specifier.contains(lock[canonicalize_name(wanted.name)]), line


def test_the_peers_are_not_in_the_lock():
    lock = locked_in("3.11", ("linux", "posix"))
    peers = {Requirement(line).name for line in PROJECT["optional-dependencies"]["peers"]}
    assert peers == {"torch", "grain", "datasets"} and not peers & set(lock)


def test_this_environment_is_the_lock():
    """What runs the tests is what a reader gets (skipped in an environment of one's own)."""
    if Path(sys.prefix) != ROOT / ".venv":
        pytest.skip("not in .venv")
    from importlib.metadata import distributions

    here = {canonicalize_name(found.name): found.version for found in distributions()}
    platform = (sys.platform, os.name)
    lock = locked_in("{}.{}".format(*sys.version_info[:2]), platform)
    assert {name: here.get(name) for name in lock} == lock


def test_jupyterlab_is_told_the_same_however_it_is_started():
    """What the browser tests use is what this environment has (skipped in one of one's own)."""
    if Path(sys.prefix) != ROOT / ".venv":
        pytest.skip("not in .venv")
    told = [path for path in (ROOT / "scripts" / "lab").rglob("*") if path.is_file()]
    assert len(told) == 2
    for path in told:
        here = Path(sys.prefix, "etc", "jupyter", path.relative_to(ROOT / "scripts" / "lab"))
        assert here.read_bytes() == path.read_bytes(), "run `make venv`"


def test_conda_gets_the_same():
    recipe = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    python, pip, packages = recipe["dependencies"]
    assert SpecifierSet(python.removeprefix("python")) == SpecifierSet(PROJECT["requires-python"])
    assert pip == "pip"
    assert packages == {"pip": ["-r requirements.txt", "-e ."]}
    assert recipe["name"] == PROJECT["name"]


def test_the_lock_says_how_it_is_made():
    assert "make lock" in (ROOT / "requirements.txt").read_text(encoding="utf-8")[:200]


# ------------------------------------------------------------------------------ the Makefile


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_make_alone_lists_every_target():
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    told = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True)
    assert re.findall(r"^  make (\w+)", told.stdout, re.MULTILINE) == phony.group(1).split()


# ------------------------------------------------------------------------------ without a network


def test_packages_are_gathered_with_what_builds_the_project(tree, monkeypatch, tmp_path, capsys):
    commands = []

    def logged(command, log):
        commands.append([str(part) for part in command])
        house.mkdir(exist_ok=True)
        (house / "one-1-py3-none-any.whl").touch()
        return True, ""

    house = tmp_path / "wheelhouse"
    monkeypatch.setattr(tree, "make_venv", lambda log, keep_version, light: None)
    monkeypatch.setattr(tree, "logged", logged)
    assert call(tree, monkeypatch, "--gather", str(house)) == 0
    locked, builders = commands
    assert locked[-3:] == ["--no-deps", "-r", "requirements.txt"] and "wheel" in locked
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    assert set(build) <= set(builders) and "--no-deps" not in builders
    assert "make venv WHEELHOUSE=wheelhouse" in capsys.readouterr().out


def test_a_wheelhouse_is_asked_in_the_place_of_the_network(tree, monkeypatch, tmp_path, capsys):
    house = tmp_path / "wheelhouse"
    house.mkdir()
    assert call(tree, monkeypatch, "--wheelhouse", str(house)) == 1
    assert "has no packages; `make wheelhouse` gathers them" in sentence(capsys)
    (house / "one-1-py3-none-any.whl").touch()
    seen = {}
    monkeypatch.setattr(
        tree, "make_venv", lambda log, keep_version, light: seen.update(tree.pip_environment())
    )
    assert call(tree, monkeypatch, "--wheelhouse", str(house)) == 0
    assert seen["PIP_NO_INDEX"] == "1" and seen["PIP_FIND_LINKS"] == str(house)
    error = tree.pip_error("ERROR: No matching distribution found for pip==26.3")
    assert "the wheelhouse has no pip==26.3 for this machine" in str(error)


@pytest.mark.skipif(not shutil.which("make"), reason="needs make")
def test_make_takes_the_python_that_it_is_given(monkeypatch):
    # Set when `make test` runs this.
    for name in ("PYTHON", "WHEELHOUSE", "MAKEFLAGS", "MAKEOVERRIDES"):
        monkeypatch.delenv(name, raising=False)

    def command(*arguments):
        options = ["--no-print-directory", "-n", *arguments]
        done = subprocess.run(["make", *options, "venv"], cwd=ROOT, capture_output=True, text=True)
        return done.stdout

    there = '"/there/python" scripts/setup_venv.py --this-python\n'
    assert command("PYTHON=/there/python") == there
    assert "--this-python" not in command()


# ------------------------------------------------------------------------------ the browser


@pytest.fixture
def fresh_finder():
    browser_finder.chromium.cache_clear()
    yield
    browser_finder.chromium.cache_clear()


def test_the_named_browser_or_none(fresh_finder, monkeypatch, tmp_path):
    monkeypatch.setenv("WORKBOOK_CHROMIUM", str(tmp_path / "none"))
    assert browser_finder.chromium() is None


@pytest.mark.skipif(os.name == "nt", reason="a shell script stands in for the browser")
@pytest.mark.parametrize(("status", "found"), [(0, True), (1, False)])
def test_only_a_browser_that_starts(fresh_finder, status, found, monkeypatch, tmp_path):
    fake = tmp_path / "chromium"
    fake.write_text(f"#!/bin/sh\nexit {status}\n")
    fake.chmod(0o755)
    monkeypatch.delenv("WORKBOOK_CHROMIUM", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(browser_finder, "playwrights_own", lambda: "")
    assert browser_finder.chromium() == (str(fake) if found else None)


def test_the_last_lines_say_what_was_skipped(tmp_path):
    test = tmp_path / "test_page.py"
    test.write_text(
        "import pytest\n@pytest.mark.browser\ndef test_page(chromium_path): raise AssertionError\n"
    )
    environment = dict(
        os.environ, PYTHONPATH=str(ROOT / "tests"), WORKBOOK_CHROMIUM=str(tmp_path / "none")
    )
    options = ["-p", "conftest", f"--rootdir={tmp_path}", "-c", str(ROOT / "pyproject.toml")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(test)],
        env=environment,
        capture_output=True,
        text=True,
    )
    *_, what, how, closing = filter(None, done.stdout.splitlines())
    assert what == "Browser tests, for want of a Chromium: 1."
    assert how == browser_finder.HOW_TO_GET
    assert "1 skipped" in closing
