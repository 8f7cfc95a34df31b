"""A socket whose calls make only the calling task wait, on either hub."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable
from typing import Any, TypeVar

from flask_realtime import host
from flask_realtime.host.deadline import Deadline

T = TypeVar("T")
FULL_SECONDS = 0.005  # between two attempts to connect to a Unix socket that takes nobody now


class Patient:
    """A socket that does not block for the system; `settimeout` is how long a call may wait."""

    _patience: float | None = None
    fileno: Callable[[], int]

    def settimeout(self, value: float | None) -> None:
        self._patience = value

    def gettimeout(self) -> float | None:
        return self._patience

    def setblocking(self, flag: bool) -> None:
        self._patience = None if flag else 0.0

    def until_readable(self) -> None:
        """Raises BlockingIOError where it may not wait, TimeoutError where not so long."""
        if self._patience == 0.0:
            raise BlockingIOError(errno.EAGAIN, "nothing can be read now")
        host.wait_readable(self.fileno(), self._patience)

    def until_writable(self) -> None:
        """As `until_readable`."""
        if self._patience == 0.0:
            raise BlockingIOError(errno.EAGAIN, "nothing can be written now")
        host.wait_writable(self.fileno(), self._patience)


class HubSocket(Patient, socket.socket):
    """What TCP and Unix sockets are on the hub."""

    @classmethod
    def taking(cls, connected: socket.socket) -> HubSocket:
        """A socket that takes the descriptor of `connected`."""
        patience = connected.gettimeout()
        made = cls(connected.family, connected.type, connected.proto, connected.detach())
        socket.socket.setblocking(made, False)
        # One that does not block was made so for this: its calls wait.
        made._patience = patience or None
        return made

    def _retried(self, call: Callable[..., T], *args: Any) -> T:
        while True:
            try:
                return call(self, *args)
            except BlockingIOError:
                pass  # it would hold this frame while that waits
            self.until_readable()

    def recv(self, size: int, flags: int = 0) -> bytes:
        return self._retried(socket.socket.recv, size, flags)

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        return self._retried(socket.socket.recv_into, buffer, size, flags)

    def accept(self) -> tuple[socket.socket, Any]:
        """A client, as a socket that blocks."""
        return self._retried(socket.socket.accept)

    def send(self, data: Any, flags: int = 0) -> int:
        while True:
            try:
                return socket.socket.send(self, data, flags)
            except BlockingIOError:
                pass
            self.until_writable()

    def sendall(self, data: Any, flags: int = 0) -> None:
        sent = self.send(data, flags)
        if sent < len(data):
            view = memoryview(data)[sent:]
            while view:
                view = view[self.send(view, flags) :]

    def connect(self, address: Any) -> None:
        deadline = None if self._patience is None else Deadline(self._patience)
        while (code := socket.socket.connect_ex(self, address)) not in (0, errno.EISCONN):
            left = None if deadline is None else deadline.left()
            if code == errno.EAGAIN:  # a Unix socket whose line is full
                if left == 0.0:
                    raise TimeoutError("timed out")
                host.sleep(FULL_SECONDS)
            elif code in (errno.EINPROGRESS, errno.EALREADY):
                host.wait_writable(self.fileno(), left)
                code = self.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                if code:
                    raise OSError(code, os.strerror(code))
            else:
                raise OSError(code, os.strerror(code))

    def close(self) -> None:
        if (descriptor := self.fileno()) >= 0:
            host.closing(descriptor)
        super().close()
