"""Keras on a data set: fit, evaluate, predict and their arguments."""

import functools

from contract.seen import plain
from contract.use import KERAS, add, as_pair, use

from helpers.quiet import tf

FAMILY = "Keras"


class Trainee:
    """A small model that takes rows of any length, and starts from the same weights each time.

    One model a process: compiling it takes far longer than training it.
    """

    def __init__(self, **compiling):
        keras = tf.keras
        keras.utils.set_random_seed(3)
        inputs = keras.Input((None,))
        mean = keras.layers.Lambda(
            lambda x: keras.ops.mean(x, axis=-1, keepdims=True) / 10, output_shape=(1,)
        )(inputs)
        outputs = keras.layers.Dense(3, activation="softmax")(mean)
        self.model = keras.Model(inputs, outputs)
        self.model.compile(
            keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", **compiling
        )
        self._weights = self.model.get_weights()
        self._kept = [variable.numpy() for variable in self.model.optimizer.variables]

    def fresh(self):
        """Gives the model, as it was at first."""
        self.model.set_weights(self._weights)
        for variable, value in zip(self.model.optimizer.variables, self._kept, strict=True):
            variable.assign(value)
        self.model.stop_training = False
        return self.model


@functools.cache
def trainee(**compiling) -> Trainee:
    """The process's model of these arguments of `compile`."""
    return Trainee(**compiling)


def fitted(model, dataset, **arguments) -> dict:
    """Fits a model; its losses, how many steps each epoch took, and the weights it ended with."""
    steps = []
    count = tf.keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, logs: steps.append(0),
        on_train_batch_end=lambda batch, logs: steps.__setitem__(-1, steps[-1] + 1),
    )
    history = model.fit(dataset, verbose=0, callbacks=[count], **arguments).history
    return {
        "steps": steps,
        **{key: [float(value) for value in values] for key, values in history.items()},
        "weights": [float(value) for w in model.get_weights() for value in w.ravel()],
    }


def _fit(compiling=None, change=lambda ds: ds, validated=False, **arguments):
    def run(build):
        model = trainee(**(compiling or {})).fresh()
        extra = {"validation_data": as_pair(build())} if validated else {}
        return fitted(model, change(as_pair(build())), **extra, **arguments)

    return run


def _weighted(x, y):
    return x, y, tf.cast(y, tf.float32) + 0.5


def _add(name, run, **traits):
    add(name, FAMILY, run, place=KERAS, **traits)


_add("fit", _fit(epochs=2), part=True)
_add("fit, validation", _fit(epochs=2, validated=True), part=True)
_add("fit, one validation step", _fit(epochs=3, validated=True, validation_steps=1))
_add("fit, steps_per_epoch", _fit(epochs=2, steps_per_epoch=3), part=True)
_add(
    "fit, steps_per_epoch of a repeated one",
    _fit(epochs=3, steps_per_epoch=4, change=lambda ds: ds.repeat()),
)
_add("fit, more steps than batches", _fit(epochs=1, steps_per_epoch=20))
_add("fit, class weights", _fit(epochs=1, class_weight={0: 1.0, 1: 2.0, 2: 0.5}))
_add("fit, sample weights", _fit(epochs=1, change=lambda ds: ds.map(_weighted)))
_add("fit, eagerly", _fit({"run_eagerly": True}, epochs=1))
_add("fit, compiled", _fit({"jit_compile": True}, epochs=1, change=lambda ds: ds.take(3)))
_add("fit, two steps at once", _fit({"steps_per_execution": 2}, epochs=2))
_add("fit, prefetched", _fit(epochs=2, change=lambda ds: ds.prefetch(tf.data.AUTOTUNE)))


@use("evaluate", FAMILY, place=KERAS, part=True)
def _(build):
    dataset = as_pair(build())
    model = trainee().fresh()
    return [float(model.evaluate(dataset, verbose=0)) for _ in range(2)]


@use("evaluate, steps", FAMILY, place=KERAS)
def _(build):
    return float(trainee().fresh().evaluate(as_pair(build()), steps=3, verbose=0))


@use("predict", FAMILY, place=KERAS, part=True)
def _(build):
    return plain(trainee().fresh().predict(as_pair(build()).map(lambda x, y: x), verbose=0))


@use("predict, pairs", FAMILY, place=KERAS)
def _(build):
    return plain(trainee().fresh().predict(as_pair(build()), steps=4, verbose=0))


@use("train_on_batch", FAMILY, place=KERAS)
def _(build):
    model = trainee().fresh()
    return [float(model.train_on_batch(x, y)) for x, y in as_pair(build())]


@use("test_on_batch, predict_on_batch", FAMILY, place=KERAS)
def _(build):
    model = trainee().fresh()
    return [
        (float(model.test_on_batch(x, y)), plain(model.predict_on_batch(x)))
        for x, y in as_pair(build())
    ]


@use("gradient tape", FAMILY, place=KERAS)
def _(build):
    weight = tf.Variable(0.5)

    @tf.function(reduce_retracing=True)
    def step(x):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(weight * x - 1.0))
        weight.assign_sub(1e-4 * tape.gradient(loss, weight))
        return loss

    return [float(step(tf.cast(x, tf.float32))) for x, y in as_pair(build())]


@use("Normalization.adapt", FAMILY, place=KERAS)
def _(build):
    layer = tf.keras.layers.Normalization(axis=None)
    layer.adapt(as_pair(build()).map(lambda x, y: x))
    return [plain(tf.keras.ops.convert_to_numpy(part)) for part in (layer.mean, layer.variance)]
