"""Servers are forked from one process that imported TensorFlow: shared, never stale, never left."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time

import numpy as np
import psutil
import pytest
from contract.children import NO_KERAS

from helpers.quiet import tf
from helpers.scale import Cluster, ClusterError, host, nursery

pytestmark = [pytest.mark.faults, pytest.mark.usefixtures("no_keras")]


def nurseries():
    """Processes from which this one has servers forked."""
    found = []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.ZombieProcess):
            if "helpers.scale.nursery" in " ".join(child.cmdline()):
                found.append(child)
    return found


def read(pipeline, cluster):
    service = tf.data.experimental.service
    way = service.distribute(service.ShardingPolicy.OFF, cluster.target)
    return [*pipeline.dataset.apply(way).as_numpy_iterator()]


def drawn():
    """What numpy and Python draw in the process that hosts it, and where that stands."""

    def rows():
        import random

        yield np.float64([np.random.random(), random.random()])

    return tf.data.Dataset.from_generator(rows, output_signature=tf.TensorSpec((2,), tf.float64))


def test_two_clusters_have_one_import_and_each_server_draws_its_own_numbers():
    pipeline = host(drawn)
    with Cluster(2, hosted=[pipeline]) as first, Cluster(1, hosted=[pipeline]) as second:
        [parent] = nurseries()
        servers = [one.pid for made in (first, second) for one in made.health().servers]
        assert {psutil.Process(pid).ppid() for pid in servers} == {parent.pid}
        rows = read(pipeline, first) + read(pipeline, second)
    assert len(rows) == 3
    assert len({value for row in rows for value in row.tolist()}) == 6
    assert not any(psutil.pid_exists(pid) for pid in servers)


def test_a_server_has_the_folder_path_and_environment_of_who_asks(tmp_path, monkeypatch):
    Cluster(0).close()  # so that what follows is forked from what is there
    (tmp_path / "made_later.py").write_text(
        "import os\nfrom helpers.quiet import tf\n\n\ndef build():\n"
        "    def rows():\n        yield f\"{os.getcwd()} {os.environ['MADE_LATER']}\"\n"
        "    return tf.data.Dataset.from_generator(\n"
        "        rows, output_signature=tf.TensorSpec((), tf.string))\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("MADE_LATER", "here")
    pipeline = host("made_later:build")
    with Cluster(1, hosted=[pipeline]) as cluster:
        [said] = read(pipeline, cluster)
    assert said.decode() == f"{tmp_path} here"


def keras_and_half_a_second():
    """Rows that Keras scales, after half a second of a core."""

    def rows():
        end = time.process_time() + 0.5
        while time.process_time() < end:
            pass
        yield np.float32(1)

    scale = tf.keras.layers.Rescaling(3.0)
    made = tf.data.Dataset.from_generator(rows, output_signature=tf.TensorSpec((), tf.float32))
    return made.map(scale)


def test_a_pipeline_finds_keras_and_what_it_uses_of_a_core_is_counted(monkeypatch):
    monkeypatch.delenv(*NO_KERAS)
    pipeline = host(keras_and_half_a_second)
    with Cluster(1, hosted=[pipeline]) as cluster:
        before_s = cluster.cpu_s
        assert read(pipeline, cluster) == [3.0]
        assert 0.5 <= cluster.cpu_s - before_s < 5
        cluster.kill_worker(0)
        assert cluster.cpu_s < before_s + 0.5


def test_one_that_ended_in_between_is_started_again():
    Cluster(0).close()
    [before] = nurseries()
    before.kill()
    with Cluster(0) as cluster:
        assert cluster.health().good
    assert before not in nurseries()


def test_what_ends_while_nobody_looks_is_no_zombie(monkeypatch):
    Cluster(0).close()
    [idle] = nurseries()
    idle.send_signal(signal.SIGTERM)
    deadline = time.monotonic() + 30  # not by wait(), which would be who waits for it
    while psutil.pid_exists(idle.pid) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not psutil.pid_exists(idle.pid)
    monkeypatch.setattr(nursery, "_forks", lambda: False)
    with Cluster(1) as cluster:
        [worker] = [one for one in cluster.health().servers if one.name != "dispatcher"]
        os.kill(worker.pid, signal.SIGKILL)
        deadline = time.monotonic() + 30
        said = ""  # its port closes a moment before it is gone
        while f"{worker.name}: gone" not in said and time.monotonic() < deadline:
            time.sleep(0.05)
            said = str(cluster.health())
        assert f"{worker.name}: gone" in said
    assert not psutil.pid_exists(worker.pid)


def test_servers_outlive_what_forked_them():
    with Cluster(1) as cluster:
        [parent] = nurseries()
        parent.kill()
        parent.wait()
        assert cluster.health().good
        cluster.kill_worker(0)
        assert cluster.workers == 0
        cluster.restart_worker(0)
        assert cluster.health().good


def test_idle_it_ends_by_itself():
    code = (
        "import sys; from helpers.scale import nursery; nursery.IDLE_S = 0.1\n"
        "import socket; nursery.main(socket.socket(fileno=int(sys.argv[1])))"
    )
    ours, theirs = nursery.socket.socketpair()
    with ours, theirs:
        idle = subprocess.Popen(
            [sys.executable, "-c", code, str(theirs.fileno())], pass_fds=[theirs.fileno()]
        )
        assert idle.wait(timeout=120) == 0


def test_it_and_its_servers_are_gone_with_who_started_them():
    code = (
        "from helpers.scale import Cluster; import psutil, time\n"
        "cluster = Cluster(1)\n"
        "print(*(c.pid for c in psutil.Process().children(recursive=True)), flush=True)\n"
        "time.sleep(600)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    assert len(pids) == 3
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    left = [psutil.Process(pid) for pid in pids if psutil.pid_exists(pid)]
    assert not psutil.wait_procs(left, timeout=30)[1]


def test_many_ask_at_once():
    servers, failed = [], []

    def start(number):
        try:
            with Cluster(0) as cluster:
                servers.append(cluster.health().servers[0].pid)
        except Exception as error:  # told below, in the test's own thread
            failed.append(error)

    threads = [threading.Thread(target=start, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed and len(set(servers)) == 4


def test_where_nothing_can_be_forked_each_server_imports_for_itself(monkeypatch):
    monkeypatch.setattr(nursery, "_forks", lambda: False)
    with Cluster(0) as cluster:
        [server] = cluster.health().servers
        assert psutil.Process(server.pid).ppid() == os.getpid()
        assert cluster.health().good
    assert not psutil.pid_exists(server.pid)


def test_one_that_cannot_import_tensorflow_says_why(monkeypatch, tmp_path):
    broken = tmp_path / "tensorflow"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise ImportError('no such library')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(nursery, "_NURSERIES", {True: nursery.Nursery(), False: nursery.Nursery()})
    with pytest.raises(ClusterError, match=r"TensorFlow did not come up.*no such library"):
        Cluster(0)
