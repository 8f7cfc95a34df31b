"""One request's way through the WSGI application (PEP 3333), and its answer in HTTP/1.1."""

from __future__ import annotations

import logging
import sys
import time
from email.utils import formatdate
from typing import TYPE_CHECKING, Any

from werkzeug.exceptions import HTTPException

from flask_realtime import host
from flask_realtime.server.connections import ClientLeft
from flask_realtime.server.limits import Phase
from flask_realtime.server.requestbody import RequestBody
from flask_realtime.server.responsehead import ResponseHead

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
        self._head: ResponseHead | None = None
        self._is_sent = False  # its head
        self._is_chunked = False
        self._is_bodyless = False
        self._left: int | None = None  # bytes that its head has announced, and that have not come
        self._is_taken_over = False

    def take_over(self) -> None:
        """From here on the connection is the application's: nothing more is written to it."""
        self._is_taken_over = True

    @property
    def _is_elsewhere(self) -> bool:
        return self._is_taken_over or self._protocol.guard.progress.phase is Phase.SOCKET

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
            # The boundary of an application: also of one that calls sys.exit().
            except (Exception, SystemExit, host.Timeout):  # noqa: BLE001
                self._failed()
        except BaseException:  # the client has gone, or this task is ended: nothing follows
            self._protocol.close_connection = True
            raise
        finally:
            self._close(result)
            self._leave_body()
            for ended in environ[ENDED]:
                ended(environ)

    def start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """PEP 3333's start_response. Raises ValueError for what cannot be sent."""
        if exc_info:
            try:
                if self._is_sent:
                    raise exc_info[1].with_traceback(exc_info[2])
            finally:
                exc_info = None  # no cycle with the traceback
        elif self._head is not None:
            raise AssertionError("start_response() was called again, without exc_info")
        self._head = ResponseHead(status, headers)
        self._is_bodyless = self._head.is_bodyless or self._protocol.command == "HEAD"
        return self.write

    def _settle_length(self, result: Any) -> None:
        head = self._head
        if head is not None and not self._is_sent and isinstance(result, (list, tuple)):
            if not self._is_bodyless and head.length is None:
                head.length = sum(map(len, result))
            if self._body.is_awaited:  # nobody will read what the client waits to send
                self._protocol.close_connection = True

    def write(self, data: Any) -> None:
        """Send a part of the body, behind the head if that has not gone yet.

        Raises ValueError for more than Content-Length says: it would be taken for another answer.
        """
        if self._head is None:
            raise AssertionError("the application has called write() before start_response()")
        if isinstance(data, str):
            raise TypeError("the body is bytes, not text")
        if self._is_elsewhere:
            return
        announced = self._left if self._is_sent else self._head.length
        if self._is_bodyless:
            data = b""
        elif announced is not None and len(data) > announced:
            raise ValueError("the answer is longer than its Content-Length")
        head = b"" if self._is_sent else self._begin(self._head)
        if self._left is not None:
            self._left -= len(data)
        if self._is_chunked and data:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if head or data:
            self._protocol.wfile.writelines((head, data))

    def _begin(self, head: ResponseHead) -> bytes:
        protocol = self._protocol
        self._is_sent = True
        self._body.answered()
        lines = [f"HTTP/1.1 {head.status}", *(f"{name}: {text}" for name, text in head.fields)]
        if not head.has_date:
            lines.append(f"Date: {formatdate(time.time(), usegmt=True)}")
        if head.length is not None and head.code != 204:  # RFC 9110, section 8.6
            lines.append(f"Content-Length: {head.length}")
        if not self._is_bodyless:
            self._left = head.length
            if head.length is None:
                self._is_chunked = protocol.request_version == "HTTP/1.1"
                if self._is_chunked:
                    lines.append("Transfer-Encoding: chunked")
                else:
                    protocol.close_connection = True  # which ends the body
        protocol.close_connection = protocol.close_connection or head.closes or self._body.failed
        options = head.options
        if protocol.close_connection:
            options = [*options, "close"]
        elif protocol.asks_to_keep:
            options = [*options, "keep-alive"]
        if options:
            lines.append(f"Connection: {', '.join(options)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1")

    def _finish(self) -> None:
        if self._is_elsewhere:
            self._protocol.close_connection = True
            return
        if not self._is_sent:
            if self._head is not None and self._head.length and not self._is_bodyless:
                raise ValueError("the answer is shorter than its Content-Length")
            self.write(b"")
        if self._left:
            raise ValueError("the answer is shorter than its Content-Length")
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
            self._protocol.requestline.partition("?")[0],  # a query may hold what lets people in
            exc_info=True,
        )
        if not self._is_sent and not self._is_elsewhere:
            self._head = None
            empty = [("Content-Type", "text/plain"), ("Content-Length", "0")]
            self.start("500 Internal Server Error", empty)
            self.write(b"")

    def _close(self, result: Any) -> None:
        """What is to be called however the answer ended (PEP 3333)."""
        close = getattr(result, "close", None)
        if close is None:
            return
        try:
            close()
        except Exception:  # noqa: BLE001  # the boundary of an application
            self._protocol.close_connection = True
            _log.exception("the answer to %s could not be closed", self._protocol.requestline)

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
        except (OSError, ValueError, HTTPException) as error:  # malformed, or too large
            protocol.close_connection = True
            _log.debug("the rest of a request cannot be read: %s", error)
