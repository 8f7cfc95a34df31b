"""A chunked request body, read strictly and within a bound (RFC 9112, section 7.1)."""

from __future__ import annotations

import re
from typing import Any

from werkzeug.exceptions import BadRequest, RequestEntityTooLarge

from flask_realtime import host

MAX_LINE_BYTES = 4096  # of a chunk's size with its extensions, or of a trailer
MAX_TRAILERS = 100
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(;[^\r\n]*)?\r?\n")


class BadChunks(BadRequest, host.ChunkReadError):  # type: ignore[misc]  # eventlet has no types
    """The body is not what RFC 9112 calls chunked, or ends too early."""


class ChunkedBody(host.Input):  # type: ignore[misc]
    """What eventlet puts into ``wsgi.input``, for chunked bodies.

    Reading raises BadChunks, and RequestEntityTooLarge after `max_bytes`, if it is not None, which
    a Flask view answers with 400 and 413; the connection is closed then.
    """

    def __init__(self, plain: Any, max_bytes: int | None = None) -> None:
        super().__init__(plain.rfile, None, plain.get_socket(), plain.wfile, plain.wfile_line, True)
        self.max_bytes = max_bytes
        self._taken = 0
        self.left = 0  # bytes of the current chunk that are still to come
        self._is_first = True
        self._ended = False
        self.failed = False

    def read1(self, size: int) -> bytes:
        """What comes next, at least one byte and at most `size`; empty at the end."""
        self._invite()
        try:
            if not self._next_chunk(self.rfile):
                return b""
            return self._take(self.rfile.read1(min(size, self.left)))
        except (BadRequest, RequestEntityTooLarge):
            self.failed = True
            raise

    def _invite(self) -> None:
        """Tell a client that waits for it to send the body."""
        if self.should_send_hundred_continue:
            self.send_hundred_continue_response()
            self.is_hundred_continue_response_sent = True

    def _chunked_read(
        self, rfile: Any, length: int | None = None, use_readline: bool = False
    ) -> Any:
        self._invite()
        wanted = None if length is None or length < 0 else length
        parts: list[bytes] = []
        try:
            while wanted != 0 and self._next_chunk(rfile):
                size = self.left if wanted is None else min(self.left, wanted)
                data = self._take(rfile.readline(size) if use_readline else rfile.read(size))
                parts.append(data)
                if wanted is not None:
                    wanted -= len(data)
                if use_readline and data.endswith(b"\n"):
                    break
        except (BadRequest, RequestEntityTooLarge):
            self.failed = True
            raise
        return b"".join(parts)

    def _take(self, data: bytes) -> bytes:
        if not data:
            raise BadChunks("The request's body ended too early.")
        self.left -= len(data)
        self._taken += len(data)
        self.position = self._taken
        return data

    def _next_chunk(self, rfile: Any) -> bool:
        """Whether there is more of the body; reads the lines between two chunks."""
        if self.left or self._ended:
            return not self._ended
        if not self._is_first and self._line(rfile) not in (b"\r\n", b"\n"):
            raise BadChunks("A chunk of the request's body is longer than it says.")
        self._is_first = False
        found = _SIZE.fullmatch(self._line(rfile))
        if found is None:
            raise BadChunks("A chunk of the request's body has no size.")
        self.left = int(found[1], 16)
        if self.max_bytes is not None and self._taken + self.left > self.max_bytes:
            raise RequestEntityTooLarge(f"The body is limited to {self.max_bytes} bytes.")
        if self.left:
            return True
        self._ended = True
        for _ in range(MAX_TRAILERS):
            if self._line(rfile) in (b"\r\n", b"\n"):
                return False
        raise BadChunks("The request's body has too many trailers.")

    def _line(self, rfile: Any) -> bytes:
        line: bytes = rfile.readline(MAX_LINE_BYTES)
        if not line.endswith(b"\n"):
            raise BadChunks("A line between the chunks of the request's body is cut off.")
        return line
