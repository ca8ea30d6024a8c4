"""Data sets that are kept: checkpoints, files, caches, and tf.data's service."""

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

from contract.loops import numbers
from contract.ports import free_port
from contract.seen import observe, plain
from contract.use import add, use

from helpers.quiet import tf

FAMILY = "kept"
service = tf.data.experimental.service


def _resumed(change: Callable = lambda ds: ds, read: int = 2, anew: bool = True) -> Callable:
    """Saves an iterator after some elements and restores it; the elements that each then gives."""

    def run(build):
        dataset = change(build())
        iterator = iter(dataset)
        before = [plain(next(iterator)) for _ in range(read)]
        with tempfile.TemporaryDirectory() as folder:
            path = tf.train.Checkpoint(it=iterator).write(str(Path(folder) / "checkpoint"))
            after = [plain(element) for element in iterator]
            other = iter(change(build()) if anew else dataset)
            tf.train.Checkpoint(it=other).read(path)
            return {
                "before": before,
                "after": after,
                "restored": [plain(element) for element in other],
            }

    return run


def _resumed_at_the_same_row(change: Callable, read: int) -> Callable:
    """The same for an order that is not tf.data's: what has to hold in any order."""

    def run(build):
        record = _resumed(change, read)(build)
        return {
            "rows": numbers(record["before"] + record["after"]),
            "the same rows after": repr(record["restored"]) == repr(record["after"]),
            "batches after": len(record["restored"]),
        }

    return run


add("checkpoint", FAMILY, _resumed(), part=True)
add("checkpoint, same data set", FAMILY, _resumed(anew=False))
add("checkpoint before the first", FAMILY, _resumed(read=0))
add("checkpoint at the end", FAMILY, _resumed(read=7))
add("checkpoint in the second epoch", FAMILY, _resumed(lambda ds: ds.repeat(2), read=9))
add(
    "checkpoint of a pipeline",
    FAMILY,
    # One is read: after more, shuffle may hold the whole rest, which any pipeline can save.
    _resumed(lambda ds: ds.map(lambda *e: e).shuffle(3, seed=3).prefetch(2), read=1),
)
for _name, _change, _read in (
    ("checkpoint", lambda ds: ds, 2),
    ("checkpoint in the second epoch", lambda ds: ds.repeat(2), 9),
    ("checkpoint of a pipeline", lambda ds: ds.map(lambda *e: e).prefetch(2), 3),
):
    add(
        f"shuffled: {_name}",
        "shuffled",
        _resumed_at_the_same_row(_change, _read),
        part=_name == "checkpoint",
        shuffled=True,
    )


@use("checkpoint manager", FAMILY)
def _(build):
    with tempfile.TemporaryDirectory() as folder:
        dataset = build()
        iterator = iter(dataset)
        step = tf.Variable(0)
        kept = tf.train.CheckpointManager(
            tf.train.Checkpoint(it=iterator, step=step), folder, max_to_keep=1
        )
        next(iterator)
        kept.save()
        after = plain(next(iterator))
        kept.restore_or_initialize()
        return [after, plain(next(iterator))]


@use("cache in a file", FAMILY, part=True)
def _(build):
    with tempfile.TemporaryDirectory() as folder:
        return observe(build().cache(str(Path(folder) / "cache")), 3)


@use("cache, then shuffle", FAMILY)
def _(build):
    return observe(build().cache().shuffle(5, seed=3).repeat(2))


@use("snapshot, read again", FAMILY)
def _(build):
    with tempfile.TemporaryDirectory() as folder:
        first = observe(build().snapshot(folder), 1)
        return [first, observe(build().snapshot(folder), 1)]


@use("save, compressed", FAMILY, part=True)
def _(build):
    with tempfile.TemporaryDirectory() as folder:
        build().save(folder, compression="GZIP")
        return observe(tf.data.Dataset.load(folder, compression="GZIP"))


@functools.cache
def _served() -> str:
    """The address of tf.data's service, with one worker, in this process."""
    port = free_port()  # known beforehand, as shards by data want it
    dispatcher = service.DispatchServer(
        service.DispatcherConfig(port=0, worker_addresses=[f"localhost:{port}"])
    )
    worker = service.WorkerConfig(
        dispatcher.target.split("://")[1], port=port, heartbeat_interval_ms=20
    )
    _servers.extend([dispatcher, service.WorkerServer(worker)])
    return dispatcher.target


_servers: list = []


def _distributed(mode, epochs: int = 1) -> Callable:
    def run(build):
        return observe(build().apply(service.distribute(mode, _served())), epochs)

    return run


add("tf.data service", FAMILY, _distributed("parallel_epochs", 2), part=True)
add("tf.data service, distributed", FAMILY, _distributed("distributed_epoch"))
add("tf.data service, sharded", FAMILY, _distributed(service.ShardingPolicy.DATA))


@use("tf.data service, registered", FAMILY)
def _(build):
    dataset = build()
    number = service.register_dataset(_served(), dataset)
    del dataset
    return observe(
        service.from_dataset_id(
            "parallel_epochs", _served(), number, element_spec=build().element_spec
        ),
        1,
    )
