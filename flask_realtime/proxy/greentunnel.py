"""A tunnel that greenlets carry: where TLS is spoken, which only the hub's own sockets can."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from typing import Any

from flask_realtime import host
from flask_realtime.proxy.client import PIECE_BYTES, Client
from flask_realtime.proxy.frames import TO_VISITOR, Frames, to_upstream
from flask_realtime.proxy.pump import CLOSE_SECONDS, HALF_CLOSED_SECONDS


class _Way:
    """One direction: reads `source` in a greenlet of its own, and writes to `target`."""

    def __init__(self, source: Any, target: Any, frames: Frames, goodbye: bytes) -> None:
        self.source = source
        self._target = target
        self._frames = frames
        self._goodbye = goodbye
        self._is_writing = False
        self.is_stopping = False

    def write(self, data: bytes) -> None:
        """Hand on what came. Raises OSError. One greenlet at a time."""
        self._is_writing = True
        try:
            if self.is_stopping:
                data = self._frames.cut(self._goodbye, data)
            else:
                self._frames.pass_on(data)
            while data:
                self._target.sendall(data)
                # Has a stop come meanwhile?
                data = self._frames.cut(self._goodbye) if self.is_stopping else b""
        finally:
            self._is_writing = False

    def tell(self) -> None:
        """Say that this is the end; who is writing now does it then."""
        if not self._is_writing:
            with suppress(OSError):  # gone already
                self.write(b"")

    @property
    def is_over(self) -> bool:
        """Whether the source has answered that this is the end."""
        return self.is_stopping and self._frames.is_over


class GreenTunnel:
    """A visitor and an upstream, both green sockets, that hear each other."""

    def __init__(self, visitor: Any, upstream: Any, said: Frames, idle_timeout: float) -> None:
        for connection in (visitor, upstream):
            connection.settimeout(None)  # what was set for an answer is no bound of a tunnel
        self._up = _Way(visitor, upstream, Frames(), to_upstream())
        self._down = _Way(upstream, visitor, said, TO_VISITOR)
        self._upstream = upstream
        self._idle_timeout = idle_timeout
        self._used = time.monotonic()
        self._tasks: list[host.Task] = []

    def carry(self, client: Client, early: bytes) -> None:
        """Until it ends; `early` is what the visitor has said already."""
        client.on_stop(self._stop)
        upload = host.spawn(self._carry_up, early)
        self._tasks.append(upload)
        try:
            self._copy(self._down)
            # TLS knows no half-closed connections, so that the upstream's end is the end; but a
            # visitor who was told of a stop may answer.
            if self._up.is_stopping:
                with host.Timeout(CLOSE_SECONDS, False):
                    upload.wait()
        finally:
            for task in self._tasks:
                task.kill()

    def _carry_up(self, early: bytes) -> None:
        self._copy(self._up, early)
        # The visitor's end is told to the upstream, which may have last words.
        with suppress(OSError):  # it has ended, too
            self._upstream.shutdown(socket.SHUT_WR)
            self._upstream.settimeout(HALF_CLOSED_SECONDS)

    def _copy(self, way: _Way, first: bytes = b"") -> None:
        # One of the two is gone; the other hears it.
        with suppress(OSError):
            if first:
                way.write(first)
            while not way.is_over and (data := self._receive(way.source)):
                way.write(data)
                self._used = time.monotonic()

    def _receive(self, source: Any) -> bytes:
        """What `source` sends; empty at its end, or when both sides were silent for too long."""
        while True:
            source.settimeout(min(self._idle_timeout, source.gettimeout() or self._idle_timeout))
            try:
                data: bytes = source.recv(PIECE_BYTES)
            except TimeoutError:
                if time.monotonic() - self._used >= source.gettimeout():
                    return b""
                continue
            self._used = time.monotonic()
            return data

    def _stop(self) -> None:
        """The server stops. Does not wait."""
        for way in (self._up, self._down):
            way.is_stopping = True
            self._tasks.append(host.spawn(way.tell))
        self._tasks.append(host.spawn(self._give_up))

    def _give_up(self) -> None:
        host.sleep(CLOSE_SECONDS)
        with suppress(OSError):  # it has ended
            self._upstream.shutdown(socket.SHUT_RDWR)
