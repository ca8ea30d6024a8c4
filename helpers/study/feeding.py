"""Four ways from a generator to a model, and the small models that they feed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from helpers import bridge
from helpers.measure import this_machine
from helpers.quiet import tf

WAYS = ("naive", "prefetched", "chunked", "workers")
"""From what people write to what this workbook ends at."""


@dataclass(frozen=True)
class Feed:
    """Rows of (input, label), and how they are batched.

    Attributes:
        rows: The generator as people write it: called without arguments, it yields one epoch.
        signature: Of a row.
        batch_size: Rows in a batch.
        source: The same rows by their numbers, for several workers; without it there is one.
    """

    rows: Callable[[], Iterator[Any]]
    signature: Any
    batch_size: int
    source: Any = None

    def dataset(self, way: str) -> tf.data.Dataset:
        """Builds the data set of one of the `WAYS`: the same batches in the same order in all.

        Args:
            way: "naive": `from_generator` and `batch`; TensorFlow would add a prefetch of its own,
                which is off here, so that data and model take turns. "prefetched": with a
                prefetch. "chunked": by the bridge. "workers": by the bridge, in other processes.
        """
        if way in ("naive", "prefetched"):
            rows = tf.data.Dataset.from_generator(self.rows, output_signature=self.signature)
            dataset = rows.batch(self.batch_size)
        elif way == "chunked":
            dataset = self._bridged()
        elif self.source is None:
            dataset = self._bridged(num_workers=1)
        else:
            dataset = bridge.from_source(
                self.source, batch_size=self.batch_size, num_workers=workers()
            )
        dataset = in_turns(dataset) if way == "naive" else dataset.prefetch(tf.data.AUTOTUNE)
        return beside_the_model(dataset)

    def datasets(self) -> dict[str, tf.data.Dataset]:
        """Builds the data sets of all `WAYS`."""
        return {way: self.dataset(way) for way in WAYS}

    def _bridged(self, **how: Any) -> tf.data.Dataset:
        return bridge.from_generator(
            self.rows, output_signature=self.signature, batch_size=self.batch_size, **how
        )


def workers() -> int:
    """How many worker processes feed a model on this machine: one core is left to the model."""
    return max(1, this_machine().cores - 1)


def in_turns(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Forbids the prefetch that TensorFlow would add: a batch is made when it is asked for."""
    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False
    return dataset.with_options(options)


def model_on_one_core() -> None:
    """Lets the model use one core, as if the data had the others to itself.

    An accelerator leaves all of them to the data; on a few cores the two would measure each other.
    One thread within an operation is not enough: two gradients at once would take a second core.

    Raises:
        RuntimeError: If TensorFlow has begun to work: it takes this before.
    """
    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def beside_the_model(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Gives the functions of a data set a thread of their own.

    A row of `from_generator` is made in a thread of those that operations of the model wait for,
    where the data set has none itself; and `model_on_one_core` leaves one of them.
    """
    options = tf.data.Options()
    options.threading.private_threadpool_size = 1
    return dataset.with_options(options)


def picture_model(classes: int, width: int, side: int = 64) -> tf.keras.Model:
    """Returns a small classifier of pictures, (side, side, 3) float32.

    Args:
        classes: Labels are below this.
        width: Filters of its first layer; the step grows with its square.
        side: Pixels.
    """
    return _compiled(
        [
            tf.keras.layers.Input((side, side, 3)),
            tf.keras.layers.Conv2D(width, 3, 2, activation="relu"),
            tf.keras.layers.Conv2D(2 * width, 3, 2, activation="relu"),
            tf.keras.layers.GlobalAveragePooling2D(),
            tf.keras.layers.Dense(classes),
        ]
    )


def table_model(features: int, classes: int, width: int) -> tf.keras.Model:
    """Returns a small classifier of rows of numbers.

    Args:
        features: Numbers in a row.
        classes: Labels are below this.
        width: Units of both inner layers.
    """
    return _compiled(
        [
            tf.keras.layers.Input((features,)),
            tf.keras.layers.Dense(width, activation="relu"),
            tf.keras.layers.Dense(width, activation="relu"),
            tf.keras.layers.Dense(classes),
        ]
    )


def _compiled(layers: list[Any]) -> tf.keras.Model:
    model = tf.keras.Sequential(layers)
    loss = tf.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer=tf.keras.optimizers.SGD(0.05), loss=loss)
    return model
