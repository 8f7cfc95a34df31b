"""What simple-websocket runs on: a socket, a thread and an event that make only greenlets wait."""

from __future__ import annotations

import os
import select
import socket
import ssl
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask_realtime import host

_BREATH_READS = 8  # after so many reads that did not wait, the other greenlets have a turn
_DRAIN_BYTES = 64 * 1024


class Wire:
    """The socket of a connection: any greenlet may send, one receives.

    `early` is what the client sent along with the request; `wait_for_room()` is called before each
    read. Closing is left to the server that made the socket.
    """

    __slots__ = (
        "_early",
        "_frames",
        "_is_broken",
        "_is_writing",
        "_queued",
        "_reads",
        "_socket",
        "_wait_for_room",
        "_written",
        "_wrote",
        "heard",
    )

    def __init__(self, connected: Any, early: bytes, wait_for_room: Callable[[], None]) -> None:
        self._socket = connected
        self._early = early
        self._wait_for_room = wait_for_room
        self._reads = 0
        self._frames: list[bytes] = []  # a deque would take 700 bytes more of each connection
        self._queued = self._written = 0  # frames so far
        self._is_writing = False
        self._wrote = host.Signal()
        self._is_broken = False
        self.heard = time.monotonic()  # when something last came

    def recv(self, size: int) -> bytes:
        """The next bytes; none at the end. Raises OSError."""
        self._wait_for_room()
        if self._early:
            data, self._early = self._early[:size], self._early[size:]
            return data
        self._reads += 1
        if self._reads % _BREATH_READS == 0:
            host.sleep()
        data = bytes(self._socket.recv(size))
        self.heard = time.monotonic()
        return data

    def send(self, data: bytes) -> int:
        """Send all of `data`, in the order of the calls. Raises OSError."""
        if self._is_broken:
            raise BrokenPipeError("the connection has ended")
        self._frames.append(data)
        self._queued += 1
        if self._is_writing:
            self._wait_until_written(self._queued)
        else:
            self._write()
        return len(data)

    def _wait_until_written(self, number: int) -> None:
        while self._written < number:
            if self._is_broken:
                raise BrokenPipeError("the connection has ended")
            self._wrote.wait()

    def _write(self) -> None:
        self._is_writing = True
        try:
            while self._frames:
                count = len(self._frames)
                data = b"".join(self._frames) if count > 1 else self._frames[0]
                self._frames.clear()
                self._socket.sendall(data)
                self._written += count
                self._wrote.set()
        except BaseException:  # a frame that was cut short makes all after it unreadable
            self.abort()
            raise
        finally:
            self._is_writing = False
            self._wrote.set()

    def abort(self) -> None:
        """End the connection now: whoever reads or writes is woken."""
        self._is_broken = True
        self._frames.clear()
        self._shut(socket.SHUT_RDWR)

    def has_hung_up(self) -> bool:
        """Whether the client has closed its side, even when there is more to read before."""
        descriptor = self._socket.fileno()
        if descriptor < 0:
            return True
        poll = select.poll()
        poll.register(descriptor, select.POLLRDHUP)
        return bool(poll.poll(0))

    def drain(self, seconds: float) -> None:
        """Send no more, and read on until the client closes, for `seconds` at most.

        A socket that is closed with data unread resets the connection, and the client may then
        never see the last frame that it was sent.
        """
        if self._is_broken:
            return
        if isinstance(self._socket, ssl.SSLSocket):
            with suppress(OSError, ValueError):  # the client's own end of TLS is not there yet
                ssl.SSLSocket.unwrap(self._socket)  # says that this is the end; does not wait
        self._shut(socket.SHUT_WR)
        with suppress(OSError), host.Timeout(seconds, False):
            while self._socket.recv(_DRAIN_BYTES):
                pass

    def _shut(self, how: int) -> None:
        descriptor = self._socket.fileno()
        if descriptor < 0:
            return
        # A duplicate, since SSLSocket.shutdown takes the session away from those who use it.
        duplicate = socket.socket(fileno=os.dup(descriptor))
        try:
            with suppress(OSError):  # not connected any more
                duplicate.shutdown(how)
        finally:
            duplicate.close()

    def close(self) -> None:
        """Do nothing: the server closes the socket when the request has ended."""


class Reader:
    """The greenlet that simple-websocket takes for its thread."""

    name = "socket"

    def __init__(self, target: Callable[[], None]) -> None:
        self._target = target
        self._ended = host.Signal()
        self._is_alive = True

    def start(self) -> None:
        host.spawn(self._run)

    def _run(self) -> None:
        try:
            self._target()
        finally:
            self._is_alive = False
            self._ended.set()

    def join(self, timeout: float) -> bool:
        """Wait for its end; False when `timeout` seconds passed before it."""
        return host.wait_for(lambda: not self._is_alive, self._ended, timeout)


class Event:
    """threading.Event, for greenlets."""

    __slots__ = ("_is_set", "_signal")

    def __init__(self) -> None:
        self._is_set = False
        self._signal = host.Signal()

    def set(self) -> None:
        self._is_set = True
        self._signal.set()

    def clear(self) -> None:
        self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        if not self._is_set:
            self._signal.wait(timeout)
        return self._is_set
