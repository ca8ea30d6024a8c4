"""What ran a measurement: processor, cores, memory, system and versions; never who or where."""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import subprocess
from dataclasses import dataclass
from pathlib import Path

import loky
import psutil

PACKAGES = ("tensorflow", "numpy", "scipy", "jupyterlab", "ipykernel", "keras")


@dataclass(frozen=True)
class Machine:
    """A fingerprint that tells two kinds of machine apart and names neither host nor user.

    Attributes:
        processor: The processor's own name for itself.
        cores: Cores that this process may use, affinity and container limits included.
        memory_gib: Memory of the machine, in GiB, rounded.
        system: Operating system, such as "Linux".
        python: Python version.
        versions: Versions of the packages that a number may depend on.
    """

    processor: str
    cores: int
    memory_gib: int
    system: str
    python: str
    versions: dict[str, str]

    @property
    def line(self) -> str:
        """The machine in one line, for the foot of a figure or a table."""
        tensorflow = self.versions.get("tensorflow", "not installed")
        return f"{self.processor}, {self.cores} cores, TensorFlow {tensorflow}"


@functools.cache
def this_machine() -> Machine:
    """Returns the fingerprint of the machine that runs this process."""
    return Machine(
        processor=_processor(),
        cores=loky.cpu_count(),
        memory_gib=round(psutil.virtual_memory().total / 2**30),
        system=platform.system(),
        python=platform.python_version(),
        versions={name: version for name in PACKAGES if (version := _version(name))},
    )


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    """The processor's name: `platform.processor` is empty or generic on Linux and macOS."""
    system = platform.system()
    try:
        if system == "Linux":
            for line in Path("/proc/cpuinfo").read_text().splitlines():
                key, _, value = line.partition(":")
                if key.strip() in ("model name", "Model", "Hardware"):
                    return value.strip()
        if system == "Darwin":
            command = ["sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.run(
                command, capture_output=True, text=True, check=True
            ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        pass  # a processor without a name is still a machine
    return platform.processor() or platform.machine() or "unknown processor"
