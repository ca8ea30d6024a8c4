"""A model at training: what its steps wait for, seen from within the loop and against a ceiling."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from helpers.measure import Arm, Measurement, Ratio, Share, percent, ratio_of_times
from helpers.measure.timing import Through
from helpers.quiet import tf

CEILING = "one cached batch"
"""The arm that waits for nothing."""


@contextmanager
def seen(model: tf.keras.Model, through: Through) -> Iterator[None]:
    """Lets `fit` take its batches through a function, for as long as the context lasts.

    Keras asks for a batch within its train function. Here the batch is taken first and then given
    to that same function, which takes other iterators than TensorFlow's, too.

    Args:
        model: Compiled, with one step an execution.
        through: Called with each iterator that `fit` opens.

    Raises:
        ValueError: If the model takes several steps an execution: nobody sees between them.
    """
    if model.steps_per_execution != 1:
        raise ValueError(
            f"steps_per_execution={model.steps_per_execution} hides the batches from Python: "
            "compile the model with steps_per_execution=1."
        )
    model.make_train_function()
    train = model.train_function
    opened: list[tuple[Any, Iterator[Any]]] = []

    def take_and_train(iterator: Iterator[Any]) -> Any:
        if not opened or opened[0][0] is not iterator:
            opened[:] = [(iterator, through(iterator))]
        logs = train([next(opened[0][1])])
        # On a GPU this waits for the step, so that what comes next is waiting for data alone.
        return {name: value.numpy() for name, value in logs.items()}

    model.train_function = take_and_train
    try:
        yield
    finally:
        model.train_function = train


def fit_arm(name: str, model: tf.keras.Model, dataset: tf.data.Dataset, steps: int) -> Arm:
    """Makes an arm whose trials are epochs of `model.fit`.

    Args:
        name: What figures call it.
        model: Compiled; it goes on learning from trial to trial.
        dataset: Batches, `steps` or more; built once, so that its workers live on.
        steps: Steps of an epoch.
    """

    def drain(dataset: tf.data.Dataset, through: Through) -> None:
        with seen(model, through):
            model.fit(dataset, steps_per_epoch=steps, shuffle=False, verbose=0)

    return Arm(name, lambda: dataset, examples=rows_in, drain=drain)


def loop_arm(name: str, model: tf.keras.Model, dataset: tf.data.Dataset, steps: int) -> Arm:
    """Makes an arm whose trials are epochs of a loop of one's own around the same model.

    Args:
        name: What figures call it.
        model: Compiled.
        dataset: Batches of (inputs, labels), `steps` or more.
        steps: Steps of an epoch.
    """
    step = own_step(model)
    batches = model.distribute_strategy.experimental_distribute_dataset(dataset.take(steps))
    return Arm(name, lambda: batches, examples=rows_in, consume=lambda batch: float(step(*batch)))


def own_step(model: tf.keras.Model) -> Callable[[Any, Any], tf.Tensor]:
    """Returns a train step as people write it without `fit`; it gives the loss.

    Under a distribution strategy each replica takes it with its share of the batch.

    Args:
        model: Compiled and built.
    """
    strategy = model.distribute_strategy

    def on_replica(inputs: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = model.compute_loss(inputs, labels, model(inputs, training=True), training=True)
            shared = loss / strategy.num_replicas_in_sync
        gradients = tape.gradient(shared, model.trainable_weights)
        model.optimizer.apply_gradients(zip(gradients, model.trainable_weights, strict=True))
        return loss

    @tf.function
    def step(inputs: Any, labels: Any) -> tf.Tensor:
        losses = strategy.run(on_replica, args=(inputs, labels))
        return strategy.reduce("MEAN", losses, axis=None)

    return step


def rows_in(batch: Any) -> int:
    """Counts the rows of a batch, of all its replicas where it is distributed."""
    first = tf.nest.flatten(batch)[0]
    parts = first.values if isinstance(first, tf.distribute.DistributedValues) else (first,)
    return sum(len(part) for part in parts)


def one_batch(dataset: tf.data.Dataset, steps: int) -> tf.data.Dataset:
    """Returns a data set that gives the first batch of another one again and again, from memory."""
    return tf.data.Dataset.from_tensors(next(iter(dataset))).repeat(steps)


def epoch_loss(
    model: tf.keras.Model, weights: list[Any], dataset: tf.data.Dataset, steps: int
) -> float:
    """Trains an epoch from given weights, and returns its loss.

    Args:
        model: Compiled.
        weights: As `get_weights` gives them.
        dataset: Batches, `steps` or more.
        steps: Steps of the epoch.
    """
    model.set_weights(weights)
    told = model.fit(dataset, steps_per_epoch=steps, shuffle=False, verbose=0)
    return float(told.history["loss"][0])


@dataclass(frozen=True)
class Stall:
    """What a step loses to its data, measured in two ways.

    Attributes:
        waiting: The share of it between asking for a batch and having it, seen from the loop.
        behind: The share by which it is longer than the same model's step on one cached batch.
        slowed: The share by which the rest of it is longer than at that ceiling, since data that is
            made meanwhile wants the same cores and the same memory. It is in `behind` and not in
            `waiting`.
    """

    waiting: Share
    behind: Share
    slowed: float

    @property
    def words(self) -> dict[str, str]:
        """All three as the row of a table."""
        return {
            "waits": str(self.waiting),
            "behind the ceiling": str(self.behind),
            "slowed": percent(self.slowed),
        }


def stall(measured: Measurement, arm: str, ceiling: str = CEILING) -> Stall:
    """Reads both measures off a comparison.

    Args:
        measured: Arms that train one model.
        arm: The pipeline in question.
        ceiling: The arm that trains on one cached batch.
    """
    trials, free = measured.trials_of(arm), measured.trials_of(ceiling)
    whole = [trial.steady_ns for trial in trials]
    rest = [trial.steady_ns - trial.wait_ns for trial in trials]
    slowed = statistics.median(
        (_busy_ns(trial) - _busy_ns(other)) / trial.ns_per_example
        for trial, other in zip(trials, free, strict=True)
    )
    waiting = ratio_of_times(whole, rest, measured.settings.seed)
    return Stall(_share(waiting), _share(measured.ratio(ceiling, arm)), slowed)


def _busy_ns(trial: Any) -> float:
    return trial.ns_per_example * (1 - trial.stall)


def _share(over: Ratio) -> Share:
    """The share of the longer time that is more than the shorter one."""
    return Share(*(1 - 1 / ratio for ratio in (over.value, over.low, over.high)))
