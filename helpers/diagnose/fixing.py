"""Fixes applied: the changed pipeline of a piece of advice."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from unittest import mock

from helpers import bridge
from helpers.bridge.structure import leaves_of, map_structure
from helpers.diagnose.advice import Advice
from helpers.diagnose.ladder import batched, naive
from helpers.diagnose.subject import Subject
from helpers.quiet import tf


def original(subject: Subject, signature: Any, batch_size: int) -> Callable[[], tf.data.Dataset]:
    """Returns what builds today's pipeline."""
    return subject.pipeline or (lambda: naive(subject, signature, batch_size))


def changed(
    advice: Advice, subject: Subject, signature: Any, tight: Any, batch_size: int
) -> Callable[[], tf.data.Dataset]:
    """Returns what builds the pipeline with a fix.

    Args:
        advice: One that is `automatic`.
        subject: What is examined.
        signature: Of its rows.
        tight: The signature that the rows have.
        batch_size: Rows in a batch.
    """
    if advice.name == "prefetch":
        return lambda: subject.pipeline().prefetch(tf.data.AUTOTUNE)
    if advice.name == "signature":
        return lambda: naive(subject, tight, batch_size)
    if advice.name == "threads":
        return lambda: _threads(subject, signature, batch_size, advice.workers)
    if subject.rebuild is not None:
        return lambda: _rebuilt(subject, batch_size)
    workers = {"worker": 1, "workers": advice.workers}.get(advice.name, 0)
    if subject.kind == "sequence":
        varying: dict[str, Any] = {}
        if subject.padded:
            varying = {"output_signature": tight, "varying": "pad"}
        made = bridge.from_source(
            subject.source, batch_size=batch_size, num_workers=workers, **varying
        )
        return lambda: made
    generator = subject.code if subject.shards and workers > 1 else subject.rows
    made = bridge.from_generator(
        generator, output_signature=tight, batch_size=batch_size, num_workers=workers,
        varying="pad" if subject.padded else None,
        args=subject.args if generator is subject.code and subject.args else None,
    )  # fmt: skip
    return lambda: made  # built once: its workers live on from trial to trial


def _rebuilt(subject: Subject, batch_size: int) -> tf.data.Dataset:
    """Builds the user's pipeline again with the bridge where it calls from_generator."""
    plain = tf.data.Dataset.from_generator

    def bridged(
        generator: Any,
        output_types: Any = None,
        output_shapes: Any = None,
        args: Any = None,
        output_signature: Any = None,
        name: Any = None,
    ) -> Any:
        if output_signature is None:
            rows = plain(generator, output_types, output_shapes, args)
            output_signature = rows.element_spec
        with mock.patch.object(tf.data.Dataset, "from_generator", plain):  # the bridge calls it too
            made = bridge.from_generator(
                generator, output_signature=output_signature, args=args, batch_size=batch_size
            )
        return made.unbatch()

    with mock.patch.object(tf.data.Dataset, "from_generator", bridged):
        return subject.rebuild()


def _threads(subject: Subject, signature: Any, batch_size: int, count: int) -> tf.data.Dataset:
    if subject.shards:

        def shard(place: Any) -> tf.data.Dataset:
            return tf.data.Dataset.from_generator(
                functools.partial(subject.code, *subject.args), args=(place, count),
                output_signature=signature,
            )  # fmt: skip

        made = tf.data.Dataset.range(count).interleave(
            shard, cycle_length=count, num_parallel_calls=count, deterministic=False
        )
        return _pooled(batched(made, subject, batch_size), count)
    specs = [spec for _, spec in leaves_of(signature)]

    def load(index: Any) -> Any:
        def read(place: Any) -> list[Any]:
            parts = [part for _, part in leaves_of(subject.source[int(place)])]
            return [spec.dtype.as_numpy_dtype(part) if spec.shape.rank == 0 else part
                    for spec, part in zip(specs, parts, strict=True)]  # fmt: skip

        flat = tf.numpy_function(read, [index], [spec.dtype for spec in specs])
        for part, spec in zip(flat, specs, strict=True):
            part.set_shape(spec.shape)
        rest = iter(flat)
        return map_structure(lambda spec: next(rest), signature)

    indices = tf.data.Dataset.range(len(subject.source))
    made = indices.map(load, num_parallel_calls=count)
    return _pooled(batched(made, subject, batch_size), count)


def _pooled(dataset: tf.data.Dataset, count: int) -> tf.data.Dataset:
    """Gives a data set as many threads as calls: by default it has one a core."""
    options = tf.data.Options()
    options.threading.private_threadpool_size = count + 2
    return dataset.with_options(options)
