"""HTTP/1.1 as eventlet's server speaks it, with requests read strictly and within limits."""

from __future__ import annotations

import http
import logging
import sys
import time
from collections.abc import Callable
from typing import Any

from flask_realtime import host
from flask_realtime.server.accesslog import AccessLog, Entry
from flask_realtime.server.chunkedbody import ChunkedBody
from flask_realtime.server.connections import ClientLeft, Connection
from flask_realtime.server.limits import Limits, Phase
from flask_realtime.server.requesthead import (
    BadHead,
    Fields,
    RequestLine,
    body_length,
    parse_fields,
    parse_line,
)
from flask_realtime.server.responsewriter import ResponseWriter

ON_STOP = "flask_realtime.on_stop"  # in the environ: Connection.on_stop of the request's connection
# In the environ, to be called when the rest of the request will not be read: the connection is
# closed behind the answer.
BE_LAST = "flask_realtime.be_last"
PROTOCOL = "flask_realtime.protocol"  # in the environ: HTTP/1.0 or HTTP/1.1
LINGER_SECONDS = 2.0  # that a client whom we refuse has to read why
LINGER_BYTES = 8 << 20

_log = logging.getLogger(__name__)


class Service(host.WsgiServer):  # type: ignore[misc]  # eventlet has no types
    """What the protocols of one listening socket share: the application, limits, the log."""

    def __init__(
        self,
        listener: Any,
        wsgi_app: Any,
        limits: Limits,
        log: AccessLog | None,
        is_tls: bool,
    ) -> None:
        secure = {"wsgi.url_scheme": "https", "HTTPS": "on"} if is_tls else None
        super().__init__(
            listener,
            listener.getsockname(),
            wsgi_app,
            environ=secure,
            max_http_version="HTTP/1.1",
            protocol=Protocol,
            minimum_chunk_size=1,  # a streamed response goes out as it comes
            log_output=False,
            debug=False,  # no traceback in an error response
        )
        self.capitalize_response_headers = False  # see ResponseHeaders
        self.limits = limits
        self.access_log = log
        self.log = _ApplicationFaults()

    def serve_connection(self, connection: Connection) -> None:
        """Answer its requests, until one side closes it."""
        state = _State(connection)
        Protocol(state, self)


class _ApplicationFaults:
    """Where eventlet's server logs: tracebacks of WSGI applications, and of bodies cut off."""

    def info(self, message: str, *args: object) -> None:
        # An application aborts its answer on purpose, so that it is not taken for the whole.
        is_fault = not isinstance(sys.exc_info()[1], (ClientLeft, ConnectionAbortedError))
        _log.log(logging.ERROR if is_fault else logging.DEBUG, message, *args)

    error = info

    def debug(self, message: str, *args: object) -> None:
        _log.debug(message, *args)


class _State(list[Any]):
    """What eventlet's protocol knows of a connection, and the connection."""

    def __init__(self, connection: Connection) -> None:
        super().__init__(connection.state)
        connection.state = self
        self.connection = connection


class Protocol(host.HttpProtocol):  # type: ignore[misc]
    """One connection. The socket tells its `Progress` of bytes, this of requests."""

    def __init__(self, state: _State, server: Service) -> None:
        self.guard = state.connection
        self.guard.protocol = self
        self._refused = False
        self.requestline = ""
        super().__init__(state, server)

    wbufsize = 0  # see ResponseWriter
    wfile: Any

    def setup(self) -> None:
        super().setup()
        self.wfile.close()
        self.wfile = ResponseWriter(self.connection)

    def handle_one_request(self) -> None:
        self.requestline, self.command = "", ""
        self.guard.progress.enter(Phase.IDLE, time.monotonic())
        super().handle_one_request()

    def _read_request_line(self) -> bytes:
        line: bytes = super()._read_request_line()
        if len(line) < self.server.url_length_limit:
            return line
        self.send_error(414, "The request's target is too long.")
        return b""

    def parse_request(self) -> bool:
        """Read the head. False when it was refused, or was not there at all."""
        if self.raw_requestline in (b"\r\n", b"\n"):  # RFC 9112, section 2.2
            self.close_connection = False
            return False
        if not self.raw_requestline.endswith(b"\n"):  # the client has gone
            return False
        self.guard.progress.enter(Phase.HEAD, self.guard.progress.since)
        try:
            line = parse_line(self.raw_requestline)
            self._take_line(line)
            lines = self._field_lines()
            if lines is None:
                return False
            self.headers = parse_fields(lines, line.version)
        except BadHead as error:
            self.send_error(error.status, error.detail)
            return False
        named = self.headers.get("connection") or ""
        options = [each.strip() for each in named.lower().split(",")]
        is_old = line.version == "HTTP/1.0"
        keeps = "keep-alive" in options if is_old else "close" not in options
        self.close_connection = self.guard.is_leaving or not keeps
        return True

    def _take_line(self, line: RequestLine) -> None:
        self.command, self.path, self.request_version = line.method, line.target, line.version
        self.requestline = f"{line.method} {line.target} {line.version}"

    def _field_lines(self) -> list[bytes] | None:
        """The header lines without the last, empty one; None when they are cut off."""
        left = self.server.limits.max_header_bytes
        lines: list[bytes] = []
        while True:
            line = self.rfile.fp.readline(left + 1)
            left -= len(line)
            if left < 0:
                raise BadHead(431, "The headers of the request are too large.")
            if not line.endswith(b"\n"):
                return None
            if line in (b"\r\n", b"\n"):
                return lines
            lines.append(line)

    def get_environ(self) -> dict[str, Any]:
        environ: dict[str, Any] = super().get_environ()
        environ[PROTOCOL] = self.request_version
        environ[ON_STOP] = self.guard.on_stop
        environ[BE_LAST] = self._be_last
        environ["wsgi.multithread"] = False  # greenlets of one thread
        if environ["wsgi.input"].chunked_input:
            body = ChunkedBody(environ["wsgi.input"])
            environ["wsgi.input"] = environ["eventlet.input"] = body
            environ["wsgi.input_terminated"] = True  # it ends by itself: Werkzeug reads it then
        progress = self.guard.progress
        progress.enter(Phase.ANSWER, time.monotonic())
        # A request with a body has no such privilege: it would be a way around the limits.
        progress.is_upgrade = (
            environ.get("HTTP_UPGRADE", "").lower() == "websocket"
            and not environ["wsgi.input"].chunked_input
            and body_length(self.headers) == 0
        )
        if progress.is_upgrade:  # it may last: all that is needed of the headers is in the environ
            self.headers = Fields([])
        return environ

    def handle_one_response(self) -> None:
        body = self.environ["eventlet.input"]
        super().handle_one_response()
        if isinstance(body, ChunkedBody) and body.failed:
            self._be_last()
        self.guard.progress.is_upgrade = False

    def _be_last(self) -> None:
        self.close_connection = True
        self._refused = True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse the request, in plain text, and close the connection."""
        self._be_last()
        self.guard.progress.enter(Phase.ANSWER, time.monotonic())
        body = f"{message}\n".encode()
        phrase = http.HTTPStatus(code).phrase
        head = (
            f"HTTP/1.1 {code} {phrase}\r\nContent-Type: text/plain; charset=utf-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        )
        self.wfile.write(head.encode() + (b"" if self.command == "HEAD" else body))
        self._log_refusal(code, len(body))

    def refuse_late(self, reason: str) -> None:
        """Give up a request whose head does not come; from another greenlet than its own."""
        try:
            self.send_error(408, f"This server has waited: {reason}.")
            self.wfile.flush()
        except OSError as error:
            _log.debug("%s has gone already: %s", self.guard.address, error)
        self.guard.cut()

    def _log_refusal(self, status: int, size: int) -> None:
        if self.server.access_log is None:
            return
        method, _, rest = self.requestline.partition(" ")
        target, _, version = rest.partition(" ")
        address = self.guard.address
        self.server.access_log.add(
            Entry(
                time=time.time(),
                seconds=time.monotonic() - self.guard.progress.since,
                remote=address[0] if isinstance(address, tuple) else "",
                user="",
                method=method,
                target=target,
                protocol=version,
                status=status,
                bytes=size,
            )
        )

    def finish(self) -> None:
        if self._refused and not self.wfile.closed:
            self._linger()
        super().finish()

    def _linger(self) -> None:
        """Take what the client still sends: to close at once would reset what it has to read."""
        deadline, left = host.Deadline(LINGER_SECONDS), LINGER_BYTES
        self.wfile.flush()
        self.connection.end_writing()
        take: Callable[[int], bytes] = self.connection.recv
        while left > 0 and deadline.left():
            with host.Timeout(deadline.left(), False):
                data = take(1 << 16)
                if not data:
                    return
                left -= len(data)
