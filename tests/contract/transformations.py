"""Every public name of tf.data.Dataset, used on a data set of batches."""

import os
import tempfile
from collections.abc import Callable
from typing import Any

from contract.seen import observe, plain
from contract.use import USES, add, total

from helpers.quiet import tf

FAMILY = "transformations"
D = tf.data.Dataset
BRIEF = {"map", "unbatch", "shuffle", "window", "repeat", "take", "rebatch", "element_spec", "zip"}


def public_names() -> list[str]:
    """The public names of the installed tf.data.Dataset."""
    return [name for name in dir(D) if not name.startswith("_")]


def missing() -> list[str]:
    """The public names of tf.data.Dataset for which this table has no row."""
    return [name for name in public_names() if f"Dataset.{name}" not in USES]


def is_even(*element) -> tf.Tensor:
    """Tells two kinds of elements apart."""
    return tf.cast(total(*element), tf.int64) % 2 == 0


def kind(*element) -> tf.Tensor:
    """Number of the kind of an element."""
    return tf.cast(is_even(*element), tf.int64)


def _length(*element):
    first = tf.nest.flatten(element)[0]
    if isinstance(first, tf.RaggedTensor):
        return tf.cast(first.nrows(), tf.int32)
    return tf.shape(first)[0]


def _label(*element):
    leaves = tf.nest.flatten(element)
    return tf.cast(leaves[-1], tf.int64)


def _saved(dataset, **options):
    with tempfile.TemporaryDirectory() as folder:
        dataset.save(folder, **options)
        return observe(D.load(folder))


def _snapshot(dataset):
    with tempfile.TemporaryDirectory() as folder:
        return observe(dataset.snapshot(folder))


def _options(options):
    """An options object as a dictionary, down to its leaves."""
    if not isinstance(options, _GROUPS):
        return str(options)
    return {
        name: _options(getattr(options, name))
        for name in vars(type(options))
        if name[0] != "_" and not callable(getattr(options, name))
    }


_GROUPS = (
    tf.data.Options,
    tf.data.ThreadingOptions,
    tf.data.experimental.AutotuneOptions,
    tf.data.experimental.DistributeOptions,
    tf.data.experimental.OptimizationOptions,
    tf.data.experimental.ServiceOptions,
)


def _elements(dataset):
    return [plain(element) for element in dataset]


# Name of the method: what to do with a data set. A data set that comes of it is observed.
ROWS: dict[str, Callable[[tf.data.Dataset], Any]] = {
    "apply": lambda ds: ds.apply(lambda inner: inner.take(3)),
    "as_numpy_iterator": lambda ds: [[plain(e) for e in ds.as_numpy_iterator()] for _ in range(2)],
    "batch": lambda ds: ds.batch(2),
    "bucket_by_sequence_length": lambda ds: ds.bucket_by_sequence_length(_length, [3], [2, 2]),
    "cache": lambda ds: ds.cache(),
    "cardinality": lambda ds: int(ds.cardinality()),
    "choose_from_datasets": lambda ds: D.choose_from_datasets(
        [ds, ds.skip(1)], D.range(2).repeat(3)
    ),
    "concatenate": lambda ds: ds.concatenate(ds),
    "counter": lambda ds: D.zip(D.counter(), ds),
    "element_spec": lambda ds: ds.element_spec,
    "enumerate": lambda ds: ds.enumerate(5),
    "filter": lambda ds: ds.filter(is_even),
    "fingerprint": lambda ds: str(tf.TensorSpec.from_tensor(ds.fingerprint())),
    "flat_map": lambda ds: ds.flat_map(lambda *e: D.from_tensors(e).repeat(2)),
    "from_generator": lambda ds: D.from_generator(
        lambda: iter(ds), output_signature=ds.element_spec
    ),
    "from_tensor_slices": lambda ds: D.zip(D.from_tensor_slices([5, 6, 7]), ds),
    "from_tensors": lambda ds: D.from_tensors(ds).flat_map(lambda inner: inner),
    "get_single_element": lambda ds: plain(ds.take(1).get_single_element()),
    "group_by_window": lambda ds: ds.group_by_window(
        kind, lambda key, window: window.enumerate(key), window_size=2
    ),
    "ignore_errors": lambda ds: ds.ignore_errors(),
    "interleave": lambda ds: D.range(3).interleave(lambda k: ds.skip(k), cycle_length=2),
    "list_files": lambda ds: D.zip(
        D.list_files(os.path.join(os.path.dirname(__file__), "*.py")), ds
    ).map(lambda path, *e: e),
    "load": _saved,
    "map": lambda ds: ds.map(lambda *e: (e, total(*e))),
    "options": lambda ds: _options(ds.options()),
    "padded_batch": lambda ds: ds.padded_batch(2),
    "prefetch": lambda ds: ds.prefetch(2),
    "ragged_batch": lambda ds: ds.ragged_batch(2),
    "random": lambda ds: D.zip(D.random(seed=3), ds),
    "range": lambda ds: D.zip(D.range(4), ds),
    "rebatch": lambda ds: ds.rebatch(3),
    "reduce": lambda ds: plain(ds.reduce(0.0, lambda state, *e: 2 * state + total(*e))),
    "rejection_resample": lambda ds: ds.rejection_resample(
        lambda *e: tf.cast(kind(*e), tf.int32), [0.5, 0.5], [0.5, 0.5], seed=3
    ),
    "repeat": lambda ds: ds.repeat(2),
    "sample_from_datasets": lambda ds: D.sample_from_datasets([ds, ds.take(2)], [0.5, 0.5], seed=3),
    "save": lambda ds: _saved(ds, shard_func=lambda *e: kind(*e)),
    "scan": lambda ds: ds.scan(0.0, lambda state, *e: (state + total(*e), (e, state))),
    "shard": lambda ds: ds.shard(2, 1),
    "shuffle": lambda ds: ds.shuffle(5, seed=3),
    "skip": lambda ds: ds.skip(2),
    "snapshot": _snapshot,
    "sparse_batch": lambda ds: ds.map(lambda *e: tf.range(_length(*e))).sparse_batch(2, [5]),
    "take": lambda ds: ds.take(3),
    "take_while": lambda ds: ds.take_while(lambda *e: total(*e) < 200.0),
    "unbatch": lambda ds: ds.unbatch(),
    "unique": lambda ds: ds.unbatch().map(_label).unique(),
    "window": lambda ds: [_elements(ds.window(2)) for _ in range(2)],
    "with_options": lambda ds: ds.with_options(tf.data.Options()),
    "zip": lambda ds: D.zip(ds, ds),
}

# What people write with several of them, and what tf.data.experimental adds.
IDIOMS: dict[str, Callable[[tf.data.Dataset], Any]] = {
    "map in parallel": lambda ds: ds.map(
        lambda *e: (e, total(*e)), num_parallel_calls=tf.data.AUTOTUNE
    ),
    "interleave in parallel": lambda ds: D.range(3).interleave(
        lambda k: ds.skip(k), cycle_length=3, num_parallel_calls=2, deterministic=True
    ),
    "batch in parallel": lambda ds: ds.unbatch().batch(5, num_parallel_calls=2),
    "unbatch, shuffle, batch": lambda ds: ds.unbatch().shuffle(9, seed=3).batch(3),
    "shuffle, repeat": lambda ds: ds.shuffle(5, seed=3).repeat(2),
    "take of each epoch": lambda ds: ds.take(2).repeat(3),
    "prefetch, autotuned": lambda ds: ds.map(lambda *e: e).prefetch(tf.data.AUTOTUNE),
    "skip past the end": lambda ds: ds.skip(100),
    "assert_cardinality": lambda ds: ds.apply(tf.data.experimental.assert_cardinality(7)),
    "assert_cardinality, wrong": lambda ds: ds.apply(tf.data.experimental.assert_cardinality(5)),
    "copy_to_device": lambda ds: ds.apply(tf.data.experimental.copy_to_device("/cpu:0")),
    "prefetch_to_device": lambda ds: ds.apply(tf.data.experimental.prefetch_to_device("/cpu:0")),
    "to_variant, from_variant": lambda ds: tf.data.experimental.from_variant(
        tf.data.experimental.to_variant(ds), ds.element_spec
    ),
    "group_by_reducer": lambda ds: ds.apply(
        tf.data.experimental.group_by_reducer(
            kind,
            tf.data.experimental.Reducer(
                lambda key: 0.0, lambda state, *e: state + total(*e), lambda state: state
            ),
        )
    ),
    "get_next_as_optional": lambda ds: _optional(ds),
}


def _optional(dataset):
    iterator = iter(dataset)
    values = [iterator.get_next_as_optional() for _ in range(9)]
    return [plain(v.get_value()) if v.has_value() else "empty" for v in values]


def _run(row: Callable) -> Callable:
    def run(build):
        tf.random.set_seed(7)
        result = row(build())
        return observe(result) if isinstance(result, tf.data.Dataset) else result

    return run


for _name, _row in ROWS.items():
    add(f"Dataset.{_name}", FAMILY, _run(_row), part=_name in BRIEF)
for _name, _row in IDIOMS.items():
    add(_name, FAMILY, _run(_row), part=_name == "unbatch, shuffle, batch")
add("drop_remainder", FAMILY, lambda build: observe(build(drop_remainder=True)), part=True)
