"""Distribution strategies: one and two devices, a cluster in this process, two processes."""

import contextlib
import functools
import gc

from contract.fitting import Trainee, fitted
from contract.loops import numbers
from contract.ports import free_port
from contract.seen import observe, plain
from contract.use import CLUSTER, DEVICES, add, as_pair, total, use

from helpers.quiet import tf

FAMILY = "strategies"

# Names and how to make them; on logical CPUs, as if they were GPUs.
STRATEGIES = {
    "Mirrored 1": lambda: tf.distribute.MirroredStrategy(["cpu:0"]),
    "Mirrored 2": lambda: tf.distribute.MirroredStrategy(["cpu:0", "cpu:1"]),
    "OneDevice": lambda: tf.distribute.OneDeviceStrategy("cpu:0"),
    "OneDevice, second": lambda: tf.distribute.OneDeviceStrategy("cpu:1"),
    "MultiWorkerMirrored 1": tf.distribute.MultiWorkerMirroredStrategy,
}


@functools.cache
def strategy_of(name: str) -> tf.distribute.Strategy:
    """The process's strategy of a name."""
    return STRATEGIES[name]()


@functools.cache
def _trainee(name: str) -> Trainee:
    with strategy_of(name).scope():
        return Trainee()


def _distributed(name, **options):
    def run(build):
        dataset = build(**options)
        distributed = strategy_of(name).experimental_distribute_dataset(dataset)
        return [[plain(element) for element in distributed] for _ in range(2)]

    return run


def _inline(name):
    def run(build):
        distributed = strategy_of(name).experimental_distribute_dataset(build())
        gc.collect()
        return [[plain(element) for element in distributed] for _ in range(2)]

    return run


def _from_function(name):
    def run(build):
        distributed = strategy_of(name).distribute_datasets_from_function(lambda context: build())
        gc.collect()
        return [[plain(element) for element in distributed] for _ in range(2)]

    return run


def _stepped(name):
    def run(build):
        strategy = strategy_of(name)
        distributed = strategy.experimental_distribute_dataset(build())

        @tf.function
        def epoch():
            state = tf.constant(0.0)
            for element in distributed:
                parts = strategy.run(total, args=(element,))
                state = 1.5 * state + strategy.reduce("SUM", parts, axis=None)
            return state

        return [float(epoch()) for _ in range(2)]

    return run


def _fit(name, **options):
    def run(build):
        with strategy_of(name).scope():
            model = _trainee(name).fresh()
        return fitted(model, as_pair(build(**options)), epochs=2)

    return run


def _predict(name):
    def run(build):
        dataset = as_pair(build()).map(lambda x, y: x)
        return plain(_trainee(name).fresh().predict(dataset, verbose=0))

    return run


for _name in STRATEGIES:
    _first = _name in ("Mirrored 1", "Mirrored 2")
    for _what, _run, _part in (
        ("distributed", _distributed(_name), _first),
        ("distributed, drop_remainder", _distributed(_name, drop_remainder=True), False),
        ("distributed inline", _inline(_name), _name == "OneDevice"),
        ("from function", _from_function(_name), False),
        ("loop in tf.function", _stepped(_name), False),
        ("fit", _fit(_name), _name == "Mirrored 1"),
        ("fit, drop_remainder", _fit(_name, drop_remainder=True), False),
        ("predict", _predict(_name), False),
    ):
        add(f"{_name}: {_what}", FAMILY, _run, place=DEVICES, part=_part)


def _whole(build):
    distributed = strategy_of("Mirrored 1").experimental_distribute_dataset(build())
    batches = [plain(element) for element in distributed]
    return {"rows": numbers(batches), "sizes": [len(batch[1][1][1]) for batch in batches]}


add("shuffled: Mirrored 1", "shuffled", _whole, place=DEVICES, shuffled=True, part=True)


@use("auto-shard policy OFF", FAMILY, place=DEVICES)
def _(build):
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    return _distributed("Mirrored 1")(lambda: build().with_options(options))


@use("auto-shard policy DATA", FAMILY, place=DEVICES)
def _(build):
    options = tf.data.Options()
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.DATA
    return _distributed("Mirrored 2")(lambda: build().with_options(options))


@use("MultiDeviceIterator", FAMILY, place=DEVICES, part=True)
def _(build):
    from tensorflow.python.data.ops.multi_device_iterator_ops import OwnedMultiDeviceIterator

    dataset = build()
    pairs = _pairs(OwnedMultiDeviceIterator(dataset, devices=["/cpu:0", "/cpu:1"]))
    del dataset  # kept until here
    return pairs


@use("MultiDeviceIterator, data set dropped", FAMILY, place=DEVICES)
def _(build):
    from tensorflow.python.data.ops.multi_device_iterator_ops import OwnedMultiDeviceIterator

    return _pairs(OwnedMultiDeviceIterator(build(), devices=["/cpu:0", "/cpu:1"]))


def _pairs(iterator):
    pairs = []
    with contextlib.suppress(tf.errors.OutOfRangeError):
        while True:
            pairs.append(plain(iterator.get_next()))
    return pairs


@use("prefetch_to_device, second", FAMILY, place=DEVICES)
def _(build):
    return observe(build().apply(tf.data.experimental.prefetch_to_device("/cpu:1")))


@functools.cache
def _coordinator(workers: int):
    """A cluster in this process: a parameter server, and so many workers."""
    cluster = {
        "worker": [f"localhost:{free_port()}" for _ in range(workers)],
        "ps": [f"localhost:{free_port()}"],
    }
    spec = tf.train.ClusterSpec(cluster)
    for job, addresses in cluster.items():
        for index in range(len(addresses)):
            server = tf.distribute.Server(spec, job_name=job, task_index=index, protocol="grpc")
            _servers.append(server)
    resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(spec, rpc_layer="grpc")
    strategy = tf.distribute.ParameterServerStrategy(resolver)
    return tf.distribute.coordinator.ClusterCoordinator(strategy)


_servers: list = []
_kept: list = []


def _scheduled(coordinator, dataset, count: int) -> list:
    """Takes so many elements, each on the worker that is free."""
    iterator = iter(coordinator.create_per_worker_dataset(dataset))

    @tf.function
    def step(iterator):  # a remote value gives ragged tensors back in another form
        return tf.nest.flatten(next(iterator), expand_composites=True)

    values = [coordinator.schedule(step, args=(iterator,)) for _ in range(count)]
    coordinator.join()
    # Deleting a function holds the GIL and waits for the servers, whose generators want it: in one
    # process that is a deadlock, of tf.data's own data sets too.
    _kept.append((iterator, step, dataset))
    return [plain(value.fetch()) for value in values]


@use("ParameterServer 1: from function", FAMILY, place=CLUSTER, part=True)
def _(build):
    return _scheduled(_coordinator(1), lambda: build(), 7)


@use("ParameterServer 1: data set", FAMILY, place=CLUSTER, part=True)
def _(build):
    return _scheduled(_coordinator(1), build(), 7)


@use("ParameterServer 1: past the end", FAMILY, place=CLUSTER)
def _(build):
    return _scheduled(_coordinator(1), lambda: build(), 9)


@use("ParameterServer 1: two epochs", FAMILY, place=CLUSTER)
def _(build):
    return _scheduled(_coordinator(1), lambda: build().repeat(2), 14)
