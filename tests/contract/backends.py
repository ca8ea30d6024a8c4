"""Keras on its other backends, each in a process of its own."""

import functools
import importlib.util

from contract.seen import plain
from contract.use import BACKENDS, add, as_pair

FAMILY = "Keras backends"


def missing_module(place: str) -> str | None:
    """The module that a kind of process needs and that is not installed."""
    if place not in BACKENDS or place == "numpy":
        return None
    return None if importlib.util.find_spec(place) else place


@functools.cache
def _model():
    import keras

    keras.utils.set_random_seed(3)
    inputs = keras.Input((None,))
    mean = keras.layers.Lambda(
        lambda x: keras.ops.mean(x, axis=-1, keepdims=True) / 10, output_shape=(1,)
    )(inputs)
    model = keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(mean))
    model.compile("sgd", "sparse_categorical_crossentropy")
    return model, model.get_weights()


def _fresh():
    model, weights = _model()
    model.set_weights(weights)
    return model


def _predict(build):
    return plain(_fresh().predict(as_pair(build()).map(lambda x, y: x), verbose=0))


def _fit(build):
    dataset = as_pair(build())
    history = _fresh().fit(dataset, epochs=2, validation_data=dataset, verbose=0).history
    return {key: [float(value) for value in values] for key, values in history.items()}


for _backend in BACKENDS:
    add(f"predict, {_backend} backend", FAMILY, _predict, place=_backend, part=_backend == "numpy")
    if _backend != "numpy":  # which cannot train
        add(f"fit, {_backend} backend", FAMILY, _fit, place=_backend)
