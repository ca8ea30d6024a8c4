"""Sources: the content of the file, in rows and in slices, in this process and in workers."""

import contextlib
import itertools
import queue
import socket
import sqlite3
import threading
import time

import h5py
import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from helpers import bridge
from helpers.quiet import tf
from helpers.sources import shipped
from helpers.sources.delimited import LineError, csv_blocks
from helpers.sources.live import BrokenStreamError, Live, received, sent
from helpers.sources.opened import Opened
from helpers.sources.parquet import Parquet
from helpers.sources.skipped import Skipped, good
from helpers.sources.sqlite import Table
from helpers.sources.texts import by_length, lines

ROWS = 700


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    return pd.DataFrame(
        {
            "count": rng.integers(0, 100, ROWS),
            "share": rng.random(ROWS),
            "name": [f"n{k}" for k in range(ROWS)],
        }
    )


@pytest.fixture
def database(frame, tmp_path):
    path = tmp_path / "rows.db"
    with sqlite3.connect(path) as connection:
        frame.to_sql("rows", connection, index=False)
    connection.close()
    return path


@pytest.fixture
def parquet(frame, tmp_path):
    table = pyarrow.Table.from_pandas(frame, preserve_index=False)
    pyarrow.parquet.write_table(table, tmp_path / "rows.parquet", row_group_size=150)
    return tmp_path / "rows.parquet"


@pytest.fixture(params=["sqlite", "parquet"])
def table(request):
    if request.param == "sqlite":
        return Table(request.getfixturevalue("database"), "rows")
    return Parquet(request.getfixturevalue("parquet"))


@pytest.mark.parametrize(
    ("start", "stop", "step"),
    [(0, 2, 1), (149, 151, 1), (10, 690, 1), (699, 700, 1), (5, 5, 1), (150, 150, 1), (700, 800, 1),
     (0, None, 2), (140, 160, 7), (None, None, -3), (160, 140, -4)],
)  # fmt: skip
def test_a_slice_has_the_columns_of_the_table(table, frame, start, stop, step):
    found = table[start:stop:step]
    assert list(found) == ["count", "share", "name"]
    for name, values in found.items():
        assert values.tolist() == frame[name].tolist()[start:stop:step]
    assert found["count"].dtype == np.int64
    assert found["share"].dtype == np.float64


def test_an_item_is_a_row(table, frame):
    assert len(table) == ROWS
    for index in (0, 149, 150, 699, -1):
        assert list(table[index].values()) == frame.iloc[index].tolist()
    with pytest.raises(IndexError):
        table[ROWS]


def test_a_table_is_shuffled_as_it_would_be_row_by_row(table, frame):
    options = {"batch_size": 32, "shuffle": True, "seed": 2}
    found = [batch["name"].numpy().tolist() for batch in bridge.from_source(table, **options)]
    rows = bridge.from_source(frame["name"].tolist(), **options)
    assert found == [batch.numpy().tolist() for batch in rows]


def test_workers_open_the_table_for_themselves(table, frame):
    assert len(table) == ROWS  # it is open here
    dataset = bridge.from_source(table, batch_size=50, num_workers=2)
    found = np.concatenate([batch["count"] for batch in dataset])
    assert found.tolist() == frame["count"].tolist()


def test_an_open_table_is_pickled_without_its_file(table):
    class Kept:
        opened = 0

    source = Opened(Kept)
    assert isinstance(source.opened, Kept)
    assert source.opened is source.opened
    assert source.__getstate__()["_opened"] is None


def test_an_hdf5_file_that_workers_cannot_be_sent_is_a_sentence_and_opened_there_it_is_read(
    tmp_path,
):
    path = str(tmp_path / "rows.h5")
    with h5py.File(path, "w") as file:
        file["x"] = np.arange(40)
        with pytest.raises(TypeError, match=r"the source is in the way \(h5py objects cannot be"):
            bridge.from_source(file["x"], batch_size=4, num_workers=2)
    dataset = bridge.from_source(Opened(lambda: h5py.File(path)["x"]), batch_size=4, num_workers=2)
    assert np.concatenate(list(dataset)).tolist() == list(range(40))


def test_rows_keep_their_numbers_where_some_were_deleted(database, frame):
    with sqlite3.connect(database) as connection:
        connection.execute("DELETE FROM rows WHERE rowid % 3 = 0")
    connection.close()
    rest = [name for number, name in enumerate(frame["name"], 1) if number % 3]
    table = Table(database, "rows", ["name"])
    assert table[0 : len(table)]["name"].tolist() == rest
    assert [table[5], table[100]] == [{"name": rest[5]}, {"name": rest[100]}]


def test_a_table_may_have_a_key_of_its_own(tmp_path):
    with sqlite3.connect(tmp_path / "x.db") as connection:
        connection.execute('CREATE TABLE "a b" (id INTEGER PRIMARY KEY, "x y" TEXT) WITHOUT ROWID')
        connection.executemany('INSERT INTO "a b" VALUES (?, ?)', [(30, "c"), (10, "a"), (20, "b")])
    connection.close()
    table = Table(tmp_path / "x.db", "a b", ["x y"], key="id")
    assert table[0:3]["x y"].tolist() == ["a", "b", "c"]
    table.close()


CSV = {"a": np.int64, "b": np.float32, "c": str}


def read(path, **options):
    blocks = list(csv_blocks(path, CSV, **options))
    return {name: np.concatenate([b[name] for b in blocks]).tolist() for name in CSV}


@pytest.mark.parametrize("block_bytes", [1, 40, 1 << 20])
@pytest.mark.parametrize("ending", ["\n", ""])
def test_a_csv_file_in_blocks(tmp_path, block_bytes, ending):
    body = ["1,0.5,x", '2,1.5,"y, z"', '3,2.5,"two\nlines"', "4,3.5,", "5,4.5,ü"]
    (tmp_path / "x.csv").write_text("a,b,c\n" + "\n".join(body) + ending, encoding="utf-8")
    assert read(tmp_path / "x.csv", block_bytes=block_bytes) == {
        "a": [1, 2, 3, 4, 5],
        "b": [0.5, 1.5, 2.5, 3.5, 4.5],
        "c": ["x", "y, z", "two\nlines", "", "ü"],
    }


def test_a_csv_file_gives_what_pandas_reads(frame, tmp_path):
    frame.to_csv(tmp_path / "x.csv", index=False)
    blocks = csv_blocks(
        tmp_path / "x.csv", {"share": np.float64, "count": np.int32}, block_bytes=1000
    )
    found = list(blocks)
    assert len(found) > 10
    assert list(found[0]) == ["share", "count"]
    assert np.concatenate([block["count"] for block in found]).tolist() == frame["count"].tolist()
    np.testing.assert_allclose(np.concatenate([block["share"] for block in found]), frame["share"])


def test_lines_are_read_and_their_ends_left_out(tmp_path):
    (tmp_path / "x.txt").write_bytes("one\r\n\nzwölf\nend".encode())
    assert list(lines(tmp_path / "x.txt")) == ["one", "", "zwölf", "end"]


def test_rows_are_batched_by_length_as_tensorflow_does():
    rng = np.random.default_rng(0)
    rows = [np.arange(1, length + 1, dtype=np.int32) for length in rng.integers(1, 40, 200)]
    found = list(by_length(rows, [10, 20], 8, padding=-1))
    theirs = tf.data.Dataset.from_generator(
        lambda: iter(rows), output_signature=tf.TensorSpec((None,), tf.int32)
    ).bucket_by_sequence_length(tf.size, [10, 20], [8] * 3, padding_values=-1)
    for ours, expected in zip(found, theirs, strict=True):
        np.testing.assert_array_equal(ours, expected)
        assert ours.dtype == np.int32


def test_what_is_left_out_is_counted_by_name_in_workers_too(tmp_path):
    skipped = Skipped(tmp_path / "skipped.jsonl")

    def load(index):
        if index % 10 == 3:
            raise ValueError(f"bad {index}")
        return index

    def rows(shard, num_shards):
        return good(load, range(shard, 40, num_shards), skipped)

    dataset = bridge.from_generator(
        rows, output_signature=tf.TensorSpec((), tf.int64), batch_size=4, num_workers=2
    )
    found = np.concatenate(list(dataset)).tolist()
    assert sorted(found) == [k for k in range(40) if k % 10 != 3]
    assert skipped.counts() == {"3": 1, "13": 1, "23": 1, "33": 1}
    assert dict(skipped)["13"] == "ValueError: bad 13"
    list(dataset)
    assert len(skipped) == 8  # each epoch counts
    skipped.clear()
    assert len(skipped) == 0
    with pytest.raises(KeyError):  # nobody said that this may happen
        list(good({}.__getitem__, [1], skipped))


def values_of(dataset, live, batches):
    seen = []
    for numbers, values in itertools.islice(dataset, batches):
        seen += values.numpy().tolist()
        live.done(int(numbers[-1]))
    return seen


def test_a_live_source_gives_each_message_once_whoever_stops_in_between():
    live = Live(range(100))
    dataset = bridge.from_generator(
        live.rows, output_signature=(tf.TensorSpec((), tf.int64),) * 2, batch_size=7
    )
    seen = [value for _ in range(3) for value in values_of(dataset, live, 2)]
    assert seen == list(range(42))  # though more had been read ahead
    assert seen + values_of(dataset, live, None) == list(range(100))
    assert values_of(dataset, live, None) == []


def test_what_is_not_done_with_comes_again():
    live = Live("abcde")
    assert list(live.rows()) == list(enumerate("abcde"))
    live.done(1)
    assert list(live.rows()) == [(2, "c"), (3, "d"), (4, "e")]
    live.done(10)
    assert list(live.rows()) == []


def test_an_older_iterator_takes_nothing_from_a_newer_one():
    live = Live(range(5))
    old = live.rows()
    assert next(old) == (0, 0)
    new = live.rows()
    assert next(new) == (0, 0)
    with pytest.raises(RuntimeError, match="another iterator reads the stream now"):
        next(old)
    assert list(new) == [(k, k) for k in range(1, 5)]


def test_a_message_that_comes_to_an_iterator_already_dropped_goes_to_the_next_one():
    arriving = queue.SimpleQueue()
    live = Live(iter(arriving.get, None))
    seen = {"dropped": [], "next": []}

    def read(name):
        with contextlib.suppress(RuntimeError):
            seen[name] += live.rows()

    readers = []
    for waiting, name in enumerate(seen, 1):
        readers.append(threading.Thread(target=read, args=(name,), daemon=True))
        readers[-1].start()
        while live._readers < waiting:
            time.sleep(0.001)
        time.sleep(0.1)  # until it waits for a message
    for message in (*"abc", None):
        arriving.put(message)
    for reader in readers:
        reader.join(10)
    assert seen == {"dropped": [], "next": [(0, "a"), (1, "b"), (2, "c")]}


def test_messages_that_nobody_is_done_with_are_bounded():
    with pytest.raises(RuntimeError, match=r"3 messages were read and wait for done\(number\)"):
        list(Live(itertools.count(), most=3).rows())


def transmitted(data, size=None):
    """What arrives of bytes that another thread sends, so many at a time."""
    here, there = socket.socketpair()

    def send():
        for start in range(0, len(data), size or len(data)):
            there.sendall(data[start : start + (size or len(data))])
        there.close()

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield from received(here)
    finally:
        here.close()
        thread.join()


MESSAGES = [b"one", b"2" * 100_000, b"three"]


@pytest.mark.parametrize("size", [None, 3, 1000])
def test_messages_arrive_as_they_were_sent(size):
    data = b"".join(sent(MESSAGES if size != 3 else [b"one", b"two"]))
    found = list(transmitted(data, size))
    assert found == (MESSAGES if size != 3 else [b"one", b"two"])


@pytest.mark.parametrize("left_out", [1, 4, 6])
def test_a_break_is_told_from_the_end(left_out):
    stream = Live(transmitted(b"".join(sent(MESSAGES))[:-left_out]))
    seen = []
    for _ in range(2):  # it stays broken
        with pytest.raises(BrokenStreamError, match=r"after message [23], and the stream did not"):
            seen += [message for _, message in stream.rows()]
        stream.done(1)
    rest = []
    with pytest.raises(BrokenStreamError):
        rest += stream.rows()
    complete = left_out <= 4
    assert len(stream._kept) == (1 if complete else 0)


def test_the_shipped_table_is_the_same_in_every_format(tmp_path):
    table = shipped.health()
    assert table.shape == (20_190, 10)
    paths = shipped.write_tables(tmp_path)
    with h5py.File(paths["hdf5"]) as file:
        found = {
            "sqlite": Table(paths["sqlite"], shipped.TABLE)[0 : len(table)],
            "parquet": Parquet(paths["parquet"])[0 : len(table)],
            "csv": pd.read_csv(paths["csv"]),
            "hdf5": {name: file[name][:] for name in table},
        }
    for columns in found.values():
        for name in table:
            np.testing.assert_array_equal(columns[name], table[name])
            assert columns[name].dtype == table[name].dtype


def test_the_shipped_text_images_and_recording_are_there(tmp_path):
    count = shipped.write_text(tmp_path / "x.txt")
    assert count == len(list(lines(tmp_path / "x.txt"))) > 5000
    shipped.write_images(tmp_path / "x.h5", 70, 16, chunk_rows=32)
    with h5py.File(tmp_path / "x.h5") as file:
        assert file["images"].shape == (70, 16, 16, 3)
        assert file["images"][-1].std() > 0
    from scipy.io import wavfile

    rate, samples = wavfile.read(shipped.recording())
    assert len(samples) > 10 * rate


BAD = {
    "2,1.5": "2 fields where the heading has 3",
    "2,1.5,x,y": "4 fields where the heading has 3",
    "two,1.5,x": "column a is 'two', no int64",
    "2,,x": "column b is '', no float32",
}


@pytest.mark.parametrize("bad", BAD)
def test_a_line_that_does_not_fit_is_named_or_left_out_and_counted(tmp_path, bad):
    path = tmp_path / "x.csv"
    path.write_text(f"a,b,c\n1,0.5,x\n\n{bad}\n3,2.5,z\n")
    with pytest.raises(LineError) as error:
        read(path)
    assert str(error.value) == f"{path}, line 4: {BAD[bad]}"
    skipped = Skipped(tmp_path / "skipped.jsonl")
    assert read(path, skipped=skipped) == {"a": [1, 3], "b": [0.5, 2.5], "c": ["x", "z"]}
    assert list(skipped) == [(f"{path}, line 4", f"LineError: {BAD[bad]}")]


def test_two_lines_whose_widths_even_out_are_seen(tmp_path):
    (tmp_path / "x.csv").write_text("a,b,c\n1,0.5\n2,1.5,x,y\n")
    with pytest.raises(LineError, match="line 2: 2 fields"):
        read(tmp_path / "x.csv")


def test_bytes_that_are_not_utf_8_are_named_or_left_out_and_counted(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"a,b,c\n1,0.5,x\n2,1.5,\xff\n")
    with pytest.raises(LineError, match="line 3: 'utf-8' codec can't decode byte 0xff"):
        read(tmp_path / "x.csv")
    (tmp_path / "x.txt").write_bytes(b"one\nt\xe9o\nthree\n")
    with pytest.raises(ValueError, match=r"x\.txt, line 2: byte 1 is 0xe9, which is not UTF-8"):
        list(lines(tmp_path / "x.txt"))
    skipped = Skipped(tmp_path / "skipped.jsonl")
    assert list(lines(tmp_path / "x.txt", skipped)) == ["one", "three"]
    assert len(skipped) == 1


def test_a_value_that_is_missing_is_named(tmp_path, database):
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE rows SET share = NULL WHERE rowid = 7")
        connection.execute("UPDATE rows SET count = 'many' WHERE rowid = 20")
    connection.close()
    with pytest.raises(ValueError, match=r"rows\.db, table rows, row 7: column share is NULL"):
        Table(database, "rows")[0:10]
    with pytest.raises(ValueError, match="row 20: column count is 'many'"):
        Table(database, "rows", ["count"])[0:100]
    pyarrow.parquet.write_table(pyarrow.table({"x": [1, None]}), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=r"x\.parquet, rows 0 to 1: column x has 1 nulls"):
        Parquet(tmp_path / "x.parquet")[0:1]


def test_a_column_or_table_that_is_not_there_is_a_sentence(database, parquet, tmp_path):
    (tmp_path / "x.csv").write_text("a,b\n")
    for error, sentence, call in (
        (OSError, "there is no such table", lambda: len(Table(database, "other"))),
        (
            ValueError,
            "there is no column 'z'; there are count",
            lambda: len(Table(database, "rows", ["z"])),
        ),
        (ValueError, "there is no column z", lambda: len(Parquet(parquet, ["z"]))),
        (ValueError, "there is no column 'c'; there are a, b", lambda: read(tmp_path / "x.csv")),
    ):
        with pytest.raises(error, match=sentence):
            call()
