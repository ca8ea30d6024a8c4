"""Hazards that the user's code shows when it is read, with the line where it stands."""

from __future__ import annotations

import ast
import io
import socket
import sqlite3
import threading
from typing import Any

import cloudpickle

from helpers.diagnose.hazards.hazard import DATA, NOTE, SPEED, Evidence, Hazard, calls, first
from helpers.diagnose.subject import SHARDS
from helpers.quiet import tf

GLOBAL_RANDOM = ("np.random.", "numpy.random.", "random.")
MADE = ("default_rng", "Generator", "RandomState", "SeedSequence", "Random")


def text_arguments(e: Evidence) -> Hazard | None:
    """Arguments that arrive as bytes and arrays."""
    texts = [value for value in e.subject.args if isinstance(value, (str, bytes, list))]
    if not texts:
        return None
    return Hazard(
        "args-as-arrays", DATA, "args arrive as bytes and arrays",
        f"{texts[0]!r} reaches the generator as "
        f"{'bytes' if isinstance(texts[0], (str, bytes)) else 'an array'}: comparisons with text "
        "are then false, without an error.",
        "Bind it instead: functools.partial(rows, …) or lambda: rows(…), and leave args out.",
    )  # fmt: skip


def same_random_numbers(e: Evidence) -> Hazard | None:
    """The same random numbers in each shard."""
    tree = e.tree
    parameters = {arg.arg for node in ast.walk(tree) if isinstance(node, ast.arguments)
                  for arg in node.args} if tree else set()  # fmt: skip
    if not set(SHARDS) <= parameters:
        return None
    for name, node in calls(tree):
        if name.rpartition(".")[2] not in MADE or not node.args:
            continue
        used = {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}
        if not used & {"shard", "seed"}:
            return Hazard(
                "same-random-in-shards", DATA, "every shard draws the same random numbers",
                "The seed does not depend on the shard, so each worker draws the same.",
                "np.random.default_rng((seed, shard)), with a parameter seed that the bridge sets.",
                e.at(node),
            )  # fmt: skip
    return None


def global_random(e: Evidence) -> Hazard | None:
    """The global random state."""
    for name, node in calls(e.tree):
        if name.startswith(GLOBAL_RANDOM) and name.rpartition(".")[2] not in MADE:
            return Hazard(
                "global-random", NOTE, "it draws from the global random state",
                f"{name} shares one state with everything else in the process, and forked "
                "workers start from copies of it.",
                "rng = np.random.default_rng(seed), made within the generator.", e.at(node),
            )  # fmt: skip
    return None


def tensorflow_inside(e: Evidence) -> Hazard | None:
    """TensorFlow operations within the generator."""
    names = {name for name, value in e.values.items() if value is tf} | {"tf"}
    for name, node in calls(e.tree):
        base, _, rest = name.partition(".")
        if base not in names or not rest or rest.startswith(("data.", "io.gfile", "TensorSpec")):
            continue
        return Hazard(
            "tensorflow-inside", SPEED, "it calls TensorFlow for each row",
            f"{name} starts an eager operation a row, 10 to 100 µs each with the GIL held, and "
            "its result goes back through NumPy.",
            "Use NumPy there, or do it after batch: dataset.map(…), on whole batches.", e.at(node),
        )  # fmt: skip
    return None


def dataset_inside(e: Evidence) -> Hazard | None:
    """A data set used within the generator."""
    held = [name for name, value in e.values.items() if isinstance(value, tf.data.Dataset)]
    made = [node for name, node in calls(e.tree) if ".data.Dataset." in f".{name}"]
    if not held and not made:
        return None
    return Hazard(
        "dataset-inside", SPEED, "a data set is iterated within the generator",
        f"{held[0] if held else 'It'} comes out of TensorFlow row by row (40 to 60 µs each) and "
        "goes in again.",
        "Chain the data sets: dataset.map(…) or flat_map, without Python between.",
        e.at(first(made)) if made else "",
    )  # fmt: skip


HANDLES: tuple[type, ...] = (io.IOBase, sqlite3.Connection, sqlite3.Cursor, socket.socket)


def shared_handle(e: Evidence) -> Hazard | None:
    """An open handle that must not cross into a thread or a process."""
    for name, value in e.values.items():
        module = type(value).__module__.partition(".")[0]
        handle = isinstance(value, HANDLES) or module in ("h5py", "netCDF4", "lmdb", "psycopg2")
        if not handle or isinstance(value, (type, io.BytesIO, io.StringIO)):
            continue  # what lies in memory is copied whole, and mostly asked for its value
        return Hazard(
            "shared-handle", DATA, f"{name} is opened outside the generator",
            f"A {type(value).__name__} is one position or one connection for all: a second epoch "
            "goes on where the first stopped, at the end even with nothing, TensorFlow "
            "runs the generator in threads of its own, and a worker gets a broken copy.",
            "Open it on the first line of the generator, and close it in a finally.",
            e.subject.at(_line_of_name(e, name)),
        )  # fmt: skip
    return None


def cannot_be_sent(e: Evidence) -> Hazard | None:
    """Something that no worker can be sent, with its name."""
    if e.subject.kind not in ("generator", "sequence"):
        return None
    for name, value in e.values.items():
        if isinstance(value, HANDLES):
            continue  # told of above
        lock = isinstance(value, (type(threading.Lock()), type(threading.RLock())))
        if lock or not _sendable(value):
            return Hazard(
                "cannot-be-sent", NOTE, f"{name} cannot be sent to a worker",
                f"A {type(value).__name__} does not survive the journey into another process, so "
                "num_workers raises.",
                f"Make {name} within the generator.", e.subject.at(_line_of_name(e, name)),
            )  # fmt: skip
    return None


def _sendable(value: Any) -> bool:
    if isinstance(value, type(ast)) or callable(value) or getattr(value, "nbytes", 0) > 1 << 20:
        return True
    try:
        cloudpickle.dumps(value)
    except Exception:  # pickle raises many types
        return False
    return True


def _line_of_name(e: Evidence, name: str) -> int:
    nodes = ast.walk(e.tree) if e.tree else ()
    lines = [node.lineno for node in nodes if isinstance(node, ast.Name) and node.id == name]
    return min(lines, default=0)


def row_by_row(e: Evidence) -> Hazard | None:
    """Pandas read row by row."""
    for name, node in calls(e.tree):
        last = name.rpartition(".")[2]
        if last != "iterrows":
            continue
        return Hazard(
            "row-by-row", SPEED, f"{last} makes an object for each row",
            "pandas builds a Series for each row, 20 to 100 µs with the GIL held, where the "
            "columns are arrays already.",
            "df[columns].to_numpy() once, then its rows, or bridge.from_source(array, …).",
            e.at(node), _end_of_loop(e, node),
        )  # fmt: skip
    return None


def _end_of_loop(e: Evidence, over: ast.AST) -> int:
    """The last line of the loop over what a node gives; 0 if there is none."""
    loops = (loop for loop in ast.walk(e.tree) if isinstance(loop, ast.For))
    return next((loop.end_lineno or 0 for loop in loops if over in ast.walk(loop.iter)), 0)


def opened_each_row(e: Evidence) -> Hazard | None:
    """A file opened, or a lookup built, within the loop."""
    opens = ("open", "h5py.File", "sqlite3.connect", "np.load", "numpy.load")
    for loop in ast.walk(e.tree) if e.tree else ():
        if not isinstance(loop, (ast.For, ast.While)):
            continue
        for name, node in calls(ast.Module(body=loop.body, type_ignores=[])):
            if name not in opens or not node.args:
                continue
            bound = {one.id for one in ast.walk(loop) if isinstance(one, ast.Name)
                     and isinstance(one.ctx, ast.Store)}  # fmt: skip
            used = {one.id for one in ast.walk(node.args[0]) if isinstance(one, ast.Name)}
            if not used & bound:
                return Hazard(
                    "opened-each-row", SPEED, f"{name} is called again for each row",
                    "What it opens does not depend on the loop.",
                    "Open it once, before the loop.", e.at(node),
                )  # fmt: skip
    return None


RULES = (
    text_arguments, same_random_numbers, shared_handle, tensorflow_inside, dataset_inside,
    row_by_row, opened_each_row, global_random, cannot_be_sent,
)  # fmt: skip
