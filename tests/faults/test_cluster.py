"""tf.data service of real processes: who serves, what arrives when one is killed, what is left."""

import contextlib
import gc
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from helpers.quiet import tf
from helpers.scale import Cluster, ClusterError, HostedError, host, hosted, loopback

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("no_keras")]

SHARDS, ROWS = 6, 40
HALF = ROWS // 2
ALL = sorted(1000 * shard + row for shard in range(SHARDS) for row in range(ROWS))


def pipeline_of(rows):
    """A pipeline of rows from a generator in Python, which takes the number of a shard."""

    def build():
        return tf.data.Dataset.range(SHARDS).interleave(
            lambda shard: tf.data.Dataset.from_generator(
                rows,
                args=(shard,),
                output_signature=(tf.TensorSpec((), tf.int64), tf.TensorSpec((), tf.int64)),
            ),
            cycle_length=1,
        )

    return build


def rows(shard):
    """A number, and the process that made it."""
    for row in range(ROWS):
        time.sleep(0.002)
        yield np.int64(1000 * int(shard) + row), np.int64(os.getpid())


def halting(gate):
    """Such rows, of which the second half waits until there is a file."""

    def rows(shard):
        for row in range(ROWS):
            while row == HALF and not gate.exists():
                time.sleep(0.002)
            yield np.int64(1000 * int(shard) + row), np.int64(os.getpid())

    return rows


def distributed(dataset, cluster, sharding="DYNAMIC", **options):
    service = tf.data.experimental.service
    policy = getattr(service.ShardingPolicy, sharding)
    return dataset.apply(service.distribute(policy, cluster.target, **options))


def numbers(dataset):
    return [int(row[0] if isinstance(row, tuple) else row) for row in dataset.as_numpy_iterator()]


@pytest.fixture(scope="module")
def pipeline():
    return host(pipeline_of(rows))


@pytest.fixture(scope="module")
def gate_file(tmp_path_factory):
    return tmp_path_factory.mktemp("cluster") / "gate"


@pytest.fixture
def gate(gate_file):
    """What lets the second half of a shard's rows through; closed again for each test."""
    gate_file.unlink(missing_ok=True)
    return gate_file


@pytest.fixture(scope="module")
def gated(gate_file):
    return host(pipeline_of(halting(gate_file)))


@pytest.fixture(scope="module")
def cluster(pipeline, gated):
    """Starting one takes longest; a test leaves it as good as it was."""
    with Cluster(2, hosted=[pipeline, gated]) as made:
        yield made


def test_python_in_the_workers_gives_each_row_once_and_not_from_here(cluster, pipeline):
    rows = list(distributed(pipeline.dataset, cluster).as_numpy_iterator())
    assert sorted(int(number) for number, _ in rows) == ALL
    makers = {int(maker) for _, maker in rows}
    assert makers <= {server.pid for server in cluster.health().servers[1:]}
    assert len(makers) == 2


def test_without_a_shard_each_worker_gives_all(cluster):
    native = tf.data.Dataset.range(20)
    assert sorted(numbers(distributed(native, cluster, "OFF"))) == sorted([*range(20)] * 2)
    assert sorted(numbers(distributed(native, cluster))) == [*range(20)]


def test_trainers_that_step_together_get_neighbouring_batches(cluster):
    """Coordinated reads: round by round, a batch for each consumer from one worker."""
    endless = tf.data.Dataset.range(20).repeat()
    taken = {}

    def take(consumer):
        read = distributed(
            endless, cluster, "OFF",
            job_name="together", consumer_index=consumer, num_consumers=2,
        )  # fmt: skip
        taken[consumer] = numbers(read.take(6))

    threads = [threading.Thread(target=take, args=(consumer,)) for consumer in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert len(taken[0]) == len(taken[1]) == 6
    assert [second - first for first, second in zip(taken[0], taken[1], strict=True)] == [1] * 6


def test_a_python_function_that_no_worker_hosts_is_tensorflows_missing_callback(cluster):
    with pytest.raises(tf.errors.OpError, match=r"callback|pyfunc"):
        numbers(distributed(pipeline_of(rows)(), cluster))


def test_health_says_who_serves_and_none_listens_to_other_machines(cluster):
    health = cluster.health()
    assert health.good
    assert [server.name for server in health.servers] == ["dispatcher", "worker 0", "worker 1"]
    assert health.servers[0].count == 2
    assert "2 workers" in str(health) and "2 workers" in health._repr_html_()
    if loopback.shim(Path(cluster._folder)) is None:
        pytest.skip("no C compiler, and so a warning in its place")
    assert not any(loopback.open_to_others(server.pid) for server in health.servers)


def test_a_taken_port_is_a_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ClusterError, match=f"port {port} is taken"):
            Cluster(1, port=port)


def test_a_pipeline_that_comes_out_differently_is_refused(cluster):
    def by_chance():
        number = int.from_bytes(os.urandom(4), "big")
        return tf.data.Dataset.from_tensors(number)

    with pytest.raises(ClusterError, match="by_chance was built differently here"):
        Cluster(1, hosted=[host(by_chance)], dispatcher=cluster.target.removeprefix("grpc://"))
    packed = host(by_chance).packed()
    with pytest.raises(HostedError, match="same code and the same TensorFlow"):
        hosted.unpack(packed)


def test_a_fingerprint_tells_pipelines_apart_and_not_their_names(pipeline):
    again = host("faults.cluster_pipelines:scaled")
    assert again.fingerprint == host("faults.cluster_pipelines:scaled").fingerprint
    assert again.fingerprint != host("faults.cluster_pipelines:shifted").fingerprint
    with contextlib.suppress(RuntimeError):
        tf.data.Dataset.range(3).map(lambda x: tf.numpy_function(lambda y: y, [x], tf.int64))
    assert again.fingerprint == host("faults.cluster_pipelines:scaled").fingerprint


@pytest.mark.parametrize(
    ("build", "error", "words"),
    [
        ("nowhere:at_all", ValueError, "nowhere"),
        ("faults.cluster_pipelines:missing", ValueError, "missing"),
        ("no_colon", ValueError, "module:callable"),
        (3, TypeError, "function or its name"),
        (lambda: 3, TypeError, "must return a tf.data.Dataset"),
    ],
)
def test_what_cannot_be_hosted_is_a_sentence(build, error, words):
    with pytest.raises(error, match=words):
        host(build)


def test_a_killed_worker_is_waited_for_and_of_its_shard_rows_are_lost_but_none_comes_twice(
    cluster, gated, gate
):
    arriving = iter(distributed(gated.dataset, cluster))
    found = [int(next(arriving)[0]) for _ in range(2 * HALF)]  # both workers halt in a shard
    cluster.kill_worker(0)
    health = cluster.health()
    cluster.restart_worker(0)
    gate.touch()
    found += [int(row[0]) for row in arriving]
    assert cluster.health().good
    assert not health.good
    assert "worker 0: gone" in str(health)
    assert len(found) == len(set(found))
    lost = sorted(set(ALL) - set(found))
    assert [number % 1000 for number in lost] == [*range(HALF, ROWS)]
    assert len({number // 1000 for number in lost}) == 1


def test_a_dispatcher_restarted_from_its_journal_loses_and_doubles_nothing(cluster, gated, gate):
    arriving = iter(distributed(gated.dataset, cluster))
    found = [int(next(arriving)[0]) for _ in range(2 * HALF)]
    cluster.restart_dispatcher()
    gate.touch()
    found += [int(row[0]) for row in arriving]
    assert sorted(found) == ALL


def listens(process, port):
    return any(
        one.status == psutil.CONN_LISTEN and one.laddr.port == port
        for one in process.net_connections("tcp")
    )


def test_the_command_says_where_has_a_worker_back_and_ends_with_ctrl_c():
    command = [sys.executable, "-m", "helpers", "cluster", "start", "--workers", "1"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        said = "".join(iter(running.stdout.readline, "Ctrl-C ends it.\n"))
        assert "grpc://127.0.0.1:" in said and "dispatcher" in said
        assert re.search(r", 1 worker$", said, re.MULTILINE)
        port = int(re.search(r"worker 0: 127.0.0.1:(\d+)", said)[1])
        [worker] = [
            child
            for child in psutil.Process(running.pid).children(recursive=True)
            if listens(child, port)
        ]
        worker.kill()
        assert "was gone, and is back" in running.stdout.readline()
        running.send_signal(signal.SIGINT)
        assert "The cluster is gone" in running.communicate(timeout=60)[0]
        assert running.returncode == 0
    finally:
        running.kill()


def test_the_commands_for_several_machines_serve_together(tmp_path):
    page = Path(__file__).parents[2] / "docs" / "cluster" / "README.md"
    first, second, _ = re.findall(r"^workbook (cluster start .*)$", page.read_text(), re.MULTILINE)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    running = []
    try:
        for command in (first, second):
            here = re.sub(r"10\.0\.0\.\d", "127.0.0.1", command).replace("5050", port)
            here = here.replace("--workers 4", "--workers 1")
            running.append(
                subprocess.Popen(
                    [sys.executable, "-m", "helpers", *here.split()],
                    cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(page.parents[2])},
                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                )
            )  # fmt: skip
            list(iter(running[-1].stdout.readline, "Ctrl-C ends it.\n"))
        service = tf.data.experimental.service
        policy = service.ShardingPolicy.DYNAMIC
        served = tf.data.Dataset.range(100).apply(
            service.distribute(policy, f"grpc://127.0.0.1:{port}")
        )
        assert sorted(numbers(served)) == list(range(100))
        assert (tmp_path / "journal").is_dir()
        for one in running:
            one.send_signal(signal.SIGINT)
        for one in running:
            said, warned = one.communicate(timeout=60)
            assert "The cluster is gone" in said and "nobody for a password" in warned
            assert one.returncode == 0
    finally:
        for one in running:
            one.kill()


def test_arguments_that_make_no_cluster_are_sentences():
    with pytest.raises(ValueError, match="whole number of 1 or more; found 0"):
        Cluster(0, dispatcher="127.0.0.1:5050")
    for workers in (-1, 1.5, "2"):
        with pytest.raises(ValueError, match="whole number of 0 or more; found"):
            Cluster(workers)
    for port in (-1, 80_000):
        with pytest.raises(ValueError, match="from 0 to 65535"):
            Cluster(1, port=port)
    with pytest.raises(ValueError, match="above 0"):
        Cluster(1, worker_timeout_s=-1)
    with pytest.raises(TypeError, match=r"helpers\.scale\.host returns"):
        Cluster(1, hosted=[pipeline_of(rows)])
    with pytest.raises(ValueError, match="host:port"):
        Cluster(1, dispatcher="there")
    with pytest.raises(ValueError, match=r"/dev/null/x cannot be written"):
        Cluster(1, work_dir="/dev/null/x")


def test_one_that_is_dropped_or_closed_leaves_no_server_and_says_so(cluster):
    others = {"dispatcher": cluster.target.removeprefix("grpc://")}
    dropped = Cluster(1, **others)
    [worker] = dropped.health().servers
    with pytest.raises(ValueError, match="no worker 5; there are 1"):
        dropped.kill_worker(5)
    folder = Path(dropped._folder)
    del dropped
    gc.collect()
    assert not psutil.pid_exists(worker.pid) and not folder.exists()
    closed = Cluster(1, **others)
    closed.close()
    for use in (closed.add_worker, closed.kill_dispatcher, closed.__enter__):
        with pytest.raises(ClusterError):
            use()
