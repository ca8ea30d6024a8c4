"""Real sources: their files, the generator that people write, better ways, other loaders."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from helpers import bridge
from helpers.bench.arms import BARE, GENERATOR, ROWS_ALONE, Way
from helpers.bench.loops import Loops
from helpers.bench.source_peers import peer_ways
from helpers.bench.source_rows import (
    SIDE,
    Framed,
    Pictures,
    Queried,
    Reordered,
    Tokens,
    Windows,
    csv_rows,
    messages,
    parquet_rows,
)
from helpers.quiet import tf
from helpers.sources import shipped
from helpers.sources.delimited import csv_blocks
from helpers.sources.hdf5 import Stored
from helpers.sources.live import Live, received
from helpers.sources.parquet import Parquet
from helpers.sources.sqlite import Table
from helpers.sources.texts import lines

TFDATA = "tf.data's own"
BRIDGE = "bridge"
WORKERS = "bridge, 2 workers"
BLOCKS = "blocks in generator"
LOOPS = "2 bare Python loops"
NUMBERS_ALONE = "numbers"
CHUNK = 64
"""Pictures that the HDF5 file compresses together."""
TABLE_ROWS = 5120
"""Of the 20 190 that there are: an epoch a row at a time takes seconds as it is."""
BLOCK_ROWS = 1024
"""Rows that cross together. An epoch has several blocks: its first element is no part of the steady
state, and one block would leave nothing of the reading in it."""
BLOCK_BYTES = 1 << 15
"""The same for a file that is cut by its bytes."""


@dataclass(frozen=True)
class Source:
    """One source, with its files written.

    Attributes:
        name: What tables and `--only` call it.
        description: Its rows in words.
        batch_size: Rows in a batch.
        count: Rows in an epoch.
        ways: The arms; the first one is the generator that people write.
        close: Ends what was started for it.
    """

    name: str
    description: str
    batch_size: int
    count: int
    ways: list[Way]
    close: Callable[[], None] = lambda: None
    many = some = few = 0

    def source(self, size: str) -> range:
        """Stands for the rows, which the ways know."""
        return range(self.count)


def _generator(
    rows: Callable[[], Iterable[Any]], spec: Any, batch_size: int, *, pad: bool = False
) -> Callable[[Any, Any], tf.data.Dataset]:
    """What people write: a row at a time."""

    def make(workload: Any, files: Any) -> tf.data.Dataset:
        dataset = tf.data.Dataset.from_generator(rows, output_signature=spec)
        batches = dataset.padded_batch(batch_size) if pad else dataset.batch(batch_size)
        return batches.prefetch(tf.data.AUTOTUNE)

    return make


def _read(source: Callable[[], Any], batch_size: int, **options: Any) -> Callable[[Any, Any], Any]:
    return lambda workload, files: bridge.from_source(source(), batch_size=batch_size, **options)


def _items(source: Callable[[], Sequence[Any]]) -> Callable[[], Iterator[Any]]:
    """A generator function over the items of a source, which each epoch opens."""
    return lambda: map((opened := source()).__getitem__, range(len(opened)))


def _pictures(folder: Path, short: bool, peers: bool) -> Source:
    from helpers.sources.photographs import write_crops

    count, batch = (64, 16) if short else (2048, 32)
    paths, _ = write_crops(folder / "pictures", count)
    source = partial(Pictures, paths)
    spec = tf.TensorSpec((SIDE, SIDE, 3), tf.uint8)
    loops = Loops(source(), batch)
    ways = [
        Way(GENERATOR, _generator(_items(source), spec, batch)),
        Way(BARE, lambda workload, files: _Loop(_items(source)), delivers=ROWS_ALONE),
        Way(
            LOOPS,
            lambda workload, files: loops,
            delivers=NUMBERS_ALONE,
            plain=lambda numbers: np.stack([source()[number] for number in numbers]),
        ),
        Way(TFDATA, lambda workload, files: _decoded(paths, source().corners, batch), peer=True),
        Way(BRIDGE, _read(source, batch)),
        Way(WORKERS, _read(source, batch, num_workers=2)),
    ]
    if peers:
        ways += peer_ways(source, batch_size=batch, workers=2)
    described = "JPEG files, decoded, cut, halved, mirrored"
    return Source("JPEG", described, batch, count, ways, loops.close)


class _Loop:
    """A bare loop over rows, once an epoch."""

    def __init__(self, rows: Callable[[], Iterable[Any]]):
        self._rows = rows

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows())


def _decoded(paths: list[str], corners: np.ndarray, batch: int) -> tf.data.Dataset:
    """The same pictures, all in tf.data."""

    def load(index: tf.Tensor, path: tf.Tensor, corner: tf.Tensor) -> tf.Tensor:
        picture = tf.io.decode_jpeg(tf.io.read_file(path), 3, dct_method="INTEGER_ACCURATE")
        start = corner % (tf.shape(picture)[:2] - 2 * SIDE + 1)
        cut = tf.slice(picture, tf.concat([start, [0]], 0), (2 * SIDE, 2 * SIDE, 3))
        four = tf.reshape(tf.cast(cut, tf.int32), (SIDE, 2, SIDE, 2, 3))
        small = tf.cast(tf.reduce_sum(four, (1, 3)) // 4, tf.uint8)
        return tf.cond(index % 2 == 1, lambda: tf.reverse(small, (1,)), lambda: small)

    rows = (np.arange(len(paths)), paths, corners.astype(np.int32))
    pictures = tf.data.Dataset.from_tensor_slices(rows).map(load, tf.data.AUTOTUNE)
    return pictures.batch(batch).prefetch(tf.data.AUTOTUNE)


def _narrow(element: dict[str, Any]) -> dict[str, np.ndarray]:
    """Columns with float32 for float64, which some loaders make of it."""
    arrays = {name: np.asarray(value) for name, value in element.items()}
    return {
        name: array.astype(np.float32) if array.dtype == np.float64 else array
        for name, array in arrays.items()
    }


def _tables(folder: Path, short: bool) -> tuple[dict[str, Path], Any, dict[str, tf.TensorSpec]]:
    table = shipped.health()[: 1024 if short else TABLE_ROWS]
    paths = shipped.write_tables(folder, table)
    return paths, table, {name: tf.TensorSpec((), table[name].dtype) for name in table}


def _blocks(
    blocks: Callable[[], Iterable[Any]], spec: dict[str, tf.TensorSpec], batch: int
) -> Callable[[Any, Any], tf.data.Dataset]:
    """Blocks of columns cross, whatever their size, and TensorFlow cuts batches from them."""
    columns = {name: tf.TensorSpec((None,), one.dtype) for name, one in spec.items()}

    def make(workload: Any, files: Any) -> tf.data.Dataset:
        dataset = tf.data.Dataset.from_generator(blocks, output_signature=columns)
        return dataset.rebatch(batch).prefetch(tf.data.AUTOTUNE)

    return make


def _sqlite(folder: Path, short: bool, peers: bool) -> Source:
    paths, table, spec = _tables(folder, short)
    batch, count = 256, len(table)
    rows = partial(Queried, paths["sqlite"], shipped.TABLE, count)

    def fetched() -> Iterator[dict[str, np.ndarray]]:
        import sqlite3

        connection = sqlite3.connect(paths["sqlite"], check_same_thread=False)
        cursor = connection.execute(f"SELECT * FROM {shipped.TABLE}")
        while some := cursor.fetchmany(BLOCK_ROWS):
            yield dict(zip(spec, map(np.array, zip(*some, strict=True)), strict=True))
        connection.close()

    ways = [
        Way(GENERATOR, _generator(lambda: rows().cursor(), spec, batch), plain=_narrow),
        Way("a query a row", _generator(_items(rows), spec, batch), plain=_narrow),
        Way(BLOCKS, _blocks(fetched, spec, batch), plain=_narrow),
        Way(BRIDGE, _read(lambda: Table(paths["sqlite"], shipped.TABLE), batch), plain=_narrow),
    ]
    if peers:
        ways += peer_ways(rows, batch_size=batch, workers=0, plain=_narrow)
    return Source("SQLite", f"a table of {len(spec)} columns", batch, count, ways)


def _parquet(folder: Path, short: bool, peers: bool) -> Source:
    paths, table, spec = _tables(folder, short)
    path, batch = paths["parquet"], 256

    def arrow() -> Iterator[dict[str, np.ndarray]]:
        import pyarrow.parquet

        with pyarrow.parquet.ParquetFile(path) as file:
            for some in file.iter_batches(BLOCK_ROWS):
                yield dict(zip(spec, (column.to_numpy() for column in some), strict=True))

    ways = [
        Way(GENERATOR, _generator(lambda: parquet_rows(path), spec, batch), plain=_narrow),
        Way(BLOCKS, _blocks(arrow, spec, batch), plain=_narrow),
        Way(BRIDGE, _read(lambda: Parquet(path), batch), plain=_narrow),
    ]
    if peers:
        ways += peer_ways(lambda: _frame(path), batch_size=batch, workers=0, plain=_narrow)
        ways.append(Way("HF from_parquet", partial(_loaded, path, "parquet", batch), plain=_narrow,
                        peer=True))  # fmt: skip
    return Source("Parquet", f"a table of {len(spec)} columns", batch, len(table), ways)


def _csv(folder: Path, short: bool, peers: bool) -> Source:
    paths, table, spec = _tables(folder, short)
    path, batch = paths["csv"], 256
    kinds = {name: one.dtype.as_numpy_dtype for name, one in spec.items()}
    plain = {
        name: int if np.issubdtype(kind, np.integer) else float for name, kind in kinds.items()
    }

    def pandas_chunks() -> Iterator[dict[str, np.ndarray]]:
        import pandas

        with pandas.read_csv(path, chunksize=BLOCK_ROWS, dtype=kinds) as chunks:
            for chunk in chunks:
                yield {name: chunk[name].to_numpy() for name in chunk}

    def in_blocks() -> Iterator[dict[str, np.ndarray]]:
        return csv_blocks(path, kinds, block_bytes=BLOCK_BYTES)

    def own(workload: Any, files: Any) -> tf.data.Dataset:
        defaults = [tf.constant([], one.dtype) for one in spec.values()]
        rows = tf.data.experimental.CsvDataset(str(path), defaults, header=True)
        named = rows.batch(batch).map(lambda *columns: dict(zip(spec, columns, strict=True)))
        return named.prefetch(tf.data.AUTOTUNE)

    ways = [
        Way(GENERATOR, _generator(lambda: csv_rows(path, plain), spec, batch), plain=_narrow),
        Way("pandas chunks", _blocks(pandas_chunks, spec, batch), plain=_narrow),
        Way("csv_blocks", _blocks(in_blocks, spec, batch), plain=_narrow),
        Way(TFDATA, own, plain=_narrow),
    ]
    if peers:
        ways += peer_ways(lambda: _frame(path), batch_size=batch, workers=0, plain=_narrow)
        ways.append(Way("HF from_csv", partial(_loaded, path, "csv", batch), plain=_narrow,
                        peer=True))  # fmt: skip
    return Source("CSV", f"a table of {len(spec)} columns", batch, len(table), ways)


def _frame(path: Path) -> Framed:
    import pandas

    return Framed(pandas.read_parquet(path) if path.suffix == ".parquet" else pandas.read_csv(path))


def _loaded(path: Path, kind: str, batch: int, workload: Any, files: Any) -> tf.data.Dataset:
    """What Hugging Face's own reader makes of the file, once, in its cache."""
    import datasets

    datasets.disable_progress_bars()
    read = getattr(datasets.Dataset, f"from_{kind}")
    return read(str(path), cache_dir=str(path.parent / "cache")).to_tf_dataset(batch_size=batch)


def _hdf5(folder: Path, short: bool, peers: bool, *, shuffle: bool) -> Source:
    count, batch = (256, 32) if short else (1024 if shuffle else 2048, 32)
    path = folder / "images.h5"
    shipped.write_images(path, count, chunk_rows=CHUNK)
    options = {"shuffle": True, "seed": 1, "reshuffle_each_iteration": False} if shuffle else {}
    order = np.arange(count)
    if shuffle:  # the order of a seed is the same for every source
        order = np.concatenate(list(bridge.from_source(order, batch_size=batch, **options)))
    rows = partial(Reordered, path, "images", order)
    spec = tf.TensorSpec((64, 64, 3), tf.uint8)

    stored = partial(Stored, path, "images")
    ways = [
        Way(GENERATOR, _generator(_items(rows), spec, batch)),
        Way(BRIDGE, _read(stored, batch, **options)),
    ]
    if not shuffle:  # each worker reads whole chunks
        ways.append(Way(WORKERS, _read(stored, batch, num_workers=2, chunk_size=CHUNK)))
    if peers:
        ways += peer_ways(rows, batch_size=batch, workers=0)
    how = "shuffled" if shuffle else "in order"
    return Source(
        f"HDF5, {how}", f"64×64 pictures, compressed {CHUNK} at a time", batch, count, ways
    )


def _text(folder: Path, short: bool, peers: bool) -> Source:
    path, batch = folder / "help.txt", 64
    shipped.write_text(path)
    texts = list(lines(path))[: 512 if short else None]
    words = sorted({word for text in texts for word in text.split()})
    numbers = {word: number for number, word in enumerate(words, 1)}
    rows = partial(Tokens, texts, numbers)
    spec = tf.TensorSpec((None,), tf.int32)

    def own(workload: Any, files: Any) -> tf.data.Dataset:
        table = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(
                words, np.arange(1, len(words) + 1, dtype=np.int32), value_dtype=tf.int32
            ),
            0,
        )
        batches = tf.data.TextLineDataset(str(path)).take(len(texts)).batch(batch)
        return batches.map(
            lambda some: table.lookup(tf.strings.split(some).to_tensor("")), tf.data.AUTOTUNE
        ).prefetch(tf.data.AUTOTUNE)

    def ours(**options: Any) -> Callable[[Any, Any], Any]:
        return _read(rows, batch, output_signature=spec, varying="pad", **options)

    ways = [
        Way(GENERATOR, _generator(_items(rows), spec, batch, pad=True), plain=_flat),
        Way(TFDATA, own, plain=_flat, peer=True),
        Way(BRIDGE, ours(), plain=_flat),
        Way(WORKERS, ours(num_workers=2, chunk_size=16 * batch), plain=_flat),
    ]
    if peers:
        ways += peer_ways(rows, batch_size=batch, workers=0, varying=True, plain=_flat)
    return Source("text", "lines as numbers of words, padded", batch, len(texts), ways)


def _flat(element: Any) -> tuple[np.ndarray]:
    """A padded batch as its values in one row: batches differ in their widths."""
    return (np.asarray(element).ravel(),)


def _audio(folder: Path, short: bool, peers: bool) -> Source:
    from scipy.io import wavfile

    _, samples = wavfile.read(shipped.recording())
    count, batch, size = 512 if short else 8192, 128, 1024
    source = partial(Windows, samples, size, count)
    spec = tf.TensorSpec((size,), tf.float32)
    ways = [
        Way(GENERATOR, _generator(_items(source), spec, batch)),
        Way(BRIDGE, _read(source, batch)),
    ]
    if peers:
        ways += peer_ways(source, batch_size=batch, workers=0)
    return Source("audio", "windows of 1024 samples of a recording", batch, count, ways)


SERVER = """
import struct, sys
from helpers.sources.live import Sender
count, size = map(int, sys.argv[1:])
sender = Sender(struct.pack("!I", number) * size for number in range(count))
print(sender.address[1], flush=True)
sys.stdin.read()
"""
"""A process that sends the same messages to whoever connects, until its input ends."""


def _live(folder: Path, short: bool, peers: bool) -> Source:
    import socket

    count, batch, size = 512 if short else 8192, 64, 64
    process = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(count), str(size)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    address = "127.0.0.1", int(process.stdout.readline())
    spec = tf.TensorSpec((size,), tf.float32)

    def rows() -> Iterator[np.ndarray]:
        with socket.create_connection(address) as connection:
            live = Live(np.frombuffer(data, np.float32) for data in received(connection))
            for _, row in live.rows():
                yield row

    ways = [
        Way(GENERATOR, _generator(lambda: messages(address, size), spec, batch)),
        Way(BARE, lambda workload, files: _Loop(rows), delivers=ROWS_ALONE),
        Way(BRIDGE, lambda workload, files: bridge.from_generator(
            rows, output_signature=spec, batch_size=batch)),
    ]  # fmt: skip

    def close() -> None:
        process.stdin.close()
        process.wait()
        process.stdout.close()

    return Source("live", "messages of 256 bytes on a connection", batch, count, ways, close)


SOURCES: dict[str, Callable[[Path, bool, bool], Source]] = {
    "JPEG": _pictures,
    "SQLite": _sqlite,
    "Parquet": _parquet,
    "CSV": _csv,
    "HDF5, in order": partial(_hdf5, shuffle=False),
    "HDF5, shuffled": partial(_hdf5, shuffle=True),
    "text": _text,
    "audio": _audio,
    "live": _live,
}
"""Writes the files of a source and gives its ways, by name, in the order in which they are run."""
