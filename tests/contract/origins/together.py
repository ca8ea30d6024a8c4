# Origins that need no process of their own, in one script without a main guard.
import functools
import importlib
import os
import shutil
import socket
import sys
import tempfile
import threading
import types
import zipfile

from telling import COUNT, told

HERE = os.path.dirname(os.path.abspath(__file__))


def numbers(shard, num_shards, first=0):
    yield from range(first + shard, COUNT, num_shards)


def decorated(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)

    return wrapper


class Reader:
    def __init__(self):
        self.step = 1

    def rows(self, shard, num_shards):
        yield from range(shard, COUNT, self.step * num_shards)

    def __call__(self, shard, num_shards):
        return self.rows(shard, num_shards)

    @classmethod
    def of_class(cls, shard, num_shards):
        return cls().rows(shard, num_shards)

    @staticmethod
    def static(shard, num_shards):
        return Reader().rows(shard, num_shards)


def closure():
    limit = COUNT

    def rows(shard, num_shards):
        yield from range(shard, limit, num_shards)

    return rows


told("function", numbers)
told("closure", closure())
told("lambda", lambda shard, num_shards: range(shard, COUNT, num_shards))
told("bound method", Reader().rows)
told("callable object", Reader())
told("class method", Reader.of_class)
told("static method", Reader.static)
told("partial", functools.partial(numbers, first=0))
told("decorated function", decorated(numbers))

namespace = {"COUNT": COUNT}
exec("def rows(shard, num_shards): yield from range(shard, COUNT, num_shards)", namespace)
told("exec", namespace["rows"])

with tempfile.TemporaryDirectory() as folder:
    for kind in ("zip", "egg"):
        archive = os.path.join(folder, f"packed.{kind}")
        with zipfile.ZipFile(archive, "w") as packed:
            packed.write(os.path.join(HERE, "module_plain.py"), f"from_{kind}.py")
        sys.path.insert(0, archive)
        told(kind, importlib.import_module(f"from_{kind}").rows)
        sys.path.remove(archive)

    # A module that the parent found by a relative entry of its path.
    shutil.copy(os.path.join(HERE, "module_plain.py"), os.path.join(folder, "beside.py"))
    os.chdir(folder)
    sys.path.insert(0, "")
    beside = importlib.import_module("beside")
    os.chdir("/")
    told("after os.chdir", beside.rows)
    sys.path.remove("")

    # One whose file is gone from the path, so that no worker can import it.
    sys.path.insert(0, folder)
    os.rename(os.path.join(folder, "beside.py"), os.path.join(folder, "off_the_path.py"))
    gone = importlib.import_module("off_the_path")
    sys.path.remove(folder)
    told("module off the path", gone.rows)

made = types.ModuleType("made_by_hand")
sys.modules["made_by_hand"] = made
exec("def rows(shard, num_shards): yield from range(shard, 11, num_shards)", vars(made))
told("module made by hand", made.rows)

told("module that imports TensorFlow", importlib.import_module("module_with_tensorflow").rows)

thread = threading.Thread(target=told, args=("thread", numbers))
thread.start()
thread.join()

traced = []
sys.settrace(lambda frame, event, arg: traced.append(event) if len(traced) < 9 else None)
told("sys.settrace", numbers)
sys.settrace(None)

# What cannot be sent: the sentence has to name the variable.
gate = threading.Lock()


def with_lock(shard, num_shards):
    with gate:
        yield from numbers(shard, num_shards)


link = socket.socket()


def with_socket(shard, num_shards):
    link.fileno()
    yield from numbers(shard, num_shards)


class Waiting(Reader):
    def __init__(self):
        super().__init__()
        self.options = {"done": threading.Event()}


def over_generator():
    items = (index for index in range(COUNT))

    def rows(shard, num_shards):
        yield from items

    return rows


told("captured lock", with_lock)
told("captured socket", with_socket)
told("attribute of an object", Waiting().rows)
told("captured generator", over_generator())
