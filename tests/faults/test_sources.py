"""Bad files and abandoned iterators: what is bad is named, and nothing stays behind."""

import gc
import sqlite3
import threading
import time
from pathlib import Path

import h5py
import numpy as np
import psutil
import pyarrow
import pyarrow.parquet
import pytest
from PIL import Image
from unit.pictures import Pictures

from helpers import bridge
from helpers.quiet import tf
from helpers.sources.delimited import csv_blocks
from helpers.sources.hdf5 import Stored
from helpers.sources.live import Live, Sender, received
from helpers.sources.opened import Opened
from helpers.sources.parquet import Parquet
from helpers.sources.skipped import Skipped, good
from helpers.sources.sqlite import Table
from helpers.sources.texts import lines

pytestmark = pytest.mark.faults
ROWS = 2000
ABANDONED = 100


@pytest.fixture
def pictures(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 255, (32, 32, 3), np.uint8)
    for number in range(40):
        Image.fromarray(pixels).save(tmp_path / f"{number:02}.jpg")
    return Pictures(tmp_path)


@pytest.fixture
def database(tmp_path):
    connection = sqlite3.connect(tmp_path / "rows.db")
    connection.execute("CREATE TABLE rows (x INTEGER)")
    connection.executemany("INSERT INTO rows VALUES (?)", [(k,) for k in range(ROWS)])
    connection.commit()
    connection.close()
    return tmp_path / "rows.db"


@pytest.fixture
def parquet(tmp_path):
    table = pyarrow.table({"x": np.random.default_rng(0).random(ROWS)})
    pyarrow.parquet.write_table(
        table, tmp_path / "rows.parquet", row_group_size=500, write_page_checksum=True
    )
    return tmp_path / "rows.parquet"


@pytest.fixture
def hdf5(tmp_path):
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        values = np.random.default_rng(0).random(ROWS)
        file.create_dataset("x", data=values, chunks=(100,), compression="gzip")
    return tmp_path / "rows.h5"


def said(dataset):
    """The errors of an epoch, and the number of rows that came."""
    errors, count = [], 0
    iterator = iter(dataset)
    while True:
        try:
            count += len(tf.nest.flatten(next(iterator))[0])
        except StopIteration:
            return errors, count
        except tf.errors.OpError as error:
            errors.append(error.message.splitlines()[0])


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_truncated_picture_and_one_that_vanished_are_named(pictures, num_workers):
    cut = Path(pictures.paths[7])
    cut.write_bytes(cut.read_bytes()[:400])
    Path(pictures.paths[20]).unlink()
    errors, count = said(bridge.from_source(pictures, batch_size=4, num_workers=num_workers))
    assert len(errors) == 2
    assert "example 7: OSError: " in errors[0] and "runcated" in errors[0]
    assert "example 20: FileNotFoundError" in errors[1] and "20.jpg" in errors[1]
    assert count >= len(pictures) - 8  # only the rows of their batches


def test_bad_pictures_are_left_out_and_counted_in_workers(pictures, tmp_path):
    cut = Path(pictures.paths[7])
    cut.write_bytes(cut.read_bytes()[:400])
    Path(pictures.paths[20]).unlink()
    skipped = Skipped(tmp_path / "skipped.jsonl")

    def rows(shard, num_shards):
        return good(pictures.__getitem__, range(shard, len(pictures), num_shards), skipped)

    dataset = bridge.from_generator(
        rows,
        output_signature=tf.TensorSpec((32, 32, 3), tf.uint8),
        batch_size=4,
        num_workers=2,
    )
    assert said(dataset) == ([], 38)
    assert skipped.counts() == {"7": 1, "20": 1}


def test_a_database_that_is_missing_or_locked_is_a_sentence(database, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"there is no database .*none\.db"):
        bridge.from_source(Table(tmp_path / "none.db", "rows"), batch_size=4)
    assert not (tmp_path / "none.db").exists()
    writer = sqlite3.connect(database, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(OSError, match=r"rows\.db, table rows: database is locked"):
            bridge.from_source(Table(database, "rows", timeout_s=0.05), batch_size=4)
    finally:
        writer.close()
    assert said(bridge.from_source(Table(database, "rows"), batch_size=100)) == ([], ROWS)


def test_a_database_that_is_locked_while_it_is_read_is_an_error_there(database):
    table = Table(database, "rows", timeout_s=0.05)
    dataset = bridge.from_source(table, batch_size=100, chunk_size=100)
    iterator = iter(dataset)
    next(iterator)
    writer = sqlite3.connect(database, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(tf.errors.OpError, match="database is locked"):
            for _ in iterator:
                pass
    finally:
        writer.close()
    assert said(dataset) == ([], ROWS)


def test_rows_that_are_deleted_while_a_table_is_read_are_missed(database):
    table = Table(database, "rows")
    assert len(table) == ROWS
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM rows WHERE x = 1500")
    connection.close()
    errors, count = said(bridge.from_source(table, batch_size=100, chunk_size=100))
    assert count == ROWS - 100
    assert "examples 1500 to 1599: OSError" in errors[0]
    assert "somebody has changed the table" in errors[0]


def overwritten(path, place):
    with open(path, "r+b") as file:
        file.seek(place)
        file.write(bytes(range(7, 207)))


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_damaged_parquet_file_is_named_with_its_rows(parquet, shuffle):
    with pyarrow.parquet.ParquetFile(parquet) as file:
        column = file.metadata.row_group(2).column(0)
        place = column.dictionary_page_offset or column.data_page_offset
    overwritten(parquet, place + 100)
    errors, count = said(bridge.from_source(Parquet(parquet), batch_size=100, shuffle=shuffle))
    assert errors
    assert all("rows.parquet, rows 1000 to 1499: " in error for error in errors)
    assert count <= ROWS - 500
    parquet.write_bytes(parquet.read_bytes()[:-100])
    with pytest.raises(OSError, match=r"rows\.parquet: "):
        len(Parquet(parquet))


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_damaged_hdf5_file_is_named_with_its_rows(hdf5, shuffle):
    with h5py.File(hdf5) as file:
        place = file["x"].id.get_chunk_info(7).byte_offset
    overwritten(hdf5, place + 50)
    stored = h5py.File(hdf5)["x"]
    errors, count = said(bridge.from_source(stored, batch_size=100, shuffle=shuffle))
    stored.file.close()
    if shuffle:
        bad = {int(error.split("(item ")[1].split()[0]) for error in errors}
        assert bad == set(range(700, 800))
        assert len(errors) == 100
    else:
        assert "examples 700 to 799: OSError" in errors[0]
        assert (len(errors), count) == (1, ROWS - 100)


def test_an_hdf5_file_that_is_cut_or_missing_is_named_here_and_in_workers(hdf5, tmp_path):
    found = bridge.from_source(Stored(hdf5, "x"), batch_size=100, num_workers=2)
    assert said(found) == ([], ROWS)
    with pytest.raises(ValueError, match=r"rows\.h5: there is no data set 'y'; there are x"):
        len(Stored(hdf5, "y"))
    hdf5.write_bytes(hdf5.read_bytes()[:-1000])
    for num_workers in (0, 2):
        with pytest.raises(Exception, match=r"OSError.*rows\.h5: |^.*rows\.h5: .*truncated"):
            bridge.from_source(Stored(hdf5, "x"), batch_size=100, num_workers=num_workers)
        with pytest.raises(Exception, match=r"there is no file .*none\.h5"):
            bridge.from_source(
                Stored(tmp_path / "none.h5", "x"), batch_size=100, num_workers=num_workers
            )


def damaged(kind, request):
    """A source some of whose rows cannot be read, and how many."""
    if kind == "hdf5":
        path = request.getfixturevalue("hdf5")
        with h5py.File(path) as file:
            place = file["x"].id.get_chunk_info(7).byte_offset
        overwritten(path, place + 50)
        return Stored(path, "x"), range(700, 800)
    if kind == "parquet":
        path = request.getfixturevalue("parquet")
        with pyarrow.parquet.ParquetFile(path) as file:
            column = file.metadata.row_group(2).column(0)
        overwritten(path, (column.dictionary_page_offset or column.data_page_offset) + 100)
        return Parquet(path), range(1000, 1500)
    path = request.getfixturevalue("database")
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE rows SET x = NULL WHERE rowid = 301")
    connection.close()
    return Table(path, "rows"), range(300, 301)


@pytest.mark.parametrize("kind", ["hdf5", "parquet", "table"])
def test_rows_of_a_damaged_file_may_be_left_out_and_are_counted(kind, request, tmp_path):
    source, bad = damaged(kind, request)
    skipped = Skipped(tmp_path / "skipped.jsonl")
    dataset = bridge.from_generator(
        lambda: good(source.__getitem__, range(ROWS), skipped),
        output_signature=tf.nest.map_structure(
            lambda value: tf.TensorSpec((), value.dtype), source[0]
        ),
        batch_size=100,
    )
    assert said(dataset) == ([], ROWS - len(bad))
    assert [int(number) for number, _ in skipped] == list(bad)
    assert all(
        Path(str(request.getfixturevalue({"table": "database"}.get(kind, kind)))).name in why
        for _, why in skipped
    )


def test_a_line_that_does_not_fit_ends_the_epoch_with_its_number_or_is_counted(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 50 + b"1\n" + b"1,2\n" * 20 + b"1,\xff\n1,2\n")
    skipped = Skipped(tmp_path / "skipped.jsonl")

    def crossed(**options):
        return tf.data.Dataset.from_generator(
            lambda: csv_blocks(path, {"a": np.int64, "b": np.int64}, block_bytes=40, **options),
            output_signature=dict.fromkeys("ab", tf.TensorSpec((None,), tf.int64)),
        )

    with pytest.raises(tf.errors.OpError, match=r"rows\.csv, line 52: 1 fields where"):
        list(crossed())
    assert said(crossed(skipped=skipped)) == ([], 71)
    assert [what.rpartition(" ")[2] for what, _ in skipped] == ["52", "73"]


def test_bytes_that_are_not_utf_8_end_the_epoch_with_their_line_or_are_counted(tmp_path):
    path = tmp_path / "rows.txt"
    path.write_bytes(b"line\n" * 30 + b"t\xe9o\n" + b"line\n" * 9)
    skipped = Skipped(tmp_path / "skipped.jsonl")

    def crossed(*noting):
        return bridge.from_generator(
            lambda: lines(path, *noting),
            output_signature=tf.TensorSpec((), tf.string),
            batch_size=10,
        )

    errors, count = said(crossed())
    assert "rows.txt, line 31: byte 1 is 0xe9, which is not UTF-8" in errors[0]
    assert count == 30
    assert said(crossed(skipped)) == ([], 39)
    assert len(skipped) == 1


def test_a_connection_that_drops_is_an_error_and_its_rows_came_before(tmp_path):
    sender = Sender((np.float32(k).tobytes() for k in range(100)), cut=30)
    import socket

    connection = socket.create_connection(sender.address)
    live = Live(np.frombuffer(data, np.float32)[0] for data in received(connection))
    spec = (tf.TensorSpec((), tf.int64), tf.TensorSpec((), tf.float32))
    dataset = bridge.from_generator(live.rows, output_signature=spec, batch_size=10)
    seen = []
    with pytest.raises(tf.errors.OpError, match="BrokenStreamError: the connection ended after"):
        for numbers, _ in dataset:
            seen += numbers.numpy().tolist()
    assert seen == list(range(90))  # of 96: the rest of the batch waits
    live.done(89)
    with pytest.raises(Exception, match="the connection ended after"):
        for number, _ in live.rows():
            seen.append(number)
    assert seen == list(range(96))
    connection.close()
    sender.close()


def held():
    """Files, descriptors (shared memory has them too), children and threads of this process."""
    process = psutil.Process()
    return (
        sorted(file.path for file in process.open_files()),
        process.num_fds(),
        len(process.children(recursive=True)),
        threading.active_count(),
    )


def abandoned(kind, request, tmp_path):
    """A data set of each kind of source."""
    if kind == "pictures":
        return bridge.from_source(request.getfixturevalue("pictures"), batch_size=4)
    if kind == "table":
        return bridge.from_source(Table(request.getfixturevalue("database"), "rows"), batch_size=50)
    if kind == "parquet":
        return bridge.from_source(Parquet(request.getfixturevalue("parquet")), batch_size=50)
    if kind == "hdf5":
        path = request.getfixturevalue("hdf5")
        source = Opened(lambda: h5py.File(path)["x"])
        return bridge.from_source(source, batch_size=50, shuffle=True)
    if kind == "csv":
        path = tmp_path / "x.csv"
        path.write_text("a\n" + "1\n" * ROWS)
        return tf.data.Dataset.from_generator(
            lambda: csv_blocks(path, {"a": np.int64}, block_bytes=100),
            output_signature={"a": tf.TensorSpec((None,), tf.int64)},
        ).rebatch(50)
    (tmp_path / "x.txt").write_text("line\n" * ROWS)
    return bridge.from_generator(
        lambda: lines(tmp_path / "x.txt"),
        output_signature=tf.TensorSpec((), tf.string),
        batch_size=50,
    )


@pytest.mark.parametrize("kind", ["pictures", "table", "parquet", "hdf5", "csv", "text"])
def test_a_hundred_abandoned_iterators_leave_nothing(kind, request, tmp_path):
    dataset = abandoned(kind, request, tmp_path)
    gc.collect()
    next(iter(dataset))  # what the data set itself keeps open
    gc.collect()
    before = held()
    for _ in range(ABANDONED):
        next(iter(dataset))
    assert settled(before)
    del dataset
    gc.collect()
    assert not [path for path in held()[0] if str(tmp_path) in path]


def test_a_hundred_abandoned_iterators_of_workers_leave_nothing(pictures):
    before = held()
    dataset = bridge.from_source(pictures, batch_size=4, num_workers=2)
    for _ in range(ABANDONED):
        next(iter(dataset))
    del dataset
    assert settled(before)


def test_a_hundred_abandoned_connections_leave_nothing():
    import socket

    sender = Sender([b"1234"] * 1000)
    before = held()

    def rows():
        with socket.create_connection(sender.address) as connection:
            for message in received(connection):
                yield np.frombuffer(message, np.float32)

    dataset = bridge.from_generator(
        rows, output_signature=tf.TensorSpec((1,), tf.float32), batch_size=10
    )
    for _ in range(ABANDONED):
        next(iter(dataset))
    del dataset
    assert settled(before)
    sender.close()


def settled(before):
    """Whether what is held comes back to what it was; TensorFlow lets go a little later."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        gc.collect()
        tf.constant(0) + 1
        now = held()
        if now[0] == before[0] and all(
            n <= b + 2 for n, b in zip(now[1:], before[1:], strict=True)
        ):
            return True
        time.sleep(0.1)
    return held() == before
