"""One request's way through the WSGI application (PEP 3333), and its answer in HTTP/1.1."""

from __future__ import annotations

import logging
import sys
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from flask_realtime import host
from flask_realtime.server.connections import ClientLeft
from flask_realtime.server.limits import Phase
from flask_realtime.server.requestbody import RequestBody

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

    from flask_realtime.server.httpprotocol import Protocol

# In the environ: a list of functions that are called with the environ once the request is answered.
ENDED = "flask_realtime.ended"

_log = logging.getLogger(__name__)


class Answer:
    """What is answered to the request that `protocol` has read. It does not keep the environ."""

    def __init__(self, protocol: Protocol, body: RequestBody) -> None:
        self._protocol = protocol
        self._body = body
        self._status = ""
        self._headers: list[tuple[str, str]] = []
        self._is_sent = False  # its head
        self._is_chunked = False
        self._is_bodyless = False
        self._is_elsewhere = False

    def take_over(self) -> None:
        """From here on the connection is the application's: nothing more is written to it."""
        self._is_elsewhere = True

    def give(self, application: WSGIApplication, environ: WSGIEnvironment) -> None:
        """Call the application and write what it answers. Raises OSError."""
        result: Any = None
        try:
            try:
                result = application(environ, self.start)
                self._settle_length(result)
                for data in result:
                    if data:
                        self.write(data)
                self._finish()
            except (Exception, host.Timeout):  # noqa: BLE001  # the boundary of an application
                self._failed()
        finally:
            close = getattr(result, "close", None)
            if close is not None:
                close()
            self._leave_body()
            for ended in environ[ENDED]:
                ended(environ)

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """PEP 3333's start_response."""
        if exc_info and self._is_sent:
            try:
                raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # no cycle with the traceback
        code = int(status.split(" ", 1)[0])
        self._is_bodyless = code in (204, 304) or code < 200 or self._protocol.command == "HEAD"
        self._status, self._headers = status, list(headers)
        return self.write

    def _settle_length(self, result: Any) -> None:
        if self._status and not self._is_sent and hasattr(result, "__len__"):
            if not self._is_bodyless and not self._has("content-length"):
                self._headers.append(("Content-Length", str(sum(map(len, result)))))
            if self._body.is_awaited:  # nobody will read what the client waits to send
                self._protocol.close_connection = True

    def _has(self, name: str) -> bool:
        return any(each.lower() == name for each, _ in self._headers)

    def write(self, data: bytes) -> None:
        """Send a part of the body, behind the head if that has not gone yet."""
        head = b"" if self._is_sent else self._head()
        if self._is_bodyless:
            data = b""
        elif self._is_chunked and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if head or data:
            self._protocol.wfile.writelines((head, data))

    def _head(self) -> bytes:
        if not self._status:
            raise AssertionError("the application has called write() before start_response()")
        protocol = self._protocol
        self._is_sent = True
        self._body.answered()
        lines = [f"HTTP/1.1 {self._status}", *(f"{name}: {text}" for name, text in self._headers)]
        if not self._has("date"):
            lines.append(f"Date: {formatdate(time.time(), usegmt=True)}")
        if not self._is_bodyless and not self._has("content-length"):
            if protocol.request_version == "HTTP/1.1":
                self._is_chunked = True
                lines.append("Transfer-Encoding: chunked")
            else:
                protocol.close_connection = True  # which ends the body
        if protocol.close_connection:
            lines.append("Connection: close")
        elif protocol.asks_to_keep:
            lines.append("Connection: keep-alive")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _finish(self) -> None:
        if self._is_elsewhere or self._protocol.guard.progress.phase is Phase.SOCKET:
            self._protocol.close_connection = True
            return
        if not self._is_sent:
            self.write(b"")
        if self._is_chunked:
            self._protocol.wfile.write(b"0\r\n\r\n")

    def _failed(self) -> None:
        """Answer 500 if that is still possible, or end the connection within the answer."""
        self._protocol.close_connection = True
        # An application aborts its answer on purpose, so that it is not taken for the whole.
        is_fault = not isinstance(sys.exc_info()[1], (ClientLeft, ConnectionAbortedError))
        _log.log(
            logging.ERROR if is_fault else logging.DEBUG,
            "%s could not be answered",
            self._protocol.requestline,
            exc_info=True,
        )
        if not self._is_sent and not self._is_elsewhere:
            self._is_chunked = False
            empty = [("Content-Type", "text/plain"), ("Content-Length", "0")]
            self.start("500 Internal Server Error", empty)
            self.write(b"")

    def _leave_body(self) -> None:
        """Come to the end of the request, if another one is to follow."""
        protocol, body = self._protocol, self._body
        if body.is_awaited:
            # The client may send the body all the same, or its next request: nobody knows.
            protocol.close_connection = True
        if protocol.close_connection or body.is_read:
            return
        try:
            body.discard()
        except (OSError, ValueError) as error:
            protocol.close_connection = True
            _log.debug("the rest of a request cannot be read: %s", error)
