"""Make .venv beside this script's folder, with exactly what requirements.txt names.

    python scripts/setup_venv.py             make or update .venv; nothing to do: says so, and ends
    python scripts/setup_venv.py --peers     add the other loaders that the workbook compares with
    python scripts/setup_venv.py --cluster   add Ray, for Python on many machines
    python scripts/setup_venv.py --this-python     use the Python that runs this, or say why not
    python scripts/setup_venv.py --gather DIR      put all packages into DIR, for rooms without a
                                                   network; the same system and Python as there
    python scripts/setup_venv.py --wheelhouse DIR  install from there, and ask no network

`make venv` calls it; on Windows call it by hand. Only the standard library is used, and only
syntax that old Pythons can read, so that they can say one clear line about what is missing.
"""

import argparse
import contextlib
import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOG = ROOT / ".venv-setup.log"
GIB = 2**30
VENV_BYTES = int(3.4 * GIB)  # measured on Linux, Python 3.11
WHEEL_BYTES = int(1.1 * GIB)  # what pip unpacks from, and keeps in its cache
MARGIN_BYTES = int(0.5 * GIB)
# For Linux, PyPI's PyTorch is the one with CUDA, several GB; this index has it for the CPU.
LINUX_TORCH = ("--extra-index-url", "https://download.pytorch.org/whl/cpu", "torch==2.13.0")

# What builds this project itself, which pip would fetch when it installs it.
BUILDERS = ("hatchling>=1.27", "editables")

NO_NETWORK = re.compile(
    "NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError"
    "|Failed to establish a new connection|Connection (refused|reset|aborted)"
    "|Network is unreachable|getaddrinfo failed|name resolution|timed out"
)
DISK_FULL = re.compile(r"No space left on device|Errno 28|WinError 112|Disk quota exceeded")


class SetupError(Exception):
    """What is wrong and what to do about it, in one line."""


class NoNetworkError(SetupError):
    """The package index is out of reach; pip fetches everything before it changes anything."""


# ------------------------------------------------------------------------------ what fits here


def supported_versions():
    """((3, 10), …), the Pythons that pyproject.toml allows."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    low, high = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', text).groups()
    return [(3, minor) for minor in range(int(low), int(high))]


def version_names():
    names = [f"{major}.{minor}" for major, minor in supported_versions()]
    return ", ".join(names[:-1]) + " or " + names[-1]


def wrong_with_this_python():
    """Why the Python that runs this cannot carry the workbook, in one line; None when it can."""
    if sys.version_info[:2] not in supported_versions():
        return (
            f"Python {platform.python_version()} has no TensorFlow 2.21; "
            f"install Python {version_names()}, or name one: make PYTHON=/path/to/python venv"
        )
    if platform.python_implementation() != "CPython" or sys.maxsize < 2**32:
        return "TensorFlow needs a 64-bit CPython; this is another kind of Python"
    try:
        import ensurepip  # noqa: F401
        import venv  # noqa: F401
    except ImportError:
        short = "{}.{}".format(*sys.version_info[:2])
        return (
            f"Python {short} at {sys.executable} has no venv module; "
            f"on Debian and Ubuntu: sudo apt install python{short}-venv"
        )
    return None


def wrong_with_this_machine():
    """Why TensorFlow has no file for this kind of machine, in one line; None when it has."""
    system, machine = platform.system(), platform.machine().lower()
    have = {
        "Linux": ("x86_64", "aarch64"),
        "Darwin": ("arm64",),
        "Windows": ("amd64",),
    }
    if machine not in have.get(system, ()):
        return (
            f"TensorFlow 2.21 has no build for {system or 'this system'} on {machine}; "
            "it has for Linux (x86-64, ARM64), macOS (Apple silicon) and Windows (x86-64)"
        )
    if system == "Linux" and platform.libc_ver()[0] != "glibc":
        return "TensorFlow has no build for a Linux without glibc (Alpine); use Debian, Ubuntu, …"
    return None


def another_python():
    """The path of an installed Python that fits, or None."""
    probe = (
        "import sys, venv, ensurepip; sys.maxsize > 2**32 or sys.exit(1); "
        "print('%d.%d' % sys.version_info[:2], sys.executable)"
    )
    wanted = [f"{major}.{minor}" for major, minor in reversed(supported_versions())]
    commands = [["python" + version] for version in wanted]
    if os.name == "nt":
        commands = [["py", "-" + version] for version in wanted]
    for command in [*commands, ["python3"], ["python"]]:
        found = shutil.which(command[0])
        if not found:
            continue
        done = subprocess.run(
            [found, *command[1:], "-c", probe],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            universal_newlines=True,
        )
        version, _, path = done.stdout.strip().partition(" ")
        if done.returncode == 0 and version in wanted:
            return path
    return None


def check_disk():
    """Raise when .venv, or the files that pip unpacks on the way, would not fit."""
    temporary = Path(tempfile.gettempdir())
    need = {ROOT: VENV_BYTES + MARGIN_BYTES}
    if temporary.stat().st_dev == ROOT.stat().st_dev:
        need[ROOT] += WHEEL_BYTES
    else:
        need[temporary] = WHEEL_BYTES
    for place, size in need.items():
        free = shutil.disk_usage(str(place)).free
        if free < size:
            raise SetupError(
                f"the disk of {place} has {free / GIB:.1f} GiB free and the set-up needs "
                f"{size / GIB:.1f} GiB; make room and try again"
            )


# ------------------------------------------------------------------------------ the environment


def venv_python():
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def venv_version():
    """(3, 11) when .venv has a Python that starts and has pip, else None."""
    if not venv_python().exists():
        return None
    code = "import sys, pip; print(*sys.version_info[:2])"
    try:
        done = subprocess.run(
            [str(venv_python()), "-I", "-c", code],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            universal_newlines=True,
        )
    except OSError:
        return None
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else None


def stamp(*more):
    """What .venv was made from: lock, project, settings, place (a moved .venv is broken)."""
    digest = hashlib.sha256()
    copied = sorted(path for path in (ROOT / "scripts" / "lab").rglob("*") if path.is_file())
    for path in (ROOT / "requirements.txt", ROOT / "pyproject.toml", *copied):
        digest.update(path.read_bytes())
    digest.update(repr((str(VENV), *more)).encode())
    return digest.hexdigest()


def up_to_date(stamp_file, content):
    return stamp_file.exists() and stamp_file.read_text() == content


def pip_environment():
    """This process's variables without those that lead pip out of .venv, or past a wheelhouse."""
    outside = {"PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_REQUIRE_VIRTUALENV"}
    kept = {name: value for name, value in os.environ.items() if name not in outside}
    kept.update(PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1", PYTHONIOENCODING="utf-8")
    if WHEELHOUSE:
        kept.update(PIP_NO_INDEX="1", PIP_FIND_LINKS=WHEELHOUSE[0])
    return kept


WHEELHOUSE = []  # the folder that packages come from in place of the index, if there is one


def logged(command, log):
    """Run a command with its output in the log; on a terminal, also show how far it is.

    Returns:
        (whether it succeeded, what it wrote)
    """
    log.write("$ " + " ".join(map(str, command)) + "\n")
    lines = []
    with subprocess.Popen(
        [str(part) for part in command],
        cwd=str(ROOT),
        env=pip_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        for raw in process.stdout:
            line = raw.decode("utf-8", "replace").rstrip()
            lines.append(line)
            log.write(line + "\n")
            log.flush()
            if sys.stdout.isatty() and line.startswith(("Collecting", "Installing")):
                print("\r\033[K  " + line[:60], end="", flush=True)
    if sys.stdout.isatty():
        print("\r\033[K", end="")
    return process.returncode == 0, "\n".join(lines)


def pip(log, *arguments):
    """Run .venv's pip; raise one line when it fails."""
    good, text = logged([venv_python(), "-I", "-m", "pip", *arguments], log)
    if not good:
        raise pip_error(text)


def pip_error(text):
    """The error, in one line, for what pip wrote when it failed."""
    story = f" (the whole story: {LOG.name})"
    if DISK_FULL.search(text):
        return SetupError("the disk ran full while installing; make room and try again" + story)
    if NO_NETWORK.search(text):
        return NoNetworkError(
            "pip could not reach the package index; check the network (behind a proxy, set "
            "HTTPS_PROXY) and try again" + story
        )
    missing = re.search(r"No matching distribution found for (\S+)", text)
    if missing:
        place = "wheelhouse" if WHEELHOUSE else "package index"
        return SetupError(
            f"the {place} has no {missing.group(1)} for this machine and Python" + story
        )
    errors = [line[6:].strip() for line in text.splitlines() if line.lower().startswith("error:")]
    return SetupError("pip failed: " + (errors[-1] if errors else "it gave no reason") + story)


def remove_venv():
    """Remove a .venv that is ours to remove."""
    ours = ("pyvenv.cfg", UNFINISHED.name)
    if any(VENV.iterdir()) and not any((VENV / name).exists() for name in ours):
        raise SetupError(f"{VENV} exists and is not a virtual environment; move it away")
    shutil.rmtree(str(VENV))


UNFINISHED = VENV / ".unfinished"  # stands while .venv is being changed
STAMP = VENV / ".made-from"
EXTRAS = {"peers": "PyTorch, Grain and Datasets", "cluster": "Ray"}


def make_venv(log, keep_version, light=False):
    """Make .venv, or bring it up to the lock.

    Args:
        log: The open log file.
        keep_version: Keep a .venv of any supported Python; otherwise only one of this Python.
        light: Without TensorFlow, unless it is there; what is committed can be replayed then.
    """
    version = venv_version()
    fits = supported_versions() if keep_version else [sys.version_info[:2]]
    made = up_to_date(STAMP, stamp()) or (light and up_to_date(STAMP, stamp("light")))
    if version in fits and made and not UNFINISHED.exists():
        print("set-up: .venv is up to date")
        return
    log.truncate(0)  # the last failure's story is kept until here
    if not light:
        check_disk()
    if VENV.exists() and (version not in fits or UNFINISHED.exists()):
        print("set-up: removing a .venv that is unfinished, broken or of another Python")
        remove_venv()
    fresh = not VENV.exists()
    VENV.mkdir(exist_ok=True)
    UNFINISHED.touch()
    if fresh:
        print(f"set-up: making .venv with Python {platform.python_version()}", flush=True)
        good, _ = logged([sys.executable, "-m", "venv", VENV], log)
        if not good:
            raise SetupError(f"python -m venv failed (the whole story: {LOG.name})")
        size = "1 GB" if light else "3 GB"
        print(f"set-up: installing about {size}; this takes two to ten minutes, once", flush=True)
    else:
        print("set-up: bringing .venv up to requirements.txt", flush=True)
    try:
        # pip itself first: old ones cannot install this project, and a dead network shows here.
        pip(log, "install", "--retries", "1", locked("pip"))
        pip(
            log, "install", "--no-deps", "-r", without_tensorflow() if light else "requirements.txt"
        )
        pip(log, "install", "--no-deps", "-e", ".")
    except NoNetworkError:
        if not fresh:  # what worked before still does
            UNFINISHED.unlink()
        raise
    STAMP.write_text(stamp("light") if light else stamp())
    UNFINISHED.unlink()
    print("set-up: .venv is ready")


HEAVY = "grpcio", "keras", "libclang", "tensorflow"


def without_tensorflow():
    """The lock without TensorFlow and what only it needs, in a file."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.partition("==")[0] not in HEAVY]
    (VENV / ".light.txt").write_text("\n".join(kept), encoding="utf-8")
    return str(VENV / ".light.txt")


def locked(name):
    """The line of a package in the lock, such as pip==26.3."""
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    return re.search(rf"^{name}==\S+", lock, re.MULTILINE).group()


def add_extra(name, log):
    """Install an extra into .venv, without moving anything that the lock names."""
    made_from = VENV / f".{name}-made-from"
    if up_to_date(made_from, stamp(name)):
        print(f"set-up: {EXTRAS[name]}: installed")
        return
    print(f"set-up: installing {EXTRAS[name]}", flush=True)
    if name == "peers" and platform.system() == "Linux":
        pip(log, "install", "--retries", "1", "-c", "requirements.txt", *LINUX_TORCH)
    pip(log, "install", "-c", "requirements.txt", "-e", f".[{name}]")
    made_from.write_text(stamp(name))
    print(f"set-up: {EXTRAS[name]}: ready")


# ------------------------------------------------------------------------------ without a network


def gather(log, folder):
    """Put every package that the lock names into a folder, as a file that pip can install."""
    print(f"set-up: gathering all packages in {folder}; this takes some minutes", flush=True)
    wheel = ("wheel", "--retries", "1", "--wheel-dir", str(folder))
    pip(log, *wheel, "--no-deps", "-r", "requirements.txt")
    pip(log, *wheel, *BUILDERS)
    count = len(list(folder.glob("*.whl")))
    print(f"set-up: {folder} has {count} packages; there: make venv WHEELHOUSE={folder.name}")


def use_wheelhouse(folder):
    """Have pip install from a folder that `gather` filled."""
    if not any(folder.glob("*.whl")):
        raise SetupError(f"{folder} has no packages; `make wheelhouse` gathers them")
    WHEELHOUSE[:] = [str(folder.resolve())]


# ------------------------------------------------------------------------------ the command


@contextlib.contextmanager
def only_one():
    """The log, held by one set-up at a time; the system lets go of it when a process dies."""
    with open(str(LOG), "a", encoding="utf-8") as log:
        try:
            try:
                import fcntl

                fcntl.flock(log, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except ImportError:
                import msvcrt

                log.seek(0)
                msvcrt.locking(log.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            raise SetupError("another set-up is at work in this folder; wait for it") from None
        yield log


def run(arguments):
    problem = wrong_with_this_machine()
    if problem:
        raise SetupError(problem)
    problem = wrong_with_this_python()
    if problem:
        other = None if arguments.this_python else another_python()
        if other is None:
            raise SetupError(problem)
        return subprocess.run([other, str(Path(__file__).resolve()), *sys.argv[1:]]).returncode
    if arguments.wheelhouse:
        use_wheelhouse(arguments.wheelhouse)
    with only_one() as log:
        make_venv(log, not arguments.this_python, arguments.without_tensorflow)
        for name in EXTRAS:
            if getattr(arguments, name):
                add_extra(name, log)
        if arguments.gather:
            gather(log, arguments.gather)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name, what in EXTRAS.items():
        parser.add_argument(f"--{name}", action="store_true", help=f"add {what}")
    parser.add_argument("--this-python", action="store_true", help="look for no other Python")
    parser.add_argument(
        "--without-tensorflow", action="store_true", help="enough to replay what is committed"
    )
    parser.add_argument("--gather", metavar="DIR", type=Path, help="put all packages into DIR")
    parser.add_argument("--wheelhouse", metavar="DIR", type=Path, help="install from DIR alone")
    arguments = parser.parse_args()
    try:
        return run(arguments)
    except SetupError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"set-up: {error} (is something still using .venv?)", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nset-up: interrupted; the next call starts afresh", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
