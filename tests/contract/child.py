"""A process that runs cells: `python -m contract.child PLACE`, one cell a line of standard input.

What it finds goes to a copy of standard output, one JSON a line; all that TensorFlow, Keras and
workers write goes to standard error.
"""

import dataclasses
import gc
import json
import os
import sys


def main() -> None:
    """Runs the cells that standard input names, until its end."""
    place = sys.argv[1]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    _prepare(place)
    from contract.cells import fill
    from contract.use import CLUSTER
    from contract.ways import WAYS

    gc.collect()
    gc.freeze()  # the modules: else each look for garbage takes longer than a cell
    for line in sys.stdin:
        way, use = json.loads(line)
        cell = fill(way, use)
        if WAYS[way].workers:
            gc.collect()  # what is left of it would keep its workers
        print(json.dumps(dataclasses.asdict(cell)), file=answers, flush=True)
    if place == CLUSTER:
        os._exit(0)  # the servers in this process never end by themselves


def _prepare(place: str) -> None:
    """Sets the process up; before anything uses TensorFlow."""
    from contract.use import BACKENDS, DEBUG, DEVICES, EAGER

    if place in BACKENDS:
        os.environ["KERAS_BACKEND"] = place
    from helpers.quiet import tf

    if place == DEVICES:
        tf.config.set_logical_device_configuration(
            tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
        )
    elif place == DEBUG:
        tf.data.experimental.enable_debug_mode()
    elif place == EAGER:
        tf.config.run_functions_eagerly(True)
    tf.get_logger().setLevel("ERROR")


if __name__ == "__main__":
    main()
