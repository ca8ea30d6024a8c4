"""A cluster over several hosts with addresses of their own: network namespaces joined by a bridge.

Each host is a namespace with one end of a veth pair; a partition takes the other end down.
"""

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.faults

ROOT = Path(__file__).parents[2]
NET = "10.213.7"
PORT = "5050"

CLIENT = """
import sys
from helpers.quiet import tf

service = tf.data.experimental.service
read = tf.data.Dataset.range(60).interleave(
    lambda n: tf.data.Dataset.from_tensors(n), cycle_length=1
)
read = read.apply(service.distribute(service.ShardingPolicy.DYNAMIC, f"grpc://{sys.argv[1]}"))
for number in read.as_numpy_iterator():
    print(number, flush=True)
    if sys.argv[2] == "step":
        sys.stdin.readline()
print("end", flush=True)
"""


def ip(*words, check=True):
    return subprocess.run(["ip", *words], check=check, capture_output=True, text=True)


class Hosts:
    """Namespaces that reach each other over one bridge."""

    def __init__(self, count):
        self.names = [f"wb-host-{number}" for number in range(count)]

    def __enter__(self):
        try:
            ip("link", "add", "wb-br", "type", "bridge")
            ip("link", "set", "wb-br", "up")
            for number, name in enumerate(self.names):
                ip("netns", "add", name)
                inner, outer = f"wb-in-{number}", f"wb-out-{number}"
                ip("link", "add", outer, "type", "veth", "peer", "name", inner)
                ip("link", "set", outer, "master", "wb-br", "up")
                ip("link", "set", inner, "netns", name)
                inside = ("-n", name)
                ip(*inside, "addr", "add", f"{self.address(number)}/24", "dev", inner)
                ip(*inside, "link", "set", inner, "up")
                ip(*inside, "link", "set", "lo", "up")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc_info):
        for name in self.names:
            ip("netns", "del", name, check=False)
        ip("link", "del", "wb-br", check=False)

    @staticmethod
    def address(number):
        return f"{NET}.{number + 1}"

    def run(self, number, *command, **options):
        """Starts Python on a host."""
        return subprocess.Popen(
            ["ip", "netns", "exec", self.names[number], sys.executable, *command],
            cwd=ROOT, stdout=subprocess.PIPE, text=True, **options,
        )  # fmt: skip

    def cut(self, number):
        ip("link", "set", f"wb-out-{number}", "down")

    def mend(self, number):
        ip("link", "set", f"wb-out-{number}", "up")


@pytest.fixture
def hosts():
    try:
        with Hosts(3) as made:
            yield made
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no network namespaces here: {error}")


@contextlib.contextmanager
def serving(hosts):
    """A dispatcher on the first host and a worker on the second, as the page says."""
    started = []
    try:
        where = ("-m", "helpers", "cluster", "start")
        dispatcher = ("--workers", "0", "--host", hosts.address(0), "--port", PORT)
        worker = (
            "--workers", "1", "--host", hosts.address(1),
            "--dispatcher", f"{hosts.address(0)}:{PORT}",
        )  # fmt: skip
        for number, how in enumerate((dispatcher, worker)):
            quiet = {"stderr": subprocess.DEVNULL}
            started.append(hosts.run(number, *where, *how, **quiet))
            said = "".join(iter(started[-1].stdout.readline, "Ctrl-C ends it.\n"))
            assert hosts.address(number) in said
        yield
    finally:
        for one in started:
            one.terminate()
        for one in started:
            one.wait(60)
            one.stdout.close()


def test_hosts_with_addresses_of_their_own_serve_and_outlive_a_partition(hosts):
    target = f"{hosts.address(0)}:{PORT}"
    with serving(hosts):
        whole = hosts.run(2, "-c", CLIENT, target, "all")
        assert sorted(whole.communicate(timeout=120)[0].split()) == sorted(
            [*map(str, range(60)), "end"]
        )

        stepping = hosts.run(2, "-c", CLIENT, target, "step", stdin=subprocess.PIPE)
        found = [stepping.stdout.readline().strip()]
        hosts.cut(1)
        time.sleep(3)
        hosts.mend(1)
        stepping.stdin.write("\n" * 100)
        stepping.stdin.flush()
        rest, _ = stepping.communicate(timeout=120)
        found += rest.split()
        assert found[-1] == "end" and sorted(map(int, found[:-1])) == [*range(60)]
