"""Loops over a data set, in Python and in TensorFlow."""

import gc
import itertools

from contract.seen import observe, plain
from contract.use import add, total, use

from helpers.quiet import tf

FAMILY = "loops"

add("python loop", FAMILY, lambda build: observe(build(), 3), part=True)


@use("as_numpy_iterator", FAMILY, part=True)
def _(build):
    dataset = build()
    return [[plain(element) for element in dataset.as_numpy_iterator()] for _ in range(2)]


def _weighed(dataset, weigh):
    """Counts and weighs the elements in a graph, in their order."""
    count, state = tf.constant(0), tf.constant(0.0)
    for element in dataset:
        count += 1
        state = 1.5 * state + weigh(element)
    return count, state


def _twice(function, *args):
    return [plain(function(*args)) for _ in range(2)]


@use("loop in tf.function", FAMILY, part=True)
def _(build):
    dataset = build()
    return _twice(tf.function(lambda: _weighed(dataset, total)))


@use("data set given to tf.function", FAMILY)
def _(build):
    return _twice(tf.function(lambda dataset: _weighed(dataset, total)), build())


@use("built in tf.function", FAMILY)
def _(build):
    return _twice(tf.function(lambda: _weighed(build(), total)))


# The compiled step takes no ragged tensors, and a compilation takes long: by values of x alone.
_compiled = tf.function(lambda x: tf.reduce_sum(x * x), jit_compile=True, reduce_retracing=True)


def _compiled_weight(element):
    return _compiled(tf.cast(tf.nest.flatten(element)[0], tf.float32))


@use("compiled step", FAMILY)
def _(build):
    dataset = build()
    return [[plain(_compiled_weight(element)) for element in dataset] for _ in range(2)]


@use("compiled step in tf.function", FAMILY)
def _(build):
    dataset = build(drop_remainder=True)
    return _twice(tf.function(lambda: _weighed(dataset, _compiled_weight)))


@use("next in tf.function", FAMILY)
def _(build):
    iterator = iter(build())
    step = tf.function(lambda: total(next(iterator)))
    steps = [plain(step()) for _ in range(3)]
    return steps + [plain(element) for element in iterator]


@use("next after the end", FAMILY)
def _(build):
    iterator = iter(build())
    count = sum(1 for _ in iterator)
    return [count, *(next(iterator, "end") for _ in range(3))]


@use("abandoned iterator", FAMILY, part=True)
def _(build):
    dataset = build()
    first = plain(next(iter(dataset)))
    gc.collect()
    kept = iter(dataset)
    next(kept)
    return [first, observe(dataset)]


@use("two iterators at once", FAMILY)
def _(build):
    dataset = build()
    return [plain(pair) for pair in itertools.zip_longest(iter(dataset), iter(dataset))]


@use("builder dropped", FAMILY)
def _(build):
    iterator = iter(build().map(lambda *e: e).prefetch(1))
    gc.collect()
    return [plain(element) for element in iterator]


@use("elements kept", FAMILY, part=True)
def _(build):
    dataset = build()
    kept = [element for _ in range(3) for element in dataset]
    gc.collect()
    return [plain(element) for element in kept]


@use("shuffled: loop", "shuffled", part=True, shuffled=True)
def _(build):
    dataset = build()
    epochs = [[plain(element) for element in dataset] for _ in range(2)]
    again = build()
    return {
        "element_spec": dataset.element_spec,
        "cardinality": int(dataset.cardinality()),
        "sizes": [[len(element[1][1][1]) for element in epoch] for epoch in epochs],
        "rows": [numbers(epoch) for epoch in epochs],
        "epochs differ": repr(epochs[0]) != repr(epochs[1]),
        "the same seed, the same order": [repr(plain(element)) for element in again]
        == [repr(element) for element in epochs[0]],
    }


def numbers(elements) -> list[int]:
    """The numbers of the rows in batches of (x, y), sorted; -1 where x and y are no pair."""
    numbers = []
    for _, (x, y) in elements:
        numbers += [
            int(row[0]) if int(row[0]) % 3 == label else -1
            for row, label in zip(x[1], y[1], strict=True)
        ]
    return sorted(numbers)
