"""Bare loops side by side, in processes that share nothing: what the cores can give."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection
from typing import Any


class Loops:
    """Reads rows in several processes, which tell only how far they are.

    No row leaves the process that read it: whoever hands rows over as well can hardly be faster.
    Two cores that work at once are not twice as fast as one where they share caches, memory, a
    clock or, in a virtual machine, a physical core.

    Args:
        rows: What has a length and items.
        block: Rows from one word to the next.
        processes: How many; each takes a block in turn.
    """

    def __init__(self, rows: Sequence[Any], block: int, processes: int = 2):
        """Starts the processes."""
        self._blocks = [
            range(start, min(start + block, len(rows))) for start in range(0, len(rows), block)
        ]
        context = multiprocessing.get_context("spawn")
        self._pipes, self._processes = [], []
        for number in range(processes):
            ours, theirs = context.Pipe()
            mine = self._blocks[number::processes]
            process = context.Process(target=_loop, args=(theirs, rows, mine), daemon=True)
            process.start()
            theirs.close()  # so that the end of the process is the end of the pipe
            self._pipes.append(ours)
            self._processes.append(process)

    def __iter__(self) -> Iterator[range]:
        """Yields the numbers of the rows that have been read, a block at a time, in order.

        Raises:
            EOFError: If a process has ended.
        """
        for pipe in self._pipes:
            pipe.send(None)
        for place, block in enumerate(self._blocks):
            self._pipes[place % len(self._pipes)].recv()
            yield block

    def close(self) -> None:
        """Ends the processes."""
        for pipe in self._pipes:
            pipe.close()
        for process in self._processes:
            process.join()


def _loop(pipe: Connection, rows: Sequence[Any], blocks: list[range]) -> None:
    try:
        while True:
            pipe.recv()
            for block in blocks:
                for number in block:
                    rows[number]
                pipe.send(None)
    except (EOFError, OSError, KeyboardInterrupt):  # nobody asks any more
        return
