"""The visitor's side of a request: its body as it arrives, and its connection itself."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException

from flask_realtime import host
from flask_realtime.host.connection import INPUT
from flask_realtime.proxy.errors import BadRequest, BodyTooLarge, ClientGone
from flask_realtime.proxy.headers import tokens
from flask_realtime.server.chunkedbody import ChunkedBody
from flask_realtime.server.httpprotocol import ON_STOP, TAKE_OVER

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PIECE_BYTES = 1 << 18
LINGER_SECONDS = 2.0  # for a visitor that still sends to read the refusal
_LENGTH = re.compile(r"[0-9]{1,18}")


def sent_headers(environ: WSGIEnvironment) -> list[tuple[str, str]]:
    """The request's headers, as they came where the server keeps them."""
    raw = environ.get("headers_raw")
    if raw is not None:
        return list(raw)
    names = [name for name in environ if name.startswith("HTTP_")]
    headers = [(name[5:].replace("_", "-").title(), environ[name]) for name in names]
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers.append((name.replace("_", "-").title(), environ[name]))
    return headers


class Body:
    """A request's body, piece by piece as it arrives.

    `length` is None for a chunked one. Raises BadRequest when its framing is ambiguous, and
    BodyTooLarge when it says that it has more than `limit` bytes.
    """

    def __init__(
        self, environ: WSGIEnvironment, fields: dict[str, list[str]], limit: int | None
    ) -> None:
        codings = tokens(fields.get("transfer-encoding", ()))
        lengths = set(fields.get("content-length", ()))
        if codings not in ([], ["chunked"]):
            # The server has not recognised it and would read the body as the next request.
            raise BadRequest("The request has a transfer coding other than chunked.")
        if len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)) or (codings and lengths):
            raise BadRequest("The length of the request's body is ambiguous.")
        self._input: Any = environ.get(INPUT)
        self._plain = environ["wsgi.input"]
        self._chunks: ChunkedBody | None = None
        if codings and self._input is not None:
            self._chunks = self._input
        self.length = None if codings else int(min(lengths, default="0"))
        self._limit = limit
        self.taken = 0  # bytes that were read
        self.ended = self.length == 0
        if limit is not None and (self.length or 0) > limit:
            raise _too_large(limit)

    def read(self) -> bytes:
        """The next piece, at least one byte; empty at the end. Waits for the visitor.

        Raises ClientGone, BadRequest (a malformed chunk) and BodyTooLarge.
        """
        if self.ended:
            return b""
        try:
            piece = self._counted() if self.length is not None else self._chunked()
        except OSError as error:
            raise ClientGone("The visitor left while sending.") from error
        self.taken += len(piece)
        if self._limit is not None and self.taken > self._limit:
            raise _too_large(self._limit)
        return piece

    def _counted(self) -> bytes:
        assert self.length is not None
        wanted = min(PIECE_BYTES, self.length - self.taken)
        if self._input is None:
            piece: bytes = self._plain.read(wanted)
        else:
            # Its read() would wait until all that is wanted has come.
            piece = self._input.read1(wanted)
        if not piece:
            raise ClientGone("The visitor left while sending.")
        self.ended = self.taken + len(piece) == self.length
        return piece

    def _chunked(self) -> bytes:
        chunks = self._chunks
        if chunks is None:
            raise BadRequest("This server reads no chunked bodies.")
        try:
            piece = chunks.read1(PIECE_BYTES)
        except HTTPException as error:
            kind = BodyTooLarge if error.code == 413 else BadRequest
            raise kind(error.description or "The request's body is malformed.") from error
        self.ended = not piece
        return piece


class Client:
    """The connection that a request came on, when the server is that of flask_realtime."""

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._environ = environ
        self._input: Any = environ.get(INPUT)
        self._connection = host.Connection(environ)

    @property
    def socket(self) -> Any:
        """The green socket. Raises RuntimeError under another server."""
        if self._input is None:
            raise RuntimeError("this needs a server of flask_realtime")
        return self._input.get_socket()

    def gone(self) -> bool:
        return self._connection.gone()

    def early(self) -> bytes:
        """What came right behind the request's head; does not wait."""
        green = self.socket
        before = green.gettimeout()
        green.settimeout(0)
        received = b""
        # Nothing there, or gone: who reads next will see.
        with suppress(OSError):
            while len(received) < PIECE_BYTES and (piece := self._input.rfile.read1(65536)):
                received += piece
        green.settimeout(before)
        return received

    def take_over(self) -> None:
        """From here on the socket is the caller's: the server writes nothing, and closes it."""
        if (take_over := self._environ.get(TAKE_OVER)) is not None:
            take_over()

    def on_stop(self, function: Callable[[], object]) -> None:
        """Have `function` called when the server stops while the socket is the caller's."""
        if (tell := self._environ.get(ON_STOP)) is not None:
            tell(function)

    def cut(self) -> None:
        """End the answer here so that the visitor sees that it is not whole."""
        self.take_over()

    def refuse(self, head: bytes, body: bytes) -> None:
        """Answer on the socket and close it, although more of the request may be on its way."""
        green = self.socket
        self.take_over()
        with suppress(OSError):  # the visitor has left
            green.settimeout(LINGER_SECONDS)
            green.sendall(head + body)
            green.shutdown(socket.SHUT_WR)
            # Closed with bytes unread, a reset would take the answer away from the visitor.
            end = time.monotonic() + LINGER_SECONDS
            while time.monotonic() < end and green.recv(65536):
                pass


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"The request's body is larger than {limit} bytes.")
