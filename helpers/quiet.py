"""TensorFlow, imported without the lines it writes to standard error.

    from helpers.quiet import tf

The first lines of a TensorFlow import (oneDNN, CPU features, plug-in registration) come from C++,
before any logging level applies to them, so file descriptor 2 itself is turned aside for the time
of the import, and of the first look for a GPU, which reports a missing one as an error. Afterwards
`TF_CPP_MIN_LOG_LEVEL` is 2: errors are shown, C++ information and warnings are not. Set the
variable yourself to see more.

An import that fails loses nothing: the exception comes through, and what was written to descriptor
2 meanwhile is written out after all.
"""

import contextlib
import faulthandler
import os
import sys
import tempfile
from collections.abc import Iterator

__all__ = ["tf"]


@contextlib.contextmanager
def _descriptor_two_aside() -> Iterator[None]:
    """Send what goes to file descriptor 2 to a temporary file; on an error, write it out."""
    kept = None
    with contextlib.suppress(OSError):
        kept = os.dup(2)
    if kept is None:  # no standard error at all (pythonw on Windows): nothing to turn aside
        yield
        return
    # A crash inside the import (a CPU that lacks AVX) ends the process before the descriptor is
    # back: let the interpreter report it to the real standard error.
    watch = not faulthandler.is_enabled()
    with tempfile.TemporaryFile() as aside:
        _flush()
        os.dup2(aside.fileno(), 2)
        if watch:
            faulthandler.enable(kept)
        failed = True
        try:
            yield
            failed = False
        finally:
            _flush()
            if watch:
                faulthandler.disable()
            os.dup2(kept, 2)
            os.close(kept)
            if failed:
                aside.seek(0)
                with contextlib.suppress(OSError):
                    os.write(2, aside.read())


def _flush() -> None:
    # sys.stderr is None under pythonw, and an object without a descriptor in a notebook.
    with contextlib.suppress(AttributeError, OSError, ValueError):
        sys.stderr.flush()


os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
with _descriptor_two_aside():
    import tensorflow as tf

    # Loads the CUDA driver, and says so when there is none; it creates no context, so thread
    # counts and devices can still be set.
    tf.config.list_physical_devices()
