"""TensorFlow, imported without the lines it writes to standard error.

    from helpers.quiet import tf

The first lines of a TensorFlow import (oneDNN, CPU features, plug-in registration) come from C++,
before any logging level applies to them, so file descriptor 2 itself is turned aside for the time
of the import, and of the first look for a GPU, which reports a missing one as an error. Afterwards
`TF_CPP_MIN_LOG_LEVEL` is 2: errors are shown, C++ information and warnings are not. Set the
variable yourself to see more.

An import that fails loses nothing: the exception comes through, and what was written to descriptor
2 meanwhile is written out after all.

Keras is left for its first use: half of the time of an import is spent on it.

TensorFlow is imported when `tf` is first asked for, so that a worker process, which has no use for
it, can arm `quieten_later` without importing it.
"""

import contextlib
import faulthandler
import importlib.machinery
import linecache
import os
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

__all__ = ["quieten_later", "sources_in_no_file", "tf"]  # noqa: F822, see __getattr__


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
    import tempfile  # here, since a worker process that never imports TensorFlow starts sooner

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


def _set_level() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


@contextlib.contextmanager
def _without_keras() -> Iterator[None]:
    """Has TensorFlow not load Keras ahead of its first use, which is half of its import.

    It does without where Keras is not there (the end of tensorflow/__init__.py). `tf.keras` and
    `import keras` load it when they are asked for.
    """
    ahead = "keras.src.optimizers"
    if ahead in sys.modules:
        yield
        return
    sys.modules[ahead] = None  # importing it raises an ImportError
    try:
        yield
    finally:
        if sys.modules.get(ahead, ahead) is None:
            del sys.modules[ahead]


def _look_for_devices(tensorflow: ModuleType) -> None:
    # Loads the CUDA driver, and says so when there is none; it creates no context, so thread
    # counts and devices can still be set.
    tensorflow.config.list_physical_devices()


def __getattr__(name: str) -> Any:
    if name != "tf":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _set_level()
    with _descriptor_two_aside():
        from helpers import replay

        if replay.replaying() and not replay.has_tensorflow():
            tensorflow = replay.stand_in()
        else:
            with _without_keras():
                import tensorflow

            _look_for_devices(tensorflow)
    globals()["tf"] = tensorflow
    return tensorflow


class _QuietImport:
    """Finds TensorFlow as Python does, and has it imported without its lines."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        """Finds `tensorflow`, once."""
        if name != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module

            def exec_module(module: ModuleType) -> None:
                with _descriptor_two_aside():
                    with _without_keras():
                        execute(module)
                    _look_for_devices(module)

            spec.loader.exec_module = exec_module
        return spec


def quieten_later() -> None:
    """Has TensorFlow imported without its lines when something else imports it, if anything does.

    For processes that run other people's code, which imports TensorFlow or not.
    """
    _set_level()
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, _QuietImport())


def sources_in_no_file() -> dict[str, tuple]:
    """Gives the source of notebook cells, for the `linecache` of a process that runs their code.

    AutoGraph warns of each function whose source it cannot find, and messages show lines of it.
    """
    return {
        name: entry
        for name, entry in list(linecache.cache.items())
        if len(entry) == 4 and entry[1] is None
    }
