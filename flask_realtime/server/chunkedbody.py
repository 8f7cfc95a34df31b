"""A chunked request body, read strictly and within a bound (RFC 9112, section 7.1)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from flask_realtime.server.requestbody import RequestBody

MAX_LINE_BYTES = 4096  # of a chunk's size with its extensions, or of a trailer
MAX_TRAILERS = 100
# CRLF alone ends a line here: a proxy in front that reads past a lone line feed, in an extension
# say, would find other chunks, and other requests behind them.
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})([ \t]*;[^\r\n]*)?\r\n")
_TRAILER = re.compile(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+:[^\x00\r\n]*\r\n")


class BadChunks(BadRequest, ValueError):
    """The body is not what RFC 9112 calls chunked, or ends too early."""


class ChunkedBody(RequestBody):
    """``wsgi.input`` of a request with a chunked body.

    Reading raises BadChunks, and RequestEntityTooLarge after `max_bytes`, if it is not None, which
    a Flask view answers with 400 and 413; the connection is closed then.
    """

    is_chunked = True
    length = None

    def __init__(self, rfile: Any, connected: Any, invite: Callable[[], None] | None) -> None:
        super().__init__(rfile, 0, connected, invite)
        self.max_bytes: int | None = None
        self._count = 0
        self.left = 0  # bytes of the current chunk that are still to come
        self._is_first = True
        self._ended = False

    @property
    def is_read(self) -> bool:
        return self._ended

    def read1(self, size: int) -> bytes:
        """What comes next, at least one byte and at most `size`; empty at the end."""
        self.invite()
        try:
            if not self._next_chunk(self.rfile):
                return b""
            return self._take(self.rfile.read1(min(size, self.left)))
        except (BadRequest, RequestEntityTooLarge):
            self.failed = True
            raise

    def read(self, size: int | None = None) -> bytes:
        """`size` bytes, or all; fewer at the end."""
        return self._read(size, self.rfile.read)

    def readline(self, size: int | None = None) -> bytes:
        return self._read(size, self.rfile.readline)

    def _read(self, length: int | None, take: Callable[[int], bytes]) -> bytes:
        self.invite()
        wanted = None if length is None or length < 0 else length
        parts: list[bytes] = []
        try:
            while wanted != 0 and self._next_chunk(self.rfile):
                size = self.left if wanted is None else min(self.left, wanted)
                data = self._take(take(size))
                parts.append(data)
                if wanted is not None:
                    wanted -= len(data)
                if take == self.rfile.readline and data.endswith(b"\n"):
                    break
        except (BadRequest, RequestEntityTooLarge):
            self.failed = True
            raise
        return b"".join(parts)

    def _take(self, data: bytes) -> bytes:
        if not data:
            raise BadChunks("The request's body ended too early.")
        self.left -= len(data)
        self._count += len(data)
        return data

    def _next_chunk(self, rfile: Any) -> bool:
        """Whether there is more of the body; reads the lines between two chunks."""
        if self.left or self._ended:
            return not self._ended
        if not self._is_first and self._line(rfile) != b"\r\n":
            raise BadChunks("A chunk of the request's body is longer than it says.")
        self._is_first = False
        found = _SIZE.fullmatch(self._line(rfile))
        if found is None:
            raise BadChunks("A chunk of the request's body has no size.")
        self.left = int(found[1], 16)
        if self.max_bytes is not None and self._count + self.left > self.max_bytes:
            raise RequestEntityTooLarge(f"The body is limited to {self.max_bytes} bytes.")
        if self.left:
            return True
        self._ended = True
        for _ in range(MAX_TRAILERS):
            if (line := self._line(rfile)) == b"\r\n":
                return False
            if _TRAILER.fullmatch(line) is None:
                raise BadChunks("A trailer of the request's body is malformed.")
        raise BadChunks("The request's body has too many trailers.")

    def _line(self, rfile: Any) -> bytes:
        line: bytes = rfile.readline(MAX_LINE_BYTES)
        if not line.endswith(b"\n"):
            raise BadChunks("A line between the chunks of the request's body is cut off.")
        return line
