"""Exercises of notebook 08: a shard for each worker, and what can be sent to one."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path
from typing import Any

import cloudpickle
import numpy as np

from . import looking
from .exercise import Exercise, NotYetError, Seen

_COUNT = 10


def _sharded(made: Any, seen: Seen) -> None:
    loads = 0
    for num_shards in (3, 2, 1):
        for shard in range(num_shards):
            load = looking.Counted(lambda number: np.full(3, number, np.float32))
            rows = looking.pulled(made, load, shard, num_shards, most=_COUNT)
            want = list(range(shard, _COUNT, num_shards))
            which = f"Shard {shard} of {num_shards}"
            for number, row in enumerate(rows):
                looking.array(row, f"Row {number} of shard {shard}", shape=(3,))
            found = [int(row[0]) for row in rows]
            _shard(found, want, which)
            loads += len(load.calls)
            if len(load.calls) > len(want):
                seen.count(f"rows loaded for shard {shard} of {num_shards}", len(load.calls),
                           len(want))  # fmt: skip
                raise NotYetError(
                    f"{which} yields the right rows, but loads {len(load.calls)} for them: what is "
                    "not its own it should not even load."
                )
    seen.count("rows loaded by all shards, of 3, of 2 and of 1", loads, 3 * _COUNT)


def _shard(found: list[int], want: list[int], which: str) -> None:
    """Says what is wrong with the rows of one shard."""
    if found == want:
        return
    said = f"{which} has the rows {looking.listed(found)}, and {looking.listed(want)} are its own."
    if not found:
        said = f"{which} has no rows."
    elif found == list(range(_COUNT)):
        said = f"{which} has all rows: every worker would do all of the work, and each row come " \
               "several times."  # fmt: skip
    elif len(found) > 1 and found == list(range(found[0], found[-1] + 1)):
        said = (
            f"{which} has the rows {found[0]} to {found[-1]}, a block. Taken in turn, {which} has "
            f"{looking.listed(want)}."
        )
    elif found == [number + 1 for number in want if number + 1 < _COUNT]:
        said = f"{which} begins with row {found[0]}: shards are counted from 0."
    raise NotYetError(said)


SHARDED = Exercise(
    name="08-sharded",
    title="A shard for each worker",
    spec="There are 10 rows, and `load(number)` makes one, at a price. Make the generator fit for "
    "workers: it yields the rows of its own shard, one in `num_shards`, beginning with row number "
    "`shard`, and loads no others. The check tries shards of 3, of 2 and of 1, and counts.",
    start="""
def sharded(load, shard, num_shards):
    for number in range(10):
        yield load(number)  # change me
""",
    solution="""
def sharded(load, shard, num_shards):
    for number in range(shard, 10, num_shards):
        yield load(number)
""",
    answer="sharded",
    hint="`range` takes a start and a step as well.",
    right="Every row comes from one shard, and no shard loads what is not its own.",
    look=_sharded,
)


def _sendable(made: Any, seen: Seen) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "readings.txt"
        path.write_text("0\n1\n2\n")
        rows = looking.called(made, path)
        if not callable(rows):
            raise NotYetError("The function should return the generator function, as it did.")
        held = [cell.cell_contents for cell in getattr(rows, "__closure__", None) or ()]
        files = [one for one in held if isinstance(one, io.IOBase)]
        for file in files:
            file.close()
        if files:
            raise NotYetError(
                "The generator holds an open file: a worker would be sent a copy of what stood in "
                "it, and never see the file."
            )
        try:
            sent = cloudpickle.dumps(rows)
        except Exception:
            raise NotYetError(
                "It cannot be sent to a worker: it holds something that lives in this process "
                "only, such as a generator that has begun."
            ) from None
        path.write_text("0\n1\n2\n3\n")
        arrived = cloudpickle.loads(sent)
        epochs = [looking.pulled(arrived, most=4) for _ in range(2)]
    for row in epochs[0]:
        if isinstance(row, (str, bytes)):
            raise NotYetError("The rows are text now; they were numbers, np.float32.")
        if not isinstance(row, np.float32):
            raise NotYetError(f"The rows are {type(row).__name__} now, and were np.float32.")
    seen.count("rows in the first epoch", len(epochs[0]), 4)
    seen.count("rows in the second epoch", len(epochs[1]), 4)
    if len(epochs[0]) == 3:
        raise NotYetError(
            "The file is read when the generator is made: what is written later never comes, and "
            "its whole content travels to each worker."
        )
    if epochs[0] and not epochs[1]:
        raise NotYetError("The second epoch is empty: each epoch has to begin anew.")
    if [list(map(float, epoch)) for epoch in epochs] != [[0.0, 1.0, 2.0, 3.0]] * 2:
        raise NotYetError("Each epoch should have the file's numbers, in their order.")


SENDABLE = Exercise(
    name="08-sendable",
    title="What a worker can be sent",
    spec="The file is opened once: after one epoch it is read to its end, and a worker would be "
    "sent a copy of what stands in it. Mend this, so that the generator can go to another process "
    "and each epoch reads the file as it is then.",
    start="""
def readings(path):
    file = open(path)

    def rows():
        for line in file:
            yield np.float32(line)

    return rows  # change the lines above
""",
    solution="""
def readings(path):
    def rows():
        with open(path) as file:
            for line in file:
                yield np.float32(line)

    return rows
""",
    answer="readings",
    hint="The path can be sent. When should the file be opened?",
    right="The generator was sent away and came back, and read the file anew in each epoch.",
    look=_sendable,
)
