"""A source that cannot be rewound: each message counts once, whoever stops reading in between."""

from __future__ import annotations

import collections
import contextlib
import socket
import struct
import threading
from collections.abc import Iterable, Iterator
from typing import Any

SIZE = struct.Struct("!I")  # goes before each message; 0 is the end of the stream
RECEIVED_BYTES = 1 << 16


class BrokenStreamError(ConnectionError):
    """A stream that ended without saying so: there may have been more."""


class Live:
    """The messages of a stream, each kept until the consumer is done with it.

    TensorFlow reads ahead, and what it has read ahead goes with an iterator that is dropped. Here
    the next iterator begins with the first message that is not done with, so that none is lost, and
    none that is done with comes again.

    Args:
        messages: The messages; an error of theirs ends the stream, in this epoch and later ones.
        most: How many messages may wait for `done`.
    """

    def __init__(self, messages: Iterable[Any], most: int = 1 << 16):
        self._messages = iter(messages)
        self._most = most
        self._kept: collections.deque[Any] = collections.deque()
        self._first = 0  # number of the first that is kept
        self._lock = threading.Lock()
        self._receiving = threading.Lock()  # by itself: `done` does not wait for a message
        self._readers = 0
        self._end: BaseException | None = None

    def rows(self) -> Iterator[tuple[int, Any]]:
        """Gives each message with its number, from the first that is not done with.

        Raises:
            RuntimeError: Another iterator reads the stream now, or nobody says what is done with.
        """
        with self._lock:
            self._readers += 1
            reader, number = self._readers, self._first
        while True:
            with self._lock:
                self._check(reader)
                number = max(number, self._first)
                waits = number < self._first + len(self._kept)
                message = self._kept[number - self._first] if waits else None
            if not waits:
                try:
                    self._receive(reader, number)
                except StopIteration:
                    return
                continue
            yield number, message
            number += 1

    def _receive(self, reader: int, number: int) -> None:
        with self._receiving:
            self._check(reader)
            with self._lock:
                if number < self._first + len(self._kept):
                    return  # the iterator before this one has received it meanwhile
            if len(self._kept) >= self._most:
                raise RuntimeError(
                    f"{self._most} messages were read and wait for done(number); call it with the "
                    "last number of each batch that is dealt with"
                )
            if self._end is not None:
                raise self._end
            try:
                message = next(self._messages)
            except Exception as error:
                self._end = error
                raise
            with self._lock:
                self._kept.append(message)

    def _check(self, reader: int) -> None:
        if reader != self._readers:
            raise RuntimeError("another iterator reads the stream now")

    def done(self, number: int) -> None:
        """Forgets the messages up to a number, which is included: they do not come again."""
        with self._lock:
            while self._kept and self._first <= number:
                self._kept.popleft()
                self._first += 1


def received(connection: socket.socket) -> Iterator[bytes]:
    """Receives the messages that `sent` has packed.

    Raises:
        BrokenStreamError: The connection ended, and the stream did not.
    """
    data, count = bytearray(), 0
    while True:
        try:
            more = connection.recv(RECEIVED_BYTES)
        except ConnectionError as error:
            raise BrokenStreamError(
                f"the connection broke after message {count}: {error}"
            ) from error
        if not more:
            raise BrokenStreamError(
                f"the connection ended after message {count}, and the stream did not say that this "
                "was its end"
            )
        data += more
        place = 0
        while len(data) - place >= SIZE.size:
            (size,) = SIZE.unpack_from(data, place)
            if size == 0:
                return
            if len(data) - place < SIZE.size + size:
                break
            place += SIZE.size + size
            count += 1
            yield bytes(memoryview(data)[place - size : place])
        del data[:place]


def sent(messages: Iterable[bytes]) -> Iterator[bytes]:
    """Packs messages for a connection: each after its length, and the end after the last."""
    for message in messages:
        yield SIZE.pack(len(message)) + message
    yield SIZE.pack(0)


class Sender:
    """A server on this machine that sends the same messages to whoever connects.

    Args:
        messages: The messages.
        cut: How many bytes are left out at the end, as when a connection breaks.

    Attributes:
        address: Where to connect.
    """

    def __init__(self, messages: Iterable[bytes], *, cut: int = 0):
        data = b"".join(sent(messages))
        self._data = data[: len(data) - cut]
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address: tuple[str, int] = self._server.getsockname()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._server.accept()
            except OSError:  # closed
                return
            with connection, contextlib.suppress(OSError):  # the other side has gone
                connection.sendall(self._data)

    def close(self) -> None:
        """Takes no more connections."""
        with contextlib.suppress(OSError):
            self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()
