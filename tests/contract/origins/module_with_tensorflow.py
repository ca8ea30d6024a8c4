"""A module that imports TensorFlow for something else than its generator."""

import tensorflow as tf

LONGEST = tf.constant(11)


def rows(shard, num_shards):
    """Yields the rows of a shard."""
    yield from range(shard, 11, num_shards)
