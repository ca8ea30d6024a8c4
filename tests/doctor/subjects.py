"""Generators and pipelines of known ailment or health. Nothing in the doctor knows their names."""

from __future__ import annotations

import functools
import hashlib
import json
import tempfile
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from helpers import bridge
from helpers.quiet import tf

ROWS = 1500
SMALL = np.random.default_rng(0).random((ROWS, 32, 32), dtype=np.float32)
BLOB = np.random.default_rng(1).integers(0, 8, 700_000, np.uint8).tobytes()
PACKED = zlib.compress(BLOB)
LINES = [json.dumps({"values": list(range(i, i + 400)), "label": i % 7}) for i in range(ROWS)]
SPEC = tf.TensorSpec((32, 32), tf.float32)
SCALAR = tf.TensorSpec((), tf.float32)


@dataclass(frozen=True)
class Case:
    """A subject and what is known of it.

    Attributes:
        name: Its own.
        first: What has to be named first; several where more than one is right.
        make: Returns the arguments of `examine`, the subject first.
        healthy: Whether nothing may be advised.
    """

    name: str
    first: tuple[str, ...]
    make: Callable[[], tuple[Any, dict[str, Any]]]
    healthy: bool = False


CASES: list[Case] = []


def case(*first: str, healthy: bool = False):
    """Registers a function that makes a subject."""

    def add(make):
        CASES.append(Case(make.__name__, first, make, healthy))
        return make

    return add


def device(seconds):
    def step(batch):
        time.sleep(seconds)

    return step


def loop(turns):
    total = 0
    for turn in range(turns):
        total += turn
    return total


# --- crossings


@case("crossing")
def rows_of_an_array():
    def rows():
        for index in range(ROWS):
            yield SMALL[index]

    return rows, {}


@case("crossing")
def one_number_each():
    def rows():
        for index in range(ROWS):
            yield float(index)

    return rows, {"output_signature": SCALAR}


@case("crossing")
def image_and_label():
    def rows():
        for index in range(ROWS):
            yield SMALL[index], np.int32(index % 10)

    return rows, {}


@case("crossing")
def ten_numbers_in_a_dict():
    def rows():
        for index in range(ROWS):
            yield {f"f{place}": float(index + place) for place in range(10)}

    return rows, {}


@case("crossing")
def words_of_text():
    def rows():
        for index in range(ROWS):
            yield f"the word number {index}"

    return rows, {}


@case("crossing")
def rows_before_a_short_step():
    def rows():
        for index in range(ROWS):
            yield SMALL[index]

    return rows, {"consumer": device(0.001)}


@case("crossing")
def a_built_pipeline():
    def rows():
        for index in range(ROWS):
            yield SMALL[index]

    def build():
        return tf.data.Dataset.from_generator(rows, output_signature=SPEC).batch(32).prefetch(2)

    return build, {}


@case("crossing")
def a_table_read_by_index():
    class Table:
        def __len__(self):
            return ROWS

        def __getitem__(self, index):
            return SMALL[index] * np.float32(2)

    return Table(), {}


@case("crossing")
def a_class_with_iter():
    class Rows:
        def __iter__(self):
            for index in range(ROWS):
                yield SMALL[index]

    return Rows, {}


# --- Python that holds the GIL


@case("holds-gil")
def a_loop_for_each_row():
    def rows():
        for index in range(400):
            loop(40_000)
            yield SMALL[index]

    return rows, {}


@case("holds-gil")
def json_lines():
    def rows():
        for line in LINES:
            for _ in range(40):
                record = json.loads(line)
            yield np.array(record["values"], np.float32), np.int32(record["label"])

    return rows, {}


@case("holds-gil")
def a_frame_row_by_row():
    import pandas as pd

    frame = pd.DataFrame(np.random.default_rng(0).random((ROWS, 60)).astype(np.float32))

    def rows():
        for _, row in frame.iterrows():
            yield np.array([float(str(value)) * 2 for value in row] * 20, np.float32)

    return rows, {}


@case("holds-gil")
def shards_of_python_work():
    def rows(shard, num_shards):
        for index in range(shard, 400, num_shards):
            loop(40_000)
            yield SMALL[index]

    return rows, {}


@case("holds-gil")
def a_sequence_of_python_work():
    class Items:
        def __len__(self):
            return 400

        def __getitem__(self, index):
            loop(40_000)
            return SMALL[int(index)]

    return Items(), {}


# --- waiting


@case("waits")
def a_slow_source():
    def rows():
        for index in range(400):
            time.sleep(0.003)
            yield SMALL[index]

    return rows, {}


@case("waits")
def a_sequence_that_waits():
    class Items:
        def __len__(self):
            return 400

        def __getitem__(self, index):
            time.sleep(0.003)
            return SMALL[int(index)]

    return Items(), {}


@case("waits")
def shards_that_wait():
    def rows(shard, num_shards):
        for index in range(shard, 400, num_shards):
            time.sleep(0.003)
            yield SMALL[index]

    return rows, {"consumer": device(0.002)}


# --- work without the GIL


@case("frees-gil")
def hashes_of_a_blob():
    def rows():
        for index in range(300):
            for _ in range(3):
                hashlib.sha256(BLOB).digest()
            yield SMALL[index]

    return rows, {}


@case("frees-gil")
def inflated():
    def rows():
        for index in range(300):
            zlib.decompress(PACKED)
            yield SMALL[index]

    return rows, {}


# --- steps of tf.data


@case("steps")
def a_heavy_map():
    weights = tf.random.stateless_uniform((900, 900), (0, 1))

    def build():
        return tf.data.Dataset.range(300).map(lambda index: tf.reduce_sum(weights @ weights))

    return build, {}


# --- nothing to win


@case("consumer", healthy=True)
def rows_before_a_long_step():
    def rows():
        for index in range(ROWS):
            yield SMALL[index]

    return rows, {"consumer": device(0.06), "output_signature": SPEC}


@case("consumer", healthy=True)
def python_before_a_long_step():
    def rows():
        for index in range(ROWS):
            loop(2_000)
            yield SMALL[index]

    return rows, {"consumer": device(0.08), "output_signature": SPEC}


@case("gil")
def python_before_a_python_step():
    def rows():
        for index in range(ROWS):
            loop(10_000)
            yield SMALL[index]

    return rows, {"consumer": lambda batch: loop(320_000), "output_signature": SPEC}


@case("consumer", healthy=True)
def a_bridged_pipeline():
    def rows():
        for index in range(ROWS):
            yield SMALL[index]

    def build():
        return bridge.from_generator(rows, output_signature=SPEC, batch_size=32)

    return build, {"consumer": device(0.02)}


@case("consumer", healthy=True)
def slices_before_a_step():
    def build():
        return tf.data.Dataset.from_tensor_slices(SMALL).batch(32).prefetch(2)

    return build, {"consumer": device(0.02)}


@case("steps", "crossing", healthy=True)
def slices_alone():
    def build():
        return tf.data.Dataset.from_tensor_slices(SMALL).batch(32).prefetch(2)

    return build, {}


@case("consumer", healthy=True)
def a_sequence_before_a_long_step():
    return SMALL, {"consumer": device(0.06)}


# --- data that is lost or changed


@case("generator-object")
def called_already():
    def rows():
        for index in range(ROWS):
            yield SMALL[index]

    return rows(), {"output_signature": SPEC}


@case("spent-source")
def a_spent_file():
    with tempfile.TemporaryFile("w+") as file:
        file.write("\n".join(str(index) for index in range(300)))
        file.seek(0)
        lines = iter(file.readlines())

    def rows():
        for line in lines:
            yield np.float32(line)

    return rows, {"output_signature": SCALAR}


@case("inner-stop")
def an_inner_end():
    class Files:
        def __init__(self):
            self.files = iter([iter(range(40)), iter(range(40))])
            self.current = next(self.files)

        def __iter__(self):
            return self

        def __next__(self):
            value = next(self.current)
            return np.float32(value)

    return Files, {"output_signature": SCALAR}


@case("reused-array")
def one_buffer():
    def rows():
        buffer = np.empty((32, 32), np.float32)
        for index in range(ROWS):
            buffer[:] = SMALL[index]
            yield buffer

    return rows, {"output_signature": SPEC}


@case("changed-by-cast")
def bytes_that_overflow():
    def rows():
        for index in range(ROWS):
            yield np.array([index, index + 300], np.int64)

    return rows, {"output_signature": tf.TensorSpec((2,), tf.uint8)}


@case("changed-by-cast")
def halves_as_whole_numbers():
    def rows():
        for index in range(ROWS):
            yield np.array([index + 0.5], np.float64)

    return rows, {"output_signature": tf.TensorSpec((1,), tf.int32)}


@case("wrong-signature")
def another_shape():
    def rows():
        for index in range(ROWS):
            yield SMALL[index]

    return rows, {"output_signature": tf.TensorSpec((32, 16), tf.float32)}


@case("varying-shape")
def sentences_of_any_length():
    def rows():
        for index in range(ROWS):
            yield np.arange(index % 20 + 1, dtype=np.float32)

    return rows, {"output_signature": tf.TensorSpec((None,), tf.float32)}


@case("args-as-arrays")
def a_mode_as_text():
    def rows(mode):
        for index in range(ROWS):
            yield SMALL[index] if mode == "train" else -SMALL[index]

    return rows, {"output_signature": SPEC, "args": ("train",)}


@case("cache-after-random")
def augmented_then_cached():
    def rows():
        rng = np.random.default_rng()
        for index in range(300):
            yield SMALL[index] + rng.random(dtype=np.float32)

    def build():
        rows_ = tf.data.Dataset.from_generator(rows, output_signature=SPEC)
        return rows_.cache().batch(32).prefetch(2)

    return build, {}


@case("shuffle-of-batches")
def shuffled_late():
    def build():
        return tf.data.Dataset.from_tensor_slices(SMALL).batch(32).shuffle(8)

    return build, {"consumer": device(0.01)}


@case("cache-endless")
def cached_without_end():
    def build():
        return tf.data.Dataset.from_tensor_slices(SMALL).repeat().cache().batch(32)

    return build, {"consumer": device(0.01)}


@case("same-random-in-shards")
def one_seed_for_all():
    def rows(shard, num_shards):
        rng = np.random.default_rng(7)
        for index in range(shard, ROWS, num_shards):
            yield SMALL[index] + rng.random(dtype=np.float32)

    return rows, {"output_signature": SPEC}


@case("shared-handle")
def one_connection_for_all():
    import sqlite3

    link = sqlite3.connect(":memory:", check_same_thread=False)
    link.execute("create table rows (number real)")
    link.executemany("insert into rows values (?)", [(float(index),) for index in range(400)])

    def rows():
        for (number,) in link.execute("select number from rows"):
            yield np.float32(number)

    return rows, {"output_signature": SCALAR}


@case("flat-tuple")
def three_for_keras():
    model = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dense(1)])
    model.compile(optimizer="sgd", loss="mse")

    def rows():
        for index in range(ROWS):
            yield SMALL[index], np.float32(index), np.float32(1)

    return rows, {"consumer": model}


@case("raises")
def a_bad_row():
    def rows():
        for index in range(ROWS):
            if index == 57:
                raise KeyError("no such picture")
            yield SMALL[index]

    return rows, {"output_signature": SPEC}


@case("empty")
def nothing_at_all():
    def rows():
        yield from ()

    return rows, {"output_signature": SCALAR}


def sharded(held_turns, waiting_s, freed_calls):
    """A generator of known mix, with shards and without an end."""

    def rows(shard=0, num_shards=1):
        while True:
            loop(held_turns)
            if waiting_s:
                time.sleep(waiting_s)
            for _ in range(freed_calls):
                hashlib.sha256(BLOB).digest()
            yield 1.0

    return rows


def mixed(held_turns, waiting_s, freed_calls):
    """The same, and what measures its parts."""
    parts = {
        "held": functools.partial(loop, held_turns),
        "waiting": functools.partial(time.sleep, waiting_s),
        "freed": lambda: [hashlib.sha256(BLOB).digest() for _ in range(freed_calls)],
    }
    return sharded(held_turns, waiting_s, freed_calls), parts


def each(make, mixes):
    """Names a generator of each mix, still to be made."""
    return {
        f"{turns // 1000}k turns, {wait * 1e3:g} ms, {calls} digests": functools.partial(
            make, turns, wait, calls
        )
        for turns, wait, calls in mixes
    }


MIXES = each(mixed, (
    (60_000, 0.0, 0), (0, 0.004, 0), (0, 0.0, 6), (40_000, 0.002, 0), (20_000, 0.004, 0),
    (60_000, 0.001, 0), (40_000, 0.0, 4), (20_000, 0.0, 6), (60_000, 0.0, 2),
    (0, 0.003, 4), (30_000, 0.002, 3), (50_000, 0.001, 2),
))  # fmt: skip

SHARDED = each(sharded, (
    (60_000, 0.0, 0), (20_000, 0.0, 0), (0, 0.004, 0), (0, 0.002, 0), (40_000, 0.002, 0),
    (20_000, 0.003, 0), (0, 0.0, 4), (30_000, 0.0, 2), (0, 0.002, 2), (2_000, 0.0, 0),
))  # fmt: skip


def injected(turns, waiting_s, width):
    """A generator of three known costs: computation, sleep, and a row of so many numbers."""
    row = np.zeros(width, np.float32)

    def rows():
        while True:
            for _ in range(turns):
                pass
            time.sleep(waiting_s)
            yield row

    return rows


INJECTED = {
    f"{turns // 1000}k turns, {wait * 1e3:g} ms, {width} numbers": (turns, wait, width)
    for turns, wait, width in (
        (5_000, 0.001, 10), (20_000, 0.001, 10), (20_000, 0.0002, 10), (1_000, 0.002, 10),
        (2_000, 0.0002, 200_000), (10_000, 0.0005, 200_000),
    )
}  # fmt: skip
