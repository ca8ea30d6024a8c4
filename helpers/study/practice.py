"""Ten generators as people write them, for the doctor to examine: some slow, some wrong, one well.

Each function makes one from files of its own in a folder, and returns it with the keyword arguments
of `examine`. None tells what it suffers from.
"""

from __future__ import annotations

import io
import json
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

ROWS = 1200

Brought = tuple[Any, dict[str, Any]]
"""A subject, and the keyword arguments for examining it."""


def pandas_rows(folder: Path) -> Brought:
    """A table, a row at a time."""
    import pandas as pd

    table = pd.DataFrame(np.random.default_rng(0).random((ROWS, 12)))

    def rows():
        for _, row in table.iterrows():
            yield row.to_numpy(np.float32)

    return rows, {}


def pillow_augmentation(folder: Path) -> Brought:
    """Pictures, decoded, turned and resized."""
    from PIL import Image

    noise = np.random.default_rng(0).integers(0, 255, (24, 24, 3), np.uint8)
    packed = io.BytesIO()
    Image.fromarray(noise).resize((256, 256)).save(packed, "JPEG")

    def rows():
        rng = np.random.default_rng(1)
        for label in range(ROWS):
            picture = Image.open(io.BytesIO(packed.getvalue()))
            turned = picture.rotate(rng.uniform(-10, 10)).resize((96, 96))
            yield np.asarray(turned, np.float32) / 255, np.int32(label % 5)

    return rows, {}


def shuffled_hdf5(folder: Path) -> Brought:
    """A compressed file, read in random order."""
    import h5py

    path = folder / "rows.h5"
    with h5py.File(path, "w") as file:
        data = np.random.default_rng(0).integers(0, 9, (ROWS, 64, 64)).astype(np.float32)
        file.create_dataset("rows", data=data, chunks=(64, 64, 64), compression="gzip")

    def rows():
        with h5py.File(path) as file:
            for index in np.random.default_rng(1).permutation(ROWS):
                yield file["rows"][index]

    return rows, {}


def sqlite_by_key(folder: Path) -> Brought:
    """A data base, asked for one key after the other."""
    path = folder / "rows.sqlite"
    numbers = np.random.default_rng(0).random((ROWS, 8)).tolist()
    with sqlite3.connect(path) as link:
        link.execute("create table rows (key text, a, b, c, d, e, f, g, h)")
        values = [(f"row {index}", *row) for index, row in enumerate(numbers)]
        link.executemany("insert into rows values (?,?,?,?,?,?,?,?,?)", values)
    link.close()

    def rows():
        link = sqlite3.connect(path, check_same_thread=False)  # TensorFlow has several
        for index in range(ROWS):
            asked = link.execute("select * from rows where key = ?", (f"row {index}",))
            yield np.array(asked.fetchone()[1:], np.float32)
        link.close()

    return rows, {}


def json_lines(folder: Path) -> Brought:
    """A text file with a JSON object in each line."""
    path = folder / "rows.jsonl"
    with path.open("w") as file:
        for index in range(ROWS):
            values = [round(index / 7 + place, 3) for place in range(300)]
            file.write(json.dumps({"values": values, "label": index % 3}) + "\n")

    def rows():
        with path.open() as file:
            for line in file:
                read = json.loads(line)
                yield np.array(read["values"], np.float32), np.int32(read["label"])

    return rows, {}


def slow_source(folder: Path) -> Brought:
    """Something that answers after three milliseconds, as a server nearby does."""

    def fetch(index: int) -> np.ndarray:
        time.sleep(0.003)
        return np.full((32, 32), index, np.float32)

    def rows(shard=0, num_shards=1):
        for index in range(shard, ROWS, num_shards):
            yield fetch(index)

    return rows, {}


def features_by_the_dozen(folder: Path) -> Brought:
    """A dictionary of twelve numbers."""
    names = [f"feature_{place}" for place in range(12)]
    table = np.random.default_rng(0).random((ROWS, 12), np.float32)

    def rows():
        for row in table:
            yield dict(zip(names, row, strict=True))

    return rows, {}


def tensorflow_inside(folder: Path) -> Brought:
    """A generator that works with tensors."""
    from helpers.quiet import tf

    pictures = np.random.default_rng(0).random((ROWS, 32, 32, 3), np.float32)

    def rows():
        for picture in pictures:
            flipped = tf.image.flip_left_right(tf.constant(picture))
            yield tf.image.adjust_brightness(flipped, 0.1)

    return rows, {}


def augmented_then_cached(folder: Path) -> Brought:
    """Random noise on each row, and a cache behind it."""
    from helpers.quiet import tf

    pictures = np.random.default_rng(0).random((ROWS, 32, 32), np.float32)

    def rows():
        rng = np.random.default_rng()
        for picture in pictures:
            yield picture + rng.normal(0, 0.1, picture.shape).astype(np.float32)

    def pipeline():
        spec = tf.TensorSpec((32, 32), tf.float32)
        made = tf.data.Dataset.from_generator(rows, output_signature=spec)
        return made.batch(32).cache().prefetch(tf.data.AUTOTUNE)

    return pipeline, {}


def before_a_long_step(folder: Path) -> Brought:
    """Rows of an array, before a step of 40 ms on another device."""
    pictures = np.random.default_rng(0).random((ROWS, 32, 32), np.float32)

    def rows():
        yield from pictures

    def step(batch):
        time.sleep(0.04)

    return rows, {"consumer": step}


GALLERY: dict[str, Callable[[Path], Brought]] = {
    "a table, row by row": pandas_rows,
    "pictures with Pillow": pillow_augmentation,
    "HDF5 in random order": shuffled_hdf5,
    "SQLite by key": sqlite_by_key,
    "JSON lines": json_lines,
    "a slow source": slow_source,
    "twelve features": features_by_the_dozen,
    "tensors in the generator": tensorflow_inside,
    "noise and a cache": augmented_then_cached,
    "before a long step": before_a_long_step,
}
"""By the name that a reader chooses from."""
