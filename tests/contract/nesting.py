"""Data sets within data sets, beside each other, copied, and in threads."""

import copy
import threading
from collections.abc import Callable

from contract.rows import BATCH
from contract.seen import in_any_order, observe, plain
from contract.use import add, total, use

from helpers import bridge
from helpers.quiet import tf

FAMILY = "together"
D = tf.data.Dataset


def elements(dataset: tf.data.Dataset) -> list:
    """The elements of one epoch, in plain form."""
    return [plain(element) for element in dataset]


add("copy.copy", FAMILY, lambda build: observe(copy.copy(build())))
add("two at once", FAMILY, lambda build: observe(D.zip(build(), build())), part=True)
add("ten at once", FAMILY, lambda build: observe(D.zip(*(build() for _ in range(10)))))


@use("built in flat_map", FAMILY, part=True)
def _(build):
    return observe(D.range(2).flat_map(lambda k: build()))


@use("built in interleave", FAMILY, part=True)
def _(build):
    return observe(D.range(3).interleave(lambda k: build(), cycle_length=2))


@use("built in interleave, in parallel", FAMILY)
def _(build):
    return observe(
        D.range(3).interleave(
            lambda k: build(), cycle_length=2, num_parallel_calls=2, deterministic=True
        )
    )


@use("reduced in map", FAMILY)
def _(build):
    dataset = build()
    return observe(D.range(2).map(lambda k: dataset.reduce(0.0, lambda s, *e: 2 * s + total(*e))))


@use("built and reduced in map", FAMILY)
def _(build):
    return observe(D.range(2).map(lambda k: build().reduce(0.0, lambda s, *e: 2 * s + total(*e))))


@use("within a generator", FAMILY, part=True)
def _(build):
    dataset = build()

    def again():
        yield from dataset.unbatch()

    return observe(
        D.from_generator(again, output_signature=dataset.unbatch().element_spec).batch(BATCH)
    )


@use("within a generator of ours", FAMILY)
def _(build):
    dataset = build().map(total)  # an element of any structure, as a number

    def again():
        yield from dataset

    spec = tf.TensorSpec((), tf.float32)
    if build.stock:
        return observe(D.from_generator(again, output_signature=spec).batch(BATCH))
    return observe(bridge.from_generator(again, output_signature=spec, batch_size=BATCH))


def in_threads(count: int, run: Callable[[], object]) -> list:
    """Calls a function in several threads at once; what they return, or their first error."""
    results, errors = [], []
    together = threading.Barrier(count)

    def call():
        together.wait()
        try:
            results.append(run())
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


@use("one data set in four threads", FAMILY, part=True)
def _(build):
    dataset = build()
    return in_threads(4, lambda: elements(dataset))


@use("built in four threads", FAMILY)
def _(build):
    return in_threads(4, lambda: elements(build()))


@use("one iterator in four threads", FAMILY)
def _(build):
    iterator = iter(build())
    parts = in_threads(4, lambda: [plain(element) for element in iterator])
    return in_any_order(element for part in parts for element in part)
