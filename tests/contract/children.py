"""Python processes of these tests: where they start, and what they find on their path."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
ROOT = TESTS.parent


# Half the time of an import of TensorFlow is Keras's. TensorFlow goes without when told that Keras
# is the old one, which is not installed; whoever uses it after all fails.
NO_KERAS = {"TF_USE_LEGACY_KERAS": "1"}


def environment(**more: str) -> dict[str, str]:
    """The environment of a child: the tests and the package on its path, and no GPU."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(TESTS), str(ROOT)]),
        "CUDA_VISIBLE_DEVICES": "-1",
        **more,
    }


def start(arguments: Sequence[str], **options) -> subprocess.Popen:
    """Starts Python in a process group of its own, with its standard output as text."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        **{
            "cwd": ROOT,
            "env": environment(),
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.PIPE,
            "text": True,
            "start_new_session": True,
            **options,
        },
    )
