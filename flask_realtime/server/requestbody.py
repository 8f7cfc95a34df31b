"""``wsgi.input`` of a request whose body has a length, which may be 0."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

_DISCARD_BYTES = 1 << 16


class RequestBody:
    """Reads `length` bytes of the connection's file `rfile`, and no further.

    `connected` is the connection's socket. `invite`, if there is one, tells a client that waits for
    it to send the body (100 Continue); it is called before the first read.
    """

    is_chunked = False
    failed = False  # where it ends is not known

    def __init__(
        self, rfile: Any, length: int, connected: Any, invite: Callable[[], None] | None
    ) -> None:
        self.rfile = rfile
        self._left = length
        self._socket = connected
        self._invite = invite

    @property
    def is_awaited(self) -> bool:
        """Whether the client still waits to be told to send it."""
        return self._invite is not None

    @property
    def is_read(self) -> bool:
        return not self._left

    def get_socket(self) -> Any:
        """The connection's socket."""
        return self._socket

    def answered(self) -> None:
        """The answer has begun: it is too late for an invitation, which some still wait for."""
        if self._invite is not None:
            self._invite = _too_late

    def invite(self) -> None:
        invite, self._invite = self._invite, None
        if invite is not None:
            invite()

    def read(self, size: int | None = None) -> bytes:
        """`size` bytes, or all; fewer at the end."""
        return self._taken(self.rfile.read, size)

    def read1(self, size: int) -> bytes:
        """What comes next, at least one byte and at most `size`; empty at the end."""
        return self._taken(self.rfile.read1, size)

    def readline(self, size: int | None = None) -> bytes:
        return self._taken(self.rfile.readline, size)

    def _taken(self, take: Callable[[int], bytes], size: int | None) -> bytes:
        self.invite()
        wanted = self._left if size is None or size < 0 else min(size, self._left)
        if not wanted:
            return b""
        data = take(wanted)
        self._left -= len(data)
        return data

    def readlines(self, hint: int | None = None) -> list[bytes]:
        lines, size = [], 0
        for line in self:
            lines.append(line)
            size += len(line)
            if hint and size >= hint:
                break
        return lines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def discard(self) -> None:
        """Read what the application has left of it: behind it comes the next request."""
        while self.read(_DISCARD_BYTES):
            pass


def _too_late() -> None:
    """Invite nobody."""
