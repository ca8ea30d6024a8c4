"""Rows from a Ray cluster: each once, in order where that is asked for, errors in a sentence."""

import os
import signal

import numpy as np
import pytest

from helpers.quiet import tf
from helpers.scale.ray import RayError, from_ray, ray_here

pytestmark = pytest.mark.faults
SHARDS, COUNT = 6, 101
SIGNATURE = {"x": tf.TensorSpec((3,), tf.float32), "name": tf.TensorSpec((), tf.string)}


@pytest.fixture(scope="module")
def ray():
    """A cluster of one machine, or a skipped test."""
    ray = pytest.importorskip("ray", reason="Ray is an extra: make cluster")
    with ray_here(2):
        yield ray


def row(number):
    return {"x": np.full(3, number, np.float32), "name": f"row {number}"}


def rows(shard, num_shards):
    for number in range(shard, COUNT, num_shards):
        yield row(number)


def numbers(dataset):
    return [int(value) for batch in dataset.as_numpy_iterator() for value in batch["x"][:, 0]]


def test_each_row_comes_once_in_whole_batches_and_again_in_the_next_epoch(ray):
    dataset = from_ray(rows, output_signature=SIGNATURE, batch_size=8, num_shards=SHARDS)
    batches = list(dataset.as_numpy_iterator())
    assert sorted(numbers(dataset)) == [*range(COUNT)]
    assert [len(batch["x"]) for batch in batches] == [8] * 12 + [5]
    for batch in batches:
        assert [text.decode() for text in batch["name"]] == [
            f"row {n:.0f}" for n in batch["x"][:, 0]
        ]


def test_shard_after_shard_where_order_is_asked_for(ray):
    dataset = from_ray(
        rows, output_signature=SIGNATURE, batch_size=8, num_shards=SHARDS, in_order=True
    )
    order = [number for shard in range(SHARDS) for number in range(shard, COUNT, SHARDS)]
    assert numbers(dataset) == order


def test_a_source_is_read_in_parts(ray):
    source = [row(number) for number in range(COUNT)]
    dataset = from_ray(source, output_signature=SIGNATURE, batch_size=8, num_shards=4)
    assert sorted(numbers(dataset)) == [*range(COUNT)]


def test_what_a_generator_raises_is_a_sentence_with_its_row(ray):
    def raising(shard, num_shards):
        yield row(shard)
        if shard == 3:
            raise LookupError("no such picture")

    dataset = from_ray(raising, output_signature=SIGNATURE, batch_size=1, num_shards=SHARDS)
    with pytest.raises(
        tf.errors.OpError, match=r"example 1 of shard 3: LookupError: no such picture, at"
    ):
        numbers(dataset)


def test_a_worker_that_is_killed_is_made_good_and_no_row_comes_twice(ray, tmp_path):
    killed = tmp_path / "killed"

    def dying(shard, num_shards):
        for count, number in enumerate(range(shard, COUNT, num_shards)):
            if shard == 2 and count == 5 and not killed.exists():
                killed.touch()
                os.kill(os.getpid(), signal.SIGKILL)
            yield row(number)

    dataset = from_ray(dying, output_signature=SIGNATURE, batch_size=8, num_shards=SHARDS)
    assert sorted(numbers(dataset)) == [*range(COUNT)]
    assert killed.exists()


def test_what_cannot_be_made_there_is_a_sentence(ray, monkeypatch):
    how = {"batch_size": 8, "num_shards": 2}
    with pytest.raises(TypeError, match="found int"):
        from_ray(3, output_signature=SIGNATURE, **how)
    with pytest.raises(ValueError, match="unknown size"):
        from_ray(rows, output_signature=tf.TensorSpec((None,)), **how)
    with pytest.raises(ValueError, match="1 or more"):
        from_ray(rows, output_signature=SIGNATURE, batch_size=0, num_shards=2)
    monkeypatch.setitem(__import__("sys").modules, "ray.data", None)
    with pytest.raises(RayError, match="make cluster"):
        from_ray(rows, output_signature=SIGNATURE, **how)
