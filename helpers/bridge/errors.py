"""What the bridge raises, and how an error of the user's code is told.

TensorFlow shows only the text of an error that Python raises in a pipeline, twice, with the frames
that led to it. So the text itself says, from its first line on, what was raised, at which row, and
in which line of whose file; the frames are left out of the traceback.
"""

from __future__ import annotations

import functools
import os
import re
import traceback
from collections.abc import Iterator

# The kinds of errors that TensorFlow tells apart (tensorflow/python/lib/core/py_func.cc).
KINDS = (TypeError, ValueError, NotImplementedError, MemoryError)

# What a generator may raise that is its own affair: tf.data tells of `sys.exit()` in it, too.
RAISED = (Exception, SystemExit, KeyboardInterrupt)

_OURS = os.path.dirname(os.path.abspath(__file__))


class GeneratorError(RuntimeError):
    """The generator or the source raised; the message says what, at which row, in which line."""


class MismatchError(TypeError):
    """A row does not match the output signature."""


class WorkerError(RuntimeError):
    """A worker process exited or was killed, or could not do its work."""


def kind_of(error: BaseException) -> type[Exception]:
    """Gives the kind that TensorFlow takes an error for; RuntimeError where it has no name."""
    return next((kind for kind in KINDS if isinstance(error, kind)), RuntimeError)


@functools.cache
def as_kind(error_type: type[Exception], kind: type[Exception]) -> type[Exception]:
    """Gives an error type of that name which is also of this kind: TensorFlow goes by the kind."""
    if issubclass(error_type, kind):
        return error_type
    return type(error_type.__name__, (error_type, kind), {"__module__": error_type.__module__})


def told(error: BaseException) -> str:
    """Tells an error of the user's code: what, and the line of their own file, in the first line.

    Args:
      error: The error, as caught.

    Returns:
      Text. The line named first is the innermost outside Python's own and installed packages; the
      other frames follow from the outermost on, then what it was raised from.
    """
    chain = [error]
    seen = {id(error)}  # an error may say of itself what it equals
    while (error := _origin(error)) is not None and id(error) not in seen:
        seen.add(id(error))
        chain.append(error)
    # One that Python itself raises, such as "generator raised StopIteration", has no frames.
    lines = [_line(chain[0], next(filter(_has_frames, chain), chain[0]))]
    lines += ["from " + _line(error, error) for error in chain[1:]]
    return "\n".join(lines)


def _has_frames(error: BaseException) -> bool:
    return any(_frames(error))


def beside(text: str, where: str) -> str:
    """Says where in the first line of a text, whatever its number of lines."""
    first, *others = text.split("\n")
    return "\n".join([first + where, *others])


def _origin(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None:
        return error.__cause__
    return None if error.__suppress_context__ else error.__context__


def _line(error: BaseException, framed: BaseException) -> str:
    """Tells an error, and where it was raised by the frames of this one."""
    text = "".join(traceback.format_exception_only(error)).strip()
    frames = list(_frames(framed))
    if not frames:
        return text
    own = [frame for frame in frames if not is_library(frame.filename)]
    named = (own or frames)[-1]
    others = [f"  through {_place(frame)}" for frame in frames if frame is not named]
    return "\n".join([beside(text, f", at {_place(named)}"), *others])


@functools.cache
def _libraries() -> tuple[str, ...]:
    import sysconfig  # here, since a worker process has to start quickly

    names = ("stdlib", "platstdlib", "purelib", "platlib")
    return tuple({sysconfig.get_path(name) + os.sep for name in names})


def is_library(filename: str) -> bool:
    """Whether code is Python's own or in an installed package."""
    return filename.startswith(("<frozen ", *_libraries()))


def is_ours(filename: str) -> bool:
    """Whether code is the bridge's own."""
    return os.path.dirname(os.path.abspath(filename)) == _OURS


def _frames(error: BaseException) -> Iterator[traceback.FrameSummary]:
    for frame in traceback.extract_tb(error.__traceback__):
        if not is_ours(frame.filename):
            yield frame


# What IPython calls the file of a notebook's cell, which nobody can open.
CELL = re.compile(r"[\\/]ipykernel_\d+[\\/]\d+\.py$|^<ipython-input-")


def _place(frame: traceback.FrameSummary) -> str:
    if CELL.search(frame.filename):
        where = f"line {frame.lineno} of a notebook's cell, in {frame.name}"
    else:
        where = f"{frame.filename}:{frame.lineno} in {frame.name}"
    return f"{where}: {frame.line}" if frame.line else where
