# Processes forked from one that has the bridge: before it used it, and while it reads with workers.
import os
import sys

from telling import COUNT, told

from helpers import bridge
from helpers.quiet import tf


def rows(shard, num_shards):
    yield from range(shard, COUNT, num_shards)


def forked(function):
    child = os.fork()
    if child == 0:
        code = 1
        try:
            function()
            code = 0
        finally:
            sys.stdout.flush()
            os._exit(code)
    os.waitpid(child, 0)


forked(lambda: told("forked child", rows))

dataset = bridge.from_generator(
    rows, output_signature=tf.TensorSpec((), tf.int64), batch_size=2, num_workers=2
)
iterator = iter(dataset)
found = [next(iterator)]
forked(lambda: None)  # a child that ends as Python does aborts in TensorFlow, without workers too
found += iterator
numbers = sorted(int(value) for batch in found for value in batch)
print(f"origin beside a forked child: {'every row' if numbers == [*range(COUNT)] else numbers}")
told("after a forked child", rows)
