"""What workers are to do, on its way to them: pickled once for all, in memory that they share.

Large arrays lie beside the pickle, and each worker maps them, privately: what it writes to them is
its own, and what nobody writes to exists once, however many workers there are.
"""

from __future__ import annotations

import contextlib
import math
import os
import pickle
import sys
import tempfile
import threading
import types
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import cloudpickle
import numpy as np

from helpers.bridge.buffers import ALIGNMENT
from helpers.bridge.errors import is_library
from helpers.bridge.received import autograph, map_file, tracked_random, viewed
from helpers.bridge.shared import anonymous_file, clear_of_standard
from helpers.bridge.structure import as_python

Span = tuple[int, int]  # where something begins and ends in a file
COMPARED_BYTES = 1 << 20  # how much is compared at a time
COMPARED_RATE = 2e9  # bytes a second, about
SAMPLED_BYTES = 1 << 12  # how much is compared at a place, where there is no time for all
SAMPLES = 64  # at how many places
RANDOM_TYPES: tuple[type, ...] = (np.random.Generator, np.random.RandomState)

_registering = threading.Lock()
_draw = np.random.default_rng()


class Pickler(cloudpickle.Pickler):
    """Pickles generators and sources for worker processes.

    Args:
      file: Where to.
      buffer_callback: Takes the buffers that lie beside the pickle.

    Attributes:
      random: Whether there was a random generator among what was pickled.
    """

    def __init__(self, file: Any, buffer_callback: Callable[[pickle.PickleBuffer], Any]):
        super().__init__(file, protocol=5, buffer_callback=buffer_callback)
        self.random = False

    def reducer_override(self, obj: Any) -> Any:
        """Chooses how an object travels."""
        if isinstance(obj, RANDOM_TYPES) or _is_python_random(obj):
            self.random = True
            return tracked_random, tuple(obj.__reduce__())
        if type(obj) in (np.bytes_, np.str_):  # NumPy leaves out the NULs that they end with
            return type(obj), (as_python(obj),)
        if type(obj) is memoryview and len(obj.format) == 1:  # cloudpickle makes bytes of it
            return viewed, (bytearray(obj), obj.format, obj.shape, obj.readonly)
        if type(obj) is np.memmap:
            mapping = _mapping(obj)
            return (map_file, mapping) if mapping is not None else np.asarray(obj).__reduce_ex__(5)
        if type(obj) is types.ModuleType and "autograph_artifact" in vars(obj):
            return autograph, ()
        return super().reducer_override(obj)


def _is_python_random(obj: Any) -> bool:
    random = sys.modules.get("random")
    return random is not None and type(obj) is random.Random


def _mapping(array: np.memmap) -> tuple | None:
    """How to map the same part of the same file; None if that would not show the same values."""
    root = array
    while type(root.base) is np.memmap:
        root = root.base
    if array.filename is None or array.mode not in ("r", "r+") or not array.flags.c_contiguous:
        return None
    offset = root.offset + array.ctypes.data - root.ctypes.data
    return os.path.abspath(array.filename), array.dtype, offset, array.shape


@contextlib.contextmanager
def _workbook_by_value() -> Iterator[None]:
    """Has what the workbook's notebooks and benchmarks define pickled by value.

    Importing it by name would import TensorFlow into a worker that has no use for it.
    """
    package = __package__.partition(".")[0]
    rooms = [
        module
        for name, module in list(sys.modules.items())
        if name.startswith(package + ".") and name.count(".") == 1
        if name not in (__package__, package + ".quiet")
    ]
    with _registering:  # the register is one for the whole process
        registered = cloudpickle.list_registry_pickle_by_value()
        rooms = [room for room in rooms if room.__name__ not in registered]
        for room in rooms:
            cloudpickle.register_pickle_by_value(room)
        try:
            yield
        finally:
            for room in rooms:
                cloudpickle.unregister_pickle_by_value(room)


class _Nowhere:
    """A file that keeps nothing."""

    def write(self, data: Any) -> int:
        """Takes the data and forgets it."""
        return len(data)


def check_sendable(name: str, obj: object) -> bool:
    """Checks that workers can be sent an object.

    Args:
      name: What messages call it.
      obj: A generator or a source.

    Returns:
      Whether it refers to a random generator.

    Raises:
      TypeError: It cannot be pickled; the message names what is in the way.
    """
    with _workbook_by_value():
        error, random = _try(obj)
        if error is None:
            return random
        path, error = _culprit(name, obj, error, depth=6)
    raise TypeError(
        f"num_workers has to send {name} to other processes, and that cannot be pickled: {path} "
        f"is in the way ({str(error).strip() or type(error).__name__}). Let it open "
        "itself what it needs, such as files, locks and connections"
    ) from error


def _try(obj: object) -> tuple[Exception | None, bool]:
    pickler = Pickler(_Nowhere(), lambda buffer: None)
    try:
        pickler.dump(obj)
    except Exception as error:
        return error, pickler.random
    return None, pickler.random


def _culprit(name: str, obj: object, error: Exception, depth: int) -> tuple[str, Exception]:
    """Finds the innermost part that cannot be pickled; its name, and why."""
    for part_name, part in _parts(name, obj) if depth else ():
        inner, _ = _try(part)
        if inner is not None:
            return _culprit(part_name, part, inner, depth - 1)
    return name, error


def _parts(name: str, obj: Any) -> list[tuple[str, Any]]:
    """What an object refers to, by the names that its user gave."""
    if isinstance(obj, types.MethodType):
        return [(type(obj.__self__).__name__, obj.__self__)]
    if hasattr(obj, "func") and hasattr(obj, "keywords"):  # functools.partial
        arguments = [(f"an argument of {name}", a) for a in (*obj.args, *obj.keywords.values())]
        return [(getattr(obj.func, "__name__", name), obj.func), *arguments]
    if isinstance(obj, types.FunctionType):
        code, found = obj.__code__, {}
        for variable, cell in zip(code.co_freevars, obj.__closure__ or (), strict=True):
            with contextlib.suppress(ValueError):  # not assigned yet
                found[variable] = cell.cell_contents
        for variable in _names(code):
            if variable in obj.__globals__:
                found[variable] = obj.__globals__[variable]
        return list(found.items())
    if isinstance(obj, dict):
        return [(f"{name}[{key!r}]", value) for key, value in obj.items()]
    if isinstance(obj, (list, tuple, set, frozenset)):
        return [(f"{name}[{number}]", value) for number, value in enumerate(obj)]
    attributes = getattr(obj, "__dict__", None)
    if isinstance(attributes, dict) and _is_users(type(obj)):
        return [(f"{name}.{key}", value) for key, value in attributes.items()]
    return []


def _is_users(kind: type) -> bool:
    """Whether a class is defined by the user, who knows its attributes."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return kind.__module__ == "__main__" or (file is not None and not is_library(file))


def _names(code: types.CodeType) -> Iterator[str]:
    yield from code.co_names
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _names(constant)


class Parcel:
    """Something pickled, in memory without a name.

    The file holds each object's pickle, followed by its buffers at multiples of 64 bytes, and an
    index of them all at its end. It goes with the last process that refers to it.

    Args:
      objects: What workers are to get, one after the other. `check_sendable` says whether they can.

    Attributes:
      fd: File descriptor.
    """

    def __init__(self, *objects: object):
        self.fd = -1
        self.fd = _file_without_name()
        self._index: list[tuple[Span, list[Span]]] = []
        with open(self.fd, "wb", closefd=False) as file:
            for obj in objects:
                self._index.append(_write(obj, file))
            index = pickle.dumps(self._index)
            file.write(index + len(index).to_bytes(8, "little"))

    def ends_with(self, obj: object, seconds: float) -> bool:
        """Whether pickling this object now would give what the last one gave.

        Args:
          obj: The object.
          seconds: How long looking at its arrays may take about. When they are too large for that,
            samples of them are looked at, other ones each time.
        """
        (start, stop), spans = self._index[-1]
        buffers: list[pickle.PickleBuffer] = []
        pickled = _Compared(self.fd, start)
        with _workbook_by_value():
            Pickler(pickled, buffers.append).dump(obj)
        if not pickled.same or pickled.place != stop or len(buffers) != len(spans):
            return False
        total = sum(stop - start for start, stop in spans)
        whole = total <= COMPARED_RATE * seconds
        for buffer, (start, stop) in zip(buffers, spans, strict=True):
            samples = None if whole else math.ceil(SAMPLES * (stop - start) / total)
            with buffer.raw() as raw:
                if raw.nbytes != stop - start or not _same(raw, self.fd, start, samples):
                    return False
        return True

    def __del__(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)


def _file_without_name() -> int:
    if sys.platform == "linux":
        return anonymous_file(0)
    with tempfile.TemporaryFile() as file:  # elsewhere shared memory cannot be written as a file
        return clear_of_standard(os.dup(file.fileno()))


def _write(obj: object, file: BinaryIO) -> tuple[Span, list[Span]]:
    """Writes a pickle and its buffers; where they stand."""
    buffers: list[pickle.PickleBuffer] = []
    start = file.tell()
    with _workbook_by_value():
        Pickler(file, buffers.append).dump(obj)
    pickled, spans = (start, file.tell()), []
    for buffer in buffers:
        file.seek(-(-file.tell() // ALIGNMENT) * ALIGNMENT)
        with buffer.raw() as raw:
            start = file.tell()
            file.write(raw)
            spans.append((start, file.tell()))
    return pickled, spans


def _same(data: memoryview, fd: int, place: int, samples: int | None) -> bool:
    """Whether data stands in a file; looks at so many places, or at all for None."""
    here = np.frombuffer(data, np.uint8)
    there = np.empty(COMPARED_BYTES if samples is None else SAMPLED_BYTES, np.uint8)
    starts = range(0, len(here), len(there))
    if samples is not None and starts:
        starts = [starts[index] for index in _draw.integers(0, len(starts), samples)]
    for start in starts:
        part = here[start : start + len(there)]
        os.preadv(fd, [memoryview(there)[: len(part)]], place + start)
        if not np.array_equal(part, there[: len(part)]):
            return False
    return True


class _Compared:
    """A file that keeps nothing, but whether what is written to it stands in another one."""

    def __init__(self, fd: int, place: int = 0):
        self.same = True
        self.place = place
        self._fd = fd

    def write(self, data: Any) -> int:
        """Compares the data with what stands at this place."""
        view = memoryview(data).cast("B")
        for start in range(0, len(view), COMPARED_BYTES) if self.same else ():
            part = view[start : start + COMPARED_BYTES]
            self.same = self.same and os.pread(self._fd, len(part), self.place + start) == part
        self.place += len(view)
        return len(view)
