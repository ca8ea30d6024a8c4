"""Chunks of worker processes inside TensorFlow: whatever keeps them, they stay what they were."""

import contextlib
import gc
import subprocess
import sys
import time
from pathlib import Path

import cloudpickle
import numpy as np
import psutil
import pytest
from unit.pooling import open_pool, source_shards

from helpers.bridge import from_generator
from helpers.quiet import tf

pytestmark = pytest.mark.faults
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # as if written in a notebook

ROOT = Path(__file__).parents[2]
COUNT, CHUNK = 600, 4
ALL = list(range(COUNT))


class Images:
    def __len__(self):
        return COUNT

    def __getitem__(self, index):
        return np.full((16, 16), index, np.float32)


class SlowImages(Images):
    def __getitem__(self, index):
        time.sleep(0.02)
        return super().__getitem__(index)


def image_pool(source, **options):
    shards = source_shards(source, CHUNK)
    return open_pool(shards, [(np.float32, (16, 16))], chunk_rows=CHUNK, **options)


@pytest.fixture
def pool():
    pool = image_pool(Images(), max_slots=4)
    yield pool
    pool.close()


def dataset_of(pool):
    signature = tf.TensorSpec((None, 16, 16), tf.float32)
    return tf.data.Dataset.from_generator(
        lambda: (chunk for (chunk,) in pool.epoch()), output_signature=signature
    )


def values(batches):
    """The number of each image, after a check that all of its pixels agree."""
    images = np.concatenate([np.asarray(batch) for batch in batches])
    assert (images == images[:, :1, :1]).all()
    return images[:, 0, 0].astype(int).tolist()


def test_a_list_of_all_tensors(pool):
    assert values(list(dataset_of(pool))) == ALL


def test_cache_and_prefetch(pool):
    cached = dataset_of(pool).cache().prefetch(50)
    assert values(cached) == ALL
    assert values(cached) == ALL


def test_shuffle(pool):
    shuffled = values(dataset_of(pool).shuffle(100, seed=1))
    assert shuffled != ALL
    assert sorted(shuffled) == ALL


def test_unbatch_and_batch(pool):
    assert values(dataset_of(pool).unbatch().batch(7)) == ALL


def test_rebatch(pool):
    batches = list(dataset_of(pool).rebatch(10))
    assert {len(batch) for batch in batches} == {10}
    assert values(batches) == ALL


def test_numpy_views_outlive_the_pool(pool):
    arrays = [tensor.numpy() for tensor in dataset_of(pool).take(20)]
    pool.close()
    gc.collect()
    assert values(arrays) == ALL[: 20 * CHUNK]


def test_two_iterators_and_one_dropped_half_way(pool):
    dataset = dataset_of(pool)
    iterator = iter(dataset)
    dropped = [next(iterator) for _ in range(5)]
    del iterator
    gc.collect()
    pairs = list(zip(dataset, dataset, strict=True))
    assert values(a for a, _ in pairs) == values(b for _, b in pairs) == ALL
    assert values(dropped) == ALL[: 5 * CHUNK]
    assert len(pool.processes) == 2


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_fit(pool):
    model = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dense(1)])
    model.compile("sgd", "mse")
    data = dataset_of(pool).map(lambda x: (x / COUNT, x[:, 0, :1])).prefetch(2)
    seen = []

    class Count(tf.keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)

    for _ in range(2):
        model.fit(data, shuffle=False, verbose=0, callbacks=[Count()])
    assert len(seen) == 2 * COUNT // CHUNK


def sharded(shard, num_shards):
    for k in range(shard, COUNT, num_shards):
        yield np.full((16, 16), k, np.float32)


def fails(shard, num_shards):
    yield from sharded(0, 20)
    if shard == 1:
        raise KeyError("no such image")


def bridged(generator):
    return from_generator(
        generator,
        output_signature=tf.TensorSpec((16, 16), tf.float32),
        batch_size=10,
        num_workers=2,
    )


def workers():
    found = set()
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.ZombieProcess, psutil.NoSuchProcess):  # ends just now
            if "worker.py" in " ".join(child.cmdline()):
                found.add(child)
    return found


def test_from_generator_with_workers():
    before = workers()
    dataset = bridged(sharded).prefetch(2)
    assert sorted(values(dataset)) == ALL
    ours = workers() - before
    assert len(ours) == 2
    assert values(dataset) == values(dataset)
    assert workers() - before == ours
    iterator = iter(dataset)
    kept = next(iterator)
    del dataset, iterator
    gc.collect()
    assert not workers() - before
    assert values([kept]) == ALL[:20:2]


def test_an_error_of_a_generator_crosses_once_and_ends_no_worker():
    before = workers()
    dataset = bridged(fails)
    found = []
    for _ in range(2):
        iterator, batches = iter(dataset), []
        with pytest.raises(tf.errors.OpError) as caught:
            while True:
                batches.append(next(iterator))
        first = caught.value.message.splitlines()[0]
        assert "GeneratorError: example 30 of shard 1: KeyError: 'no such image', at " in first
        assert first.endswith('in fails: raise KeyError("no such image")')
        assert "yield from sharded(0, 20)" not in caught.value.message
        assert "Traceback in the worker" not in caught.value.message
        assert sorted(values(batches)) == sorted([*range(0, COUNT, 20)] * 2)
        assert list(iterator) == []  # the other shard is at its end too
        found.append(workers() - before)
    assert len(found[0]) == 2
    assert found[0] == found[1]


PROGRAM = f"""
import importlib.util, sys
sys.path.insert(0, {str(ROOT / "tests")!r})
spec = importlib.util.spec_from_file_location("there", {__file__!r})
there = sys.modules["there"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(there)
pool = there.image_pool(there.SlowImages())
data = there.dataset_of(pool).repeat().prefetch(4)
iterator = iter(data)
kept = [next(iterator) for _ in range(5)]
print(*pool.processes)
"""


def test_a_program_ends_while_tensorflow_waits_for_a_row():
    """Without care TensorFlow hangs at the end, in about one program of four."""
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    try:
        for program in programs:
            out, err = program.communicate(timeout=100)
            assert (program.returncode, err) == (0, "")
            pids = out.split()
            assert len(pids) == 2
            assert not [pid for pid in pids if psutil.pid_exists(int(pid))]
    finally:
        for program in programs:
            program.kill()
            program.communicate()
