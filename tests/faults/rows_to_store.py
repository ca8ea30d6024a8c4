"""Rows for worker processes, which need no TensorFlow to find them here."""

import numpy as np

COUNT = 23


def row(index):
    text = f"zeile {index} ü".encode() + b"\0"
    return {"image": np.full((3, 2), index, np.float32), "more": (text, np.uint32([index, 7]))}


def generate(shard, num_shards):
    for index in range(shard, COUNT, num_shards):
        yield row(index)


def scalars(shard, num_shards):
    for index in range(shard, COUNT, num_shards):
        yield np.int64(index)
