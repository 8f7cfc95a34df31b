"""A client's connection: its socket, which keeps `Progress` up to date, and its polite end."""

from __future__ import annotations

import errno
import logging
import socket
import ssl
import struct
import time
from collections.abc import Callable
from typing import Any

from flask_realtime import host
from flask_realtime.host.hubsocket import HubSocket, Patient
from flask_realtime.server.limits import Phase, Progress
from flask_realtime.server.tls import Credentials

GOING_AWAY = b"\x88\x02" + struct.pack("!H", 1001)  # a WebSocket's close frame, RFC 6455
SWITCHING = b"HTTP/1.1 101"
COMING_SECONDS = 1.0  # from a connection to its first request; browsers make some in reserve
_SPEAKS_TLS = b"This port speaks https only.\n"
PLAIN_ON_TLS = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n"
    b"Content-Length: %d\r\n\r\n%s" % (len(_SPEAKS_TLS), _SPEAKS_TLS)
)

_log = logging.getLogger(__name__)


class ClientLeft(ConnectionError):
    """The client closed the connection while it was written to: no fault of the application."""


class _Watched:
    """What both kinds of socket do for the progress of their connection."""

    progress: Progress

    def _received(self, size: int, begin: float | None) -> None:
        progress = self.progress
        if progress.phase is Phase.IDLE:
            progress.enter(Phase.HEAD, time.monotonic())
        elif begin is not None:
            progress.waited_seconds += time.monotonic() - begin
        progress.read_since = None
        progress.received += size

    def _sending(self, data: Any) -> None:
        if self.progress.is_upgrade and bytes(data[: len(SWITCHING)]) == SWITCHING:
            self.progress.enter(Phase.SOCKET, time.monotonic())


class PlainSocket(_Watched, HubSocket):
    """The socket of a client without TLS."""

    def recv(self, size: int, flags: int = 0) -> Any:
        begin = None
        try:
            data = self._at_once(socket.socket.recv, size, flags)
            if data is None:
                begin = self._wait()
                data = super().recv(size, flags)
        except ConnectionError:
            return b""
        self._received(len(data), begin)
        return data

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> Any:
        begin = None
        try:
            count = self._at_once(socket.socket.recv_into, buffer, size, flags)
            if count is None:
                begin = self._wait()
                count = super().recv_into(buffer, size, flags)
        except ConnectionError:
            return 0
        self._received(count, begin)
        return count

    def _at_once(self, receive: Callable[..., Any], *args: Any) -> Any:
        """What `receive` returns; None when it would wait."""
        try:
            return receive(self, *args)
        except BlockingIOError:  # not kept while this waits: it would hold its frame, for hours
            return None

    def _wait(self) -> float:
        """Wait for data; when that began. Raises BlockingIOError if this is not to wait."""
        begin = self.progress.read_since = time.monotonic()
        self.until_readable()
        return begin

    def send(self, data: Any, flags: int = 0) -> Any:
        if self.progress.is_upgrade:
            self._sending(data)
        try:
            return socket.socket.send(self, data, flags)
        except BlockingIOError:
            pass
        except ConnectionError as error:
            raise ClientLeft(error.errno, error.strerror) from error
        self.progress.write_since = time.monotonic()
        try:
            return super().send(data, flags)
        except ConnectionError as error:
            raise ClientLeft(error.errno, error.strerror) from error
        finally:
            self.progress.write_since = None

    def end_writing(self) -> None:
        """Let the client find the end; it may still be read."""
        self.shutdown(socket.SHUT_WR)


class TlsSocket(_Watched, Patient, ssl.SSLSocket):
    """The socket of a client with TLS."""

    def read(self, len: int = 1024, buffer: Any = None) -> Any:
        begin = self.progress.read_since = time.monotonic()
        while True:
            wait = self.until_readable
            try:
                got: Any = ssl.SSLSocket.read(self, len, buffer)
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLWantWriteError:
                wait = self.until_writable
            else:
                self._received(got if buffer is not None else got.__len__(), begin)
                return got
            wait()

    def send(self, data: Any, flags: int = 0) -> Any:
        if self.progress.is_upgrade:
            self._sending(data)
        try:
            return self._send(data, flags)
        except (ConnectionError, ssl.SSLError) as error:
            raise ClientLeft(errno.ECONNRESET, str(error)) from error
        finally:
            self.progress.write_since = None

    def _send(self, data: Any, flags: int) -> int:
        while True:
            wait = self.until_writable
            try:
                return ssl.SSLSocket.send(self, data, flags)
            except ssl.SSLWantWriteError:
                pass
            except ssl.SSLWantReadError:
                wait = self.until_readable
            if self.progress.write_since is None:
                self.progress.write_since = time.monotonic()
            wait()

    def shutdown(self, how: int) -> None:
        """Say that this is the end, so that nobody takes it for an end by force, and shut down."""
        self._say_end()
        socket.socket.shutdown(self, how)  # SSLSocket's own forgets the keys at once

    def end_writing(self) -> None:
        """Let the client find the end; it may still be read."""
        self.shutdown(socket.SHUT_WR)

    def _say_end(self) -> None:
        try:
            ssl.SSLSocket.unwrap(self)
        except (OSError, ValueError) as error:  # it wants to wait for the client's word
            _log.debug("end of TLS: %s", error)


def _shake_hands(tls: Any, is_costly: bool) -> None:
    """Answer a client's TLS handshake. Raises OSError (ssl.SSLError among it) when it fails.

    The hub does not wait: not for the client, nor for a signature that takes long. That is made on
    a native thread; OpenSSL lets the interpreter go meanwhile.
    """
    step = ssl.SSLSocket.do_handshake  # of a socket that does not block: as far as it can go
    is_waiting: Callable[[int], None] = host.wait_readable
    while True:
        is_waiting(tls.fileno())
        try:
            if is_costly:
                host.offload(step, tls)
            else:
                step(tls)
            return
        except ssl.SSLWantReadError:
            is_waiting = host.wait_readable
        except ssl.SSLWantWriteError:
            is_waiting = host.wait_writable
        except ssl.SSLError as error:
            if error.reason == "HTTP_REQUEST":
                socket.socket.send(tls, PLAIN_ON_TLS)
            raise


class Connection:
    """One connection, from its accept to its end. For the hub's thread."""

    def __init__(self, plain: socket.socket, address: Any, is_tls: bool) -> None:
        self.address = address
        phase = Phase.HANDSHAKE if is_tls else Phase.IDLE
        self.progress = Progress(phase, time.monotonic())
        self.socket: Any = plain
        self.protocol: Any = None  # once there is one
        self.task: Any = None
        self.has_asked = False  # anything so far
        self.is_leaving = False
        self._goodbyes: list[Callable[[], object]] = []

    def open_plain(self) -> None:
        self._opened(PlainSocket.taking(self.socket))

    def open_tls(self, credentials: Credentials) -> None:
        """Raises OSError when the handshake fails."""
        made: Any = credentials.context.wrap_socket(
            self.socket, server_side=True, do_handshake_on_connect=False
        )
        made.__class__ = TlsSocket  # the context makes an SSLSocket
        self.socket = made
        _shake_hands(made, credentials.is_costly)
        self._opened(made)

    def _opened(self, opened: Any) -> None:
        self.socket = opened
        opened.progress = self.progress
        self.progress.enter(Phase.IDLE, time.monotonic())

    def on_stop(self, function: Callable[[], object]) -> None:
        """Call `function` when the server stops, in the place of its own close frame.

        It must not wait. For those who answer a WebSocket and close it with words of their own;
        one that returns True leaves the close frame to the server all the same. Called at once for
        a WebSocket that opens while the server stops.
        """
        self._goodbyes.append(function)
        if self.is_leaving and self.progress.phase is Phase.SOCKET:
            self._close_websocket()

    def leave(self) -> None:
        """The server stops: take no request but the one that comes now; tell a WebSocket.

        Does not wait.
        """
        self.is_leaving = True
        if self.protocol is not None:
            self.protocol.close_connection = True  # the answer in progress says so
        if self.progress.phase is Phase.IDLE:
            if not (self._has_just_come() or self._has_unread()):
                self.cut()
        elif self.progress.phase is Phase.SOCKET:
            self._close_websocket()

    def leave_at_last(self) -> None:
        """Wait for the client no longer; what it has sent, and a request in progress, go on."""
        phase = self.progress.phase
        is_silent = phase in (Phase.HANDSHAKE, Phase.IDLE) and not self._has_unread()
        if phase is Phase.SOCKET or is_silent:
            self.cut()

    def _close_websocket(self) -> None:
        said = [function() for function in self._goodbyes]
        if said and True not in said:
            return
        if self.progress.write_since is not None:  # in the middle of a frame
            return
        timeout = self.socket.gettimeout()
        self.socket.setblocking(False)
        try:
            self.socket.send(GOING_AWAY)
            # Half of it: what the client has sent meanwhile must not reset the connection.
            socket.socket.shutdown(self.socket, socket.SHUT_WR)
        except OSError as error:
            _log.debug("a WebSocket of %s has gone already: %s", self.address, error)
        finally:
            self.socket.settimeout(timeout)

    def _has_just_come(self) -> bool:
        """Whether its first request is on its way, as far as one can know."""
        return not self.has_asked and time.monotonic() - self.progress.since < COMING_SECONDS

    def _has_unread(self) -> bool:
        """Whether the client has sent what the hub has not come to read yet."""
        try:
            sent: bytes = socket.socket.recv(self.socket, 1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except OSError:  # BlockingIOError among it
            return False
        return bool(sent)

    def cut(self) -> None:
        """Close it now; whoever reads or writes finds its end."""
        try:
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)
        except OSError as error:
            _log.debug("%s has gone already: %s", self.address, error)
