"""A notebook's execution, which Ctrl-C ends together with its kernel."""

from __future__ import annotations

import asyncio
import atexit
import subprocess
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any

from nbclient import NotebookClient

POLL_S = 0.2
"""How often the waiting thread looks up, so that Ctrl-C gets through on Windows too."""

STOP_S = 5.0
"""How long a cell that is interrupted may take to end."""


class Stopped(Exception):
    """The execution was asked to stop; whoever asked has an error of their own."""


class Execution:
    """Executes a notebook in another thread and waits for it.

    In the main thread nbclient takes the signals for itself and forgets to give them back: Ctrl-C
    would show as a kernel that died, and the next notebook would start.
    """

    def __init__(self, client: NotebookClient) -> None:
        """Prepares the execution of the client's notebook.

        Args:
            client: Not yet executed; its hooks for a cell's execution must be free.
        """
        self._client = client
        self._loop = asyncio.new_event_loop()
        # What a kernel and its children write beside the cells would tear the progress bar apart.
        self._work = self._loop.create_task(client.async_execute(stderr=subprocess.DEVNULL))
        self._in_a_cell = self._stopping = False
        self._ended = asyncio.Event()
        client.on_cell_execute = self._cell_begins
        client.on_cell_executed = self._cell_ends

    def follow(self) -> None:
        """Executes to the end, or until this thread is interrupted.

        Raises:
            Exception: What nbclient raises.
            KeyboardInterrupt: Once the kernel, and what it started, have ended.
        """
        with ThreadPoolExecutor(1) as thread:
            done = thread.submit(self._run)
            try:
                while not wait([done], POLL_S).done:
                    pass
            except BaseException:
                asyncio.run_coroutine_threadsafe(self._stop(), self._loop)
                wait([done])
                raise
            done.result()

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._work)
        finally:
            manager = self._client.km
            if manager is not None and manager.has_kernel:  # stopped while it started
                self._loop.run_until_complete(manager.shutdown_kernel(now=True))
                atexit.unregister(self._client._cleanup_kernel)
            self._loop.run_until_complete(_end_all_others())
            self._loop.close()

    async def _stop(self) -> None:
        """Interrupts the cell, so that it ends its own processes; cancels when that fails."""
        self._stopping = True
        self._loop.set_exception_handler(lambda *_: None)  # nbclient's polling may trip over it
        if self._in_a_cell:
            with suppress(Exception):  # a kernel that just died cannot be interrupted
                await self._client.km.interrupt_kernel()
                await asyncio.wait_for(self._ended.wait(), STOP_S)
        if not self._ended.is_set():
            self._work.cancel()

    def _cell_begins(self, **_: Any) -> None:
        self._in_a_cell = True

    def _cell_ends(self, **_: Any) -> None:
        self._in_a_cell = False
        if self._stopping:
            self._ended.set()
            raise Stopped


async def _end_all_others() -> None:
    """Cancels what nbclient left running in this loop."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
