"""A socket to another process, on the hub: what is said never makes who says it wait."""

from __future__ import annotations

import socket
from contextlib import suppress

from flask_realtime import host

READ_BYTES = 1 << 16


class Line:
    """What is said goes out in order. For greenlets of the hub's thread; one of them reads.

    What may wait to go out is bounded by who says it.
    """

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        self._socket = connected
        self._unsent = bytearray()
        self._sending: host.Task | None = None
        self._closed = False

    def say(self, data: bytes) -> None:
        """Send `data`, now or as soon as there is room; nothing is done when nobody listens."""
        if self._closed:
            return
        self._unsent += data
        if self._sending is None and not self._send():
            self._sending = host.spawn(self._send_rest)

    def read(self) -> bytes:
        """Wait for data; empty at the end."""
        while (data := self.read_now()) is None:
            host.wait_readable(self._socket.fileno())
        return data

    def read_now(self) -> bytes | None:
        """What is there; empty at the end, None if there is nothing yet."""
        try:
            return self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return None
        except ConnectionError:
            return b""

    def close(self) -> None:
        """For who reads; nobody may wait in `read` then."""
        self._closed = True
        if self._sending is not None:
            self._sending.kill()
        self._socket.close()

    def _send(self) -> bool:
        """Send what there is room for; whether that was all."""
        with suppress(BlockingIOError):
            try:
                while self._unsent:
                    del self._unsent[: self._socket.send(self._unsent)]
            except ConnectionError:  # it has ended: who reads hears of it
                self._unsent.clear()
        return not self._unsent

    def _send_rest(self) -> None:
        while not self._send():
            host.wait_writable(self._socket.fileno())
        self._sending = None
