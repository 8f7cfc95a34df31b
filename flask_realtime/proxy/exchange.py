"""One request to an upstream and its answer, both streamed."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from flask_realtime import host
from flask_realtime.proxy.client import PIECE_BYTES, Body, Client
from flask_realtime.proxy.errors import (
    ClientGone,
    ProxyError,
    StaleConnection,
    UpstreamDown,
    UpstreamNonsense,
    UpstreamSlow,
)
from flask_realtime.proxy.headers import Headers
from flask_realtime.proxy.upstream import Pool
from flask_realtime.proxy.wire import MAX_HEAD_BYTES, ChunkedReader, Head, parse_head, request_bytes

IDEMPOTENT = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
INLINE_BYTES = 1 << 16  # bodies up to this are sent before the answer is looked for
WATCH_SECONDS = 1.0  # how often a silent exchange looks whether its visitor is still there


class Exchange:
    """Sends one request; then `head` is the answer's head, and `pieces()` its body.

    It is over when `pieces` is exhausted or `close` was called; `close` may be called twice.
    """

    head: Head
    _body: Body

    def __init__(
        self, pool: Pool, client: Client, *, read_timeout: float, idle_timeout: float
    ) -> None:
        self._pool = pool
        self._client = client
        self._read_timeout = read_timeout
        self._idle_timeout = idle_timeout
        self._connection: Any = None
        self._early = b""  # of the body, came with the head
        self._upload: host.Task | None = None
        self._fault: ProxyError | None = None  # of the upload

    def send(self, method: str, target: str, headers: Headers, body: Body) -> Head:
        """Send the request and wait for the answer's head.

        Raises UpstreamDown, UpstreamSlow, UpstreamNonsense, and what reading `body` raises.
        """
        if body.length is None:
            headers = [*headers, ("Transfer-Encoding", "chunked")]
        elif body.length or method in ("POST", "PUT", "PATCH"):
            headers = [*headers, ("Content-Length", str(body.length))]
        start = request_bytes(method, target, headers)
        # Only what may be repeated goes over a connection that may have gone stale just now.
        kept = self._pool.idle() if method in IDEMPOTENT and body.ended else None
        if kept is not None:
            try:
                return self._ask(kept, method, start, body)
            except StaleConnection:
                self._drop()
        return self._ask(self._pool.connect(), method, start, body)

    def _ask(self, connection: Any, method: str, start: bytes, body: Body) -> Head:
        self._connection = connection
        connection.settimeout(self._read_timeout)
        try:
            if not body.ended and body.length is not None and body.length <= INLINE_BYTES:
                with host.Timeout(self._read_timeout, ClientGone("The visitor sends too slowly.")):
                    while piece := body.read():
                        start += piece
            connection.sendall(start)
        except TimeoutError as error:
            raise UpstreamSlow("The app server does not read the request.") from error
        except OSError as error:
            raise StaleConnection("The app server hung up.") from error
        self._body = body
        if not body.ended:
            self._upload = host.spawn(self._send_body, connection, body)
        self.head = self._read_head(method)
        return self.head

    def _send_body(self, connection: Any, body: Body) -> None:
        """The upload's greenlet."""
        try:
            while piece := body.read():
                if body.length is None:
                    piece = b"%x\r\n%b\r\n" % (len(piece), piece)
                connection.sendall(piece)
            if body.length is None:
                connection.sendall(b"0\r\n\r\n")
        except ProxyError as error:
            self._fault = error
            _hang_up(connection)  # the upstream must not take what came for the whole
        except OSError:
            pass  # it reads no further; its answer says why, or its silence
        finally:
            self._upload = None

    def _read_head(self, method: str) -> Head:
        received = b""
        while True:
            end = received.find(b"\r\n\r\n")
            if max(end, len(received) if end < 0 else 0) > MAX_HEAD_BYTES:
                raise UpstreamNonsense("The head of the app server's answer is too long.")
            if end >= 0:
                head = parse_head(received[:end], bodyless=method == "HEAD")
                received = received[end + 4 :]
                if head.status == 101 or head.status >= 200:
                    self._early = received
                    return head
                continue  # an interim answer
            data = self._receive(self._read_timeout, begun=bool(received))
            if not data:
                raise UpstreamNonsense("The app server's answer ends within its head.")
            received += data

    def _receive(self, patience: float, *, begun: bool = True) -> bytes:
        """Wait for bytes of the upstream, and meanwhile for the visitor to leave."""
        connection = self._connection
        end = time.monotonic() + patience
        sent = self._body.taken
        watch = min(WATCH_SECONDS, patience)
        if connection.gettimeout() != watch:
            connection.settimeout(watch)
        while True:
            try:
                if not begun:  # nothing can be there yet: to look would be in vain
                    host.wait_readable(connection.fileno(), watch)
                data: bytes = connection.recv(PIECE_BYTES)
            except TimeoutError:
                if self._body.taken != sent:  # it waits for the rest
                    sent = self._body.taken
                    end = time.monotonic() + patience
                if self._upload is None and self._client.gone():
                    raise ClientGone("The visitor left.") from None
                if time.monotonic() >= end:
                    raise UpstreamSlow(
                        f"The app server has not answered for {patience:g} s."
                    ) from None
                continue
            except OSError as error:
                data = b""
                cause: OSError | None = error
            else:
                cause = None
            if self._fault is not None:
                raise self._fault
            if not data and not begun:
                raise StaleConnection("The app server hung up without an answer.") from cause
            if cause is not None:
                raise UpstreamDown("The app server hung up within its answer.") from cause
            return data

    def pieces(self) -> Iterator[bytes]:
        """The body of the answer. Raises ProxyError when it ends too early."""
        patience = self._read_timeout
        if any("event-stream" in kind for kind in self.head.fields.get("content-type", ())):
            patience = self._idle_timeout  # it may be silent for as long as it has nothing to say
        try:
            if self.head.chunked:
                yield from self._chunked(patience)
            elif self.head.length is not None:
                yield from self._counted(self.head.length, patience)
            else:
                data = self._early
                while data or (data := self._receive(patience)):
                    yield data
                    data = b""
        finally:
            self.close()

    def _counted(self, left: int, patience: float) -> Iterator[bytes]:
        data, self._early = self._early, b""
        while left:
            data = data or self._receive(patience)
            if not data:
                raise UpstreamDown("The app server's answer ends too early.")
            piece, rest = (data, b"") if len(data) <= left else (data[:left], data[left:])
            left -= len(piece)
            data = b""
            if not left:
                self._finish(excess=bool(rest))
            yield piece
        self._finish(excess=bool(data))

    def _chunked(self, patience: float) -> Iterator[bytes]:
        reader = ChunkedReader()
        data, self._early = self._early, b""
        while True:
            pieces = reader.feed(data)
            if reader.ended:
                self._finish(excess=bool(reader.excess))
            if pieces:
                yield pieces[0] if len(pieces) == 1 else b"".join(pieces)
            if reader.ended:
                return
            data = self._receive(patience)
            if not data:
                raise UpstreamDown("The app server's answer ends too early.")

    def _finish(self, *, excess: bool) -> None:
        """The answer was read to its end."""
        connection = self._connection
        if connection is not None and self.head.reusable and not excess and self._upload is None:
            self._connection = None
            self._pool.give_back(connection)

    def detach(self) -> tuple[Any, bytes]:
        """The connection, now the caller's, and what the upstream sent after the head."""
        connection, self._connection = self._connection, None
        return connection, self._early

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def close(self) -> None:
        upload, self._upload = self._upload, None
        if upload is not None:
            upload.kill()
        self._drop()


def _hang_up(connection: Any) -> None:
    with suppress(OSError):  # it was not connected any more
        connection.shutdown(socket.SHUT_RDWR)
