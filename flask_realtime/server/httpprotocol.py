"""HTTP/1.1 on one connection: requests are read strictly and within limits, and answered."""

from __future__ import annotations

import http
import logging
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from flask_realtime import host
from flask_realtime.host.connection import INPUT, SOCKETIO_INPUT
from flask_realtime.server.accesslog import AccessLog, Entry
from flask_realtime.server.answer import ENDED, Answer
from flask_realtime.server.chunkedbody import ChunkedBody
from flask_realtime.server.connections import Connection
from flask_realtime.server.limits import Limits, Phase
from flask_realtime.server.requestbody import RequestBody
from flask_realtime.server.requesthead import (
    BadHead,
    Fields,
    RequestLine,
    body_length,
    parse_fields,
    parse_line,
)
from flask_realtime.server.responsewriter import ResponseWriter

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ON_STOP = "flask_realtime.on_stop"  # in the environ: Connection.on_stop of the request's connection
# In the environ, to be called when the rest of the request will not be read: the connection is
# closed behind the answer.
BE_LAST = "flask_realtime.be_last"
# In the environ, to be called by who goes on with the connection itself: Answer.take_over.
TAKE_OVER = "flask_realtime.take_over"
PROTOCOL = "flask_realtime.protocol"  # in the environ: HTTP/1.0 or HTTP/1.1
MAX_LINE_BYTES = 8192  # of the request line
LINGER_SECONDS = 2.0  # that a client whom we refuse has to read why
LINGER_BYTES = 8 << 20

_log = logging.getLogger(__name__)


class Service:
    """What the protocols of one listening socket share: the application, limits, the log."""

    def __init__(
        self,
        wsgi_app: WSGIApplication,
        limits: Limits,
        log: AccessLog | None,
        is_tls: bool,
    ) -> None:
        self.application = wsgi_app
        self.limits = limits
        self.access_log = log
        self.environ: dict[str, Any] = {
            "wsgi.errors": sys.stderr,
            "wsgi.version": (1, 0),
            "wsgi.multithread": host.IS_THREADED,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "wsgi.url_scheme": "https" if is_tls else "http",
            "SCRIPT_NAME": "",
            "GATEWAY_INTERFACE": "CGI/1.1",
            **({"HTTPS": "on"} if is_tls else {}),
        }

    def serve_connection(self, connection: Connection) -> None:
        """Answer its requests, until one side closes it. Raises OSError."""
        Protocol(connection, self).serve()


class Protocol:
    """One connection. The socket tells its `Progress` of bytes, this of requests."""

    def __init__(self, guard: Connection, service: Service) -> None:
        self.guard = guard
        guard.protocol = self
        self.service = service
        self.connection: Any = guard.socket
        if hasattr(socket, "TCP_QUICKACK") and self.connection.family != socket.AF_UNIX:
            with suppress(OSError):
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        self.rfile: Any = self.connection.makefile("rb")
        self.wfile = ResponseWriter(self.connection)
        self.close_connection = False
        self.command = self.requestline = self.request_version = self._target = ""
        self.asks_to_keep = False  # an old client, which has to be told that it is
        self._refused = False

    def serve(self) -> None:
        try:
            while not self.close_connection:
                self._serve_request()
        finally:
            self._finish()

    def _serve_request(self) -> None:
        self.requestline, self.command = "", ""
        self.guard.progress.enter(Phase.IDLE, time.monotonic())
        line: bytes = self.rfile.readline(MAX_LINE_BYTES)
        if line in (b"\r\n", b"\n"):  # RFC 9112, section 2.2
            return
        if len(line) >= MAX_LINE_BYTES:
            self.send_error(414, "The request's target is too long.")
            return
        if not line.endswith(b"\n"):  # the client has gone
            self.close_connection = True
            return
        fields = self._head(line)
        if fields is None or self._refused:  # it was answered, or its client has gone
            self.close_connection = True
            return
        environ, body = self._environ(fields)
        answer = Answer(self, body)
        environ[TAKE_OVER] = answer.take_over
        del fields  # a WebSocket may last: all that is needed is in the environ
        answer.give(self.service.application, environ)
        if body.failed:
            self._be_last()
        self.guard.progress.is_upgrade = False

    def _head(self, first: bytes) -> Fields | None:
        """Read the rest of the head; None when it was refused, or cut off."""
        self.guard.progress.enter(Phase.HEAD, self.guard.progress.since)
        self.guard.has_asked = True
        try:
            line = parse_line(first)
            self._take_line(line)
            lines = self._field_lines()
            if lines is None:
                return None
            fields = parse_fields(lines, line.version)
        except BadHead as error:
            self.send_error(error.status, error.detail)
            return None
        named = ",".join(fields.get_all("connection"))
        options = [each.strip() for each in named.lower().split(",")]
        is_old = line.version == "HTTP/1.0"
        self.asks_to_keep = "keep-alive" in options and "close" not in options
        keeps = self.asks_to_keep if is_old else "close" not in options
        self.close_connection = self.guard.is_leaving or not keeps
        return fields

    def _take_line(self, line: RequestLine) -> None:
        self.command, self._target, self.request_version = line.method, line.target, line.version
        self.requestline = f"{line.method} {line.target} {line.version}"

    def _field_lines(self) -> list[bytes] | None:
        """The header lines without the last, empty one; None when they are cut off."""
        left = self.service.limits.max_header_bytes
        lines: list[bytes] = []
        while True:
            line = self.rfile.readline(left + 1)
            left -= len(line)
            if left < 0:
                raise BadHead(431, "The headers of the request are too large.")
            if not line.endswith(b"\n"):
                return None
            if line in (b"\r\n", b"\n"):
                return lines
            lines.append(line)

    def _environ(self, fields: Fields) -> tuple[dict[str, Any], RequestBody]:
        """PEP 3333's environ, and the request's body."""
        path, _, query = self._target.partition("?")
        own, client = (
            _name_and_port(self.connection.getsockname()),
            _name_and_port(self.guard.address),
        )
        environ = {
            **self.service.environ,
            "REQUEST_METHOD": self.command,
            "RAW_PATH_INFO": path,
            "PATH_INFO": unquote(path, encoding="latin-1"),
            "QUERY_STRING": query,
            "SERVER_PROTOCOL": self.request_version,
            "SERVER_NAME": own[0],
            "SERVER_PORT": own[1],
            "REMOTE_ADDR": client[0],
            "REMOTE_PORT": client[1],
            "CONTENT_TYPE": fields.get("content-type") or "",
            "headers_raw": fields.all,
            PROTOCOL: self.request_version,
            ON_STOP: self.guard.on_stop,
            BE_LAST: self._be_last,
            ENDED: [],
        }
        for name, value in fields.all:
            # An underscore is left out: it would be taken for the hyphen of another header.
            key = "HTTP_" + name.replace("-", "_").upper()
            if "_" not in name and key not in ("HTTP_CONTENT_TYPE", "HTTP_CONTENT_LENGTH"):
                environ[key] = f"{environ[key]},{value}" if key in environ else value
        length = body_length(fields)
        if fields.get("content-length") is not None:
            environ["CONTENT_LENGTH"] = fields.get("content-length")
        is_chunked = fields.get("transfer-encoding") is not None
        # RFC 9110, section 10.1.1: an old client knows no such answer; without a body none is due.
        expects = (
            (fields.get("expect") or "").lower() == "100-continue"
            and self.request_version == "HTTP/1.1"
            and (is_chunked or length > 0)
        )
        invite = self._invite if expects else None
        body: RequestBody
        if is_chunked:
            body = ChunkedBody(self.rfile, self.connection, invite)
            environ["wsgi.input_terminated"] = True  # it ends by itself: Werkzeug reads it then
        else:
            body = RequestBody(self.rfile, length, self.connection, invite)
        environ["wsgi.input"] = environ[INPUT] = environ[SOCKETIO_INPUT] = body
        progress = self.guard.progress
        progress.enter(Phase.ANSWER, time.monotonic())
        # A request with a body has no such privilege: it would be a way around the limits.
        progress.is_upgrade = (
            environ.get("HTTP_UPGRADE", "").lower() == "websocket"
            and not body.is_chunked
            and not length
        )
        return environ, body

    def _invite(self) -> None:
        self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")

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
        if self.guard.progress.phase is not Phase.HEAD:  # it has come at last
            return
        try:
            self.send_error(408, f"This server has waited: {reason}.")
        except OSError as error:
            _log.debug("%s has gone already: %s", self.guard.address, error)
        self.guard.cut()

    def _log_refusal(self, status: int, size: int) -> None:
        if self.service.access_log is None:
            return
        method, _, rest = self.requestline.partition(" ")
        target, _, version = rest.partition(" ")
        address = self.guard.address
        self.service.access_log.add(
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

    def _finish(self) -> None:
        try:
            if self._refused:
                self._linger()
            self.rfile.close()
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError as error:
            _log.debug("%s has gone already: %s", self.guard.address, error)
        self.connection.close()

    def _linger(self) -> None:
        """Take what the client still sends: to close at once would reset what it has to read."""
        deadline, left = host.Deadline(LINGER_SECONDS), LINGER_BYTES
        self.connection.end_writing()
        take: Callable[[int], bytes] = self.connection.recv
        while left > 0 and deadline.left():
            with host.Timeout(deadline.left(), False):
                data = take(1 << 16)
                if not data:
                    return
                left -= len(data)


def _name_and_port(address: Any) -> tuple[str, str]:
    return (address[0], str(address[1])) if isinstance(address, tuple) else ("unix", "")
