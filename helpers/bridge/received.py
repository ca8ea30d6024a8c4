"""What comes out of a parcel in a worker process: mapped arrays, random generators, AutoGraph.

The objects here run in worker processes; they import no TensorFlow, unless AutoGraph's code came.
"""

from __future__ import annotations

import mmap
import os
import pickle
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

_randoms: list[tuple[Any, int]] = []  # random generators that came, each with a sum of its state


def unpack(fd: int) -> Iterator[Any]:
    """Gives the objects in a parcel; arrays stay in the parcel's memory until they are written to.

    Args:
      fd: File descriptor of a `sending.Parcel`.
    """
    memory = memoryview(mmap.mmap(fd, 0, access=mmap.ACCESS_COPY))
    end = len(memory) - 8
    size = int.from_bytes(memory[end:], "little")
    _randoms.clear()
    for (start, stop), spans in pickle.loads(memory[end - size : end]):
        yield pickle.loads(memory[start:stop], buffers=[memory[a:b] for a, b in spans])


def tracked_random(make: Any, args: tuple, state: Any = None) -> Any:
    """Builds a random generator, and remembers it for `reseed`."""
    generator = make(*args)
    if state is not None:
        generator.__setstate__(state)
    _randoms.append((generator, zlib.crc32(pickle.dumps(generator))))
    return generator


def reseed(*entropy: int) -> None:
    """Gives each random generator that came with the parcel a stream of its own.

    It is a function of the state in which the generator came and of `entropy`, so that workers do
    not draw the same numbers from copies of one generator.

    Args:
      entropy: Numbers that are not negative, such as the seed of an epoch and a shard.
    """
    for generator, state in _randoms:
        sequence = np.random.SeedSequence((state, *entropy))
        if isinstance(generator, np.random.Generator):
            bits = generator.bit_generator
            bits.state = type(bits)(sequence).state
        elif isinstance(generator, np.random.RandomState):
            bits = np.random.MT19937(sequence)
            generator.set_state(np.random.RandomState(bits).get_state())
        else:
            generator.seed(int(sequence.generate_state(1, np.uint64)[0]))


def map_file(filename: str, dtype: np.dtype, offset: int, shape: tuple[int, ...]) -> np.ndarray:
    """Maps a part of a file, to be read.

    Raises:
      FileNotFoundError: The file is gone.
    """
    if not os.path.exists(filename):
        raise FileNotFoundError(f"the file of a memory map is gone: {filename}")
    return np.memmap(filename, dtype, mode="r", offset=offset, shape=shape)


def viewed(data: bytearray, form: str, shape: tuple[int, ...], readonly: bool) -> memoryview:
    """Gives a view of memory as it was sent."""
    view = memoryview(data).cast(form, shape)
    return view.toreadonly() if readonly else view


def autograph() -> Any:
    """Gives what code refers to as `ag__` that AutoGraph has converted.

    A function or lambda written inside a function that tf.data traces is such code.
    """
    from tensorflow.python.autograph.impl import api

    return api.PyToTF().get_extra_locals()["ag__"]
