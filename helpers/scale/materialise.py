"""Rows of Python written once, by worker processes, and read natively from then on."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from helpers.bridge import from_generator, from_source, received
from helpers.bridge.sharding import seed_everything, worker_seed
from helpers.bridge.signature import layout_of
from helpers.bridge.structure import Layout
from helpers.measure import Cancelled
from helpers.measure.timing import Flag
from helpers.quiet import tf

from .fixed import fixed_layout
from .stored import MANIFEST, PLAN, Stored, StoredError, chunk_name, describe, shard_name, stored


@dataclass(frozen=True)
class Written:
    """How far it has come.

    Attributes:
        shards: That are whole, those of an earlier run among them.
        num_shards: Of them all.
        rows: Written by this run.
    """

    shards: int
    num_shards: int
    rows: int

    def __str__(self) -> str:
        return f"{self.shards} of {self.num_shards} shards whole, {self.rows} rows written"


def materialise(
    rows: Any,
    folder: str | os.PathLike[str],
    *,
    batch_size: int,
    output_signature: Any = None,
    num_shards: int = 8,
    num_workers: int = 2,
    seed: int = 0,
    on_progress: Callable[[Written], None] | None = None,
    cancelled: Flag | None = None,
) -> Stored:
    """Writes the rows of a generator or a source into a folder, or what is missing of them there.

    A shard is written beside its place and renamed when all of it is on the disk; the manifest
    comes last. What was killed, cancelled or found no space goes on with the next call, which skips
    the shards that are whole. It takes it that the rows are still the same.

    Args:
        rows: A generator function that takes `shard` and `num_shards`, as `bridge.from_generator`
            with workers; or a source with a length and items, whose order is kept.
        folder: Made if need be.
        batch_size: Rows in a batch when it is read.
        output_signature: Of a row of the generator, of known shapes.
        num_shards: How many parts can be written at the same time, or skipped.
        num_workers: Worker processes at a time.
        seed: What each shard's `random`, `numpy.random` and own random generators are seeded from.
        on_progress: Called after each batch.
        cancelled: Looked at before each batch.

    Raises:
        TypeError: `rows` is neither, or lacks its signature.
        ValueError: Sizes that are none.
        StoredError: The folder holds something else or is being written, the rows cannot be
            stored, or one of them failed; the message says which.
        Cancelled: `cancelled` was set.
    """
    if min(batch_size, num_shards, num_workers) < 1:
        raise ValueError("batch_size, num_shards and num_workers must be 1 or more.")
    signature, of_shard = _shards(rows, output_signature, batch_size, num_shards, seed)
    try:
        layout = fixed_layout(signature, "a file of rows")
    except ValueError as reason:
        raise StoredError(str(reason)) from None
    place = Path(folder)
    plan = describe(layout) | {"batch_size": batch_size, "num_shards": num_shards, "seed": seed}
    try:
        place.mkdir(parents=True, exist_ok=True)
        with _alone(place):
            _agree(place, plan)
            writing = _Writing(place, layout, num_shards, on_progress, cancelled)
            writing.run(
                lambda shard: from_generator(
                    of_shard(shard),
                    output_signature=signature,
                    batch_size=batch_size,
                    num_workers=1,
                ),
                num_workers,
            )
            counts = [_rows(place / shard_name(shard)) for shard in range(num_shards)]
            _write(place / MANIFEST, json.dumps({"rows": counts}).encode())
    except OSError as error:
        raise StoredError(
            f"{place}: {error.strerror or error}. The shards that are whole stay, and the next "
            "call goes on from there."
        ) from error
    return stored(place)


def _shards(
    rows: Any, signature: Any, batch_size: int, num_shards: int, seed: int
) -> tuple[Any, Callable[[int], Callable[[], Iterable]]]:
    """Gives the signature of a row, and for each shard the function that a worker calls."""
    if callable(rows):
        if signature is None:
            raise TypeError("a generator needs its output_signature.")

        def of_generator(shard: int) -> Callable[[], Iterable]:
            def generate():
                seed_everything(worker_seed(seed, shard))
                received.reseed(seed, shard)
                return rows(shard=shard, num_shards=num_shards)

            return generate

        return signature, of_generator
    if isinstance(rows, (dict, tuple)) or not all(
        hasattr(rows, name) for name in ("__len__", "__getitem__")
    ):
        raise TypeError(
            "rows must be a generator function or a source with __len__ and __getitem__; found "
            f"{type(rows).__name__}."
        )
    count, guessed = len(rows), signature is None
    if guessed:
        batches = from_source(rows, batch_size=batch_size).element_spec
        signature = tf.nest.map_structure(lambda s: tf.TensorSpec(s.shape[1:], s.dtype), batches)
    layout = layout_of(signature, guessed=True) if guessed else None
    read = layout.reader() if layout else None
    batches_each = math.ceil(math.ceil(count / batch_size) / num_shards)
    length = batches_each * batch_size  # whole batches, so that none is cut again at reading

    def of_source(shard: int) -> Callable[[], Iterable]:
        def generate():
            seed_everything(worker_seed(seed, shard))
            received.reseed(seed, shard)
            for index in range(shard * length, min((shard + 1) * length, count)):
                row = rows[index]
                if layout:  # as from_source does: a type that nobody has asked for cuts no value
                    for leaf, component in zip(read(row), layout.components, strict=True):
                        component.check_held(leaf)
                yield row

        return generate

    return signature, of_source


class _Writing:
    """One run that writes the shards that are missing."""

    def __init__(
        self,
        place: Path,
        layout: Layout,
        num_shards: int,
        on_progress: Callable[[Written], None] | None,
        cancelled: Flag | None,
    ) -> None:
        self._place = place
        self._layout = layout
        self._num_shards = num_shards
        self._on_progress = on_progress or (lambda _: None)
        self._cancelled = cancelled
        self._stopped = threading.Event()
        self._lock = threading.Lock()
        self._rows = 0

    def run(self, dataset: Callable[[int], tf.data.Dataset], num_workers: int) -> None:
        """Writes them, `num_workers` at a time; each thread here has a worker process to feed it.

        Args:
            dataset: Gives the batches of a shard.
            num_workers: How many at a time.
        """
        for left in self._place.glob("*.part"):
            shutil.rmtree(left)
        missing = [
            shard
            for shard in range(self._num_shards)
            if not (self._place / shard_name(shard)).exists()
        ]
        with ThreadPoolExecutor(num_workers) as threads:
            writing = [threads.submit(self._shard, shard, dataset) for shard in missing]
            try:
                for one in as_completed(writing):
                    one.result()
            except BaseException:
                self._stopped.set()
                for one in writing:
                    one.cancel()
                raise

    def _shard(self, shard: int, dataset: Callable[[int], tf.data.Dataset]) -> None:
        done = self._place / shard_name(shard)
        part = done.with_suffix(".part")
        part.mkdir()
        try:
            rows = self._batches(part, self._checked(shard, dataset))
            _write(part / "rows", str(rows).encode())
            _sync(part)
            part.rename(done)
            _sync(self._place)
        finally:
            shutil.rmtree(part, ignore_errors=True)
        self._tell(0)

    def _checked(self, shard: int, dataset: Callable[[int], tf.data.Dataset]) -> Iterator[Any]:
        self._look()
        try:
            for batch in dataset(shard):
                self._look()
                yield batch
        except tf.errors.OpError as error:
            said = error.message.strip().splitlines()[0]
            raise StoredError(
                f"shard {shard}: {said}. The shards that are whole stay, and the next call goes on "
                "from there."
            ) from error

    def _look(self) -> None:
        if self._stopped.is_set() or (self._cancelled is not None and self._cancelled.is_set()):
            raise Cancelled("cancelled before all shards were written; those that are whole stay.")

    def _batches(self, part: Path, batches: Iterable[Any]) -> int:
        rows = 0
        components = self._layout.components
        with contextlib.ExitStack() as files:
            raw = {
                number: files.enter_context((part / f"{number}.raw").open("wb"))
                for number, component in enumerate(components)
                if not component.is_text
            }
            for place, batch in enumerate(batches):
                leaves = tf.nest.flatten(batch)
                for number, leaf in enumerate(leaves):
                    if number in raw:
                        raw[number].write(np.ascontiguousarray(leaf.numpy()).view(np.uint8).data)
                    else:
                        text = tf.io.serialize_tensor(leaf).numpy()
                        _write(part / chunk_name(number, place), text)
                size = int(leaves[0].shape[0])
                rows += size
                self._tell(size)
            for file in raw.values():
                file.flush()
                os.fsync(file.fileno())
        return rows

    def _tell(self, rows: int) -> None:
        with self._lock:
            self._rows += rows
            whole = sum((self._place / shard_name(n)).exists() for n in range(self._num_shards))
            self._on_progress(Written(whole, self._num_shards, self._rows))


def _agree(place: Path, plan: dict[str, Any]) -> None:
    """Writes down what is written here, or holds a later run to it."""
    path = place / PLAN
    if path.exists():
        found = json.loads(path.read_text(encoding="utf-8"))
        for name, value in json.loads(json.dumps(plan)).items():
            if found.get(name) != value:
                raise StoredError(
                    f"{place} holds rows with {name} {found.get(name)}, not {value}; choose "
                    "another folder, or delete this one."
                )
    elif {one.name for one in place.iterdir()} - {"lock", f".{PLAN}.new"}:
        raise StoredError(f"{place} holds something else; choose another folder.")
    else:
        _write(path, json.dumps(plan).encode())


@contextlib.contextmanager
def _alone(place: Path) -> Iterator[None]:
    """Holds the folder while it is written; the lock goes with the process."""
    import fcntl  # not on Windows, where the bridge has no workers either

    with (place / "lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StoredError(f"{place} is being written by another process.") from None
        yield


def _rows(shard: Path) -> int:
    return int((shard / "rows").read_text())


def _write(path: Path, data: bytes) -> None:
    """Writes a file that is there in full or not at all."""
    beside = path.with_name(f".{path.name}.new")
    with beside.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
