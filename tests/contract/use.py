"""A use: one thing that people do with a data set."""

import dataclasses
from collections.abc import Callable
from typing import Any

from contract.ways import Build

from helpers.quiet import tf

# Where a use runs: settings of a whole process that a child starts with.
HERE, KERAS, DEVICES, CLUSTER, PAIR, DEBUG, EAGER = (
    "here",
    "keras",
    "devices",
    "cluster",
    "pair",
    "debug",
    "eager",
)
BACKENDS = ("numpy", "jax", "torch")


@dataclasses.dataclass(frozen=True)
class Use:
    """One thing that people do with a data set.

    Attributes:
      name: What it is called in the table.
      family: The part of the table that it belongs to.
      run: Takes a function that builds the data set, gives a record that `seen.difference` can
        compare.
      place: The kind of process that it needs.
      part: Whether it belongs to the representative part.
      shuffled: Whether it is for the ways that shuffle, and for no other.
    """

    name: str
    family: str
    run: Callable[[Build], Any]
    place: str = HERE
    part: bool = False
    shuffled: bool = False


USES: dict[str, Use] = {}


def add(name: str, family: str, run: Callable[[Build], Any], **traits) -> None:
    """Adds a use to the table."""
    if name in USES:
        raise ValueError(f"two uses are called {name}")
    USES[name] = Use(name, family, run, **traits)


def use(name: str, family: str, **traits) -> Callable:
    """Adds the decorated function to the table."""

    def decorate(run):
        add(name, family, run, **traits)
        return run

    return decorate


def total(*element) -> tf.Tensor:
    """Adds up an element of any structure: a scalar that depends on every number in it."""
    parts = tf.nest.flatten(element, expand_composites=True)
    return tf.add_n([tf.reduce_sum(tf.cast(part, tf.float32)) for part in parts])


def as_pair(dataset: tf.data.Dataset) -> tf.data.Dataset:
    """Gives (features, labels), whatever the elements' structure."""
    if not isinstance(dataset.element_spec, dict):
        return dataset
    return dataset.map(lambda row: (tf.stack([row["a"], row["b"]], axis=-1), row["y"]))
