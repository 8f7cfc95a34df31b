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
from flask_realtime.server.limits import Phase, Progress
from flask_realtime.server.tls import Credentials

GOING_AWAY = b"\x88\x02" + struct.pack("!H", 1001)  # a WebSocket's close frame, RFC 6455
SWITCHING = b"HTTP/1.1 101"
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


class PlainSocket(_Watched, host.GreenSocket):  # type: ignore[misc]  # eventlet has no types
    """A green socket of a client without TLS."""

    def recv(self, size: int, flags: int = 0) -> Any:
        begin = None
        try:
            data = self._at_once(self.fd.recv, size, flags)
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
            count = self._at_once(self.fd.recv_into, buffer, size, flags)
            if count is None:
                begin = self._wait()
                count = super().recv_into(buffer, size, flags)
        except ConnectionError:
            return 0
        self._received(count, begin)
        return count

    @staticmethod
    def _at_once(receive: Callable[..., Any], *args: Any) -> Any:
        """What `receive` returns; None when it would wait."""
        try:
            return receive(*args)
        except BlockingIOError:  # not kept while this waits: it would hold its frame, for hours
            return None

    def _wait(self) -> float:
        """Wait for data, unless this is not to wait; when that began."""
        begin = self.progress.read_since = time.monotonic()
        if not self.act_non_blocking:
            self._read_trampoline()  # at once: eventlet would try to read first, in vain again
        return begin

    def send(self, data: Any, flags: int = 0) -> Any:
        if self.progress.is_upgrade:
            self._sending(data)
        try:
            return self.fd.send(data, flags)
        except BlockingIOError:
            self.progress.write_since = time.monotonic()
            try:
                return super().send(data, flags)
            except ConnectionError as error:
                raise ClientLeft(error.errno, error.strerror) from error
            finally:
                self.progress.write_since = None
        except ConnectionError as error:
            raise ClientLeft(error.errno, error.strerror) from error

    def end_writing(self) -> None:
        """Let the client find the end; it may still be read."""
        self.fd.shutdown(socket.SHUT_WR)


class TlsSocket(_Watched, host.GreenSSLSocket):  # type: ignore[misc]
    """A green socket of a client with TLS."""

    def recv(self, size: int = 1024, flags: int = 0) -> Any:
        begin = self.progress.read_since = time.monotonic()
        data = super().recv(size, flags)
        self._received(len(data), begin)
        return data

    def recv_into(self, buffer: Any, size: int | None = None, flags: int = 0) -> Any:
        begin = self.progress.read_since = time.monotonic()
        count = super().recv_into(buffer, size, flags)
        self._received(count, begin)
        return count

    def send(self, data: Any, flags: int = 0) -> Any:
        if self.progress.is_upgrade:
            self._sending(data)
        self.progress.write_since = time.monotonic()
        try:
            return super().send(data, flags)
        except (ConnectionError, ssl.SSLError) as error:
            raise ClientLeft(errno.ECONNRESET, str(error)) from error
        finally:
            self.progress.write_since = None

    def shutdown(self, how: int) -> None:
        """Say that this is the end, so that nobody takes it for an end by force, and shut down."""
        self._say_end()
        super().shutdown(how)

    def end_writing(self) -> None:
        """Let the client find the end; it may still be read."""
        self._say_end()
        socket.socket.shutdown(self, socket.SHUT_WR)

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
        # eventlet's server shares this with its protocol: address, socket, and what it is at.
        self.state: list[Any] = [address, None, "idle"]
        self.protocol: Any = None  # once there is one
        self.task: Any = None
        self.is_leaving = False
        self._goodbyes: list[Callable[[], object]] = []

    def open_plain(self) -> None:
        self._opened(PlainSocket(self.socket))

    def open_tls(self, credentials: Credentials) -> None:
        """Raises OSError when the handshake fails."""
        made = host.GreenSSLSocket(
            self.socket,
            server_side=True,
            do_handshake_on_connect=False,
            _context=credentials.context,
        )
        made.__class__ = TlsSocket  # its constructor sets the class that eventlet knows
        self.socket = made
        _shake_hands(made, credentials.is_costly)
        self._opened(made)

    def _opened(self, opened: Any) -> None:
        self.socket = self.state[1] = opened
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
        """The server stops: take no further request; tell a WebSocket. Does not wait."""
        self.is_leaving = True
        self.state[2] = "close"
        if self.protocol is not None:
            self.protocol.close_connection = True  # the answer in progress says so
        if self.progress.phase in (Phase.IDLE, Phase.HANDSHAKE):
            self.cut()
        elif self.progress.phase is Phase.SOCKET:
            self._close_websocket()

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
            socket.socket.shutdown(_raw(self.socket), socket.SHUT_WR)
        except OSError as error:
            _log.debug("a WebSocket of %s has gone already: %s", self.address, error)
        finally:
            self.socket.settimeout(timeout)

    def cut(self) -> None:
        """Close it now; whoever reads or writes finds its end."""
        try:
            socket.socket.shutdown(_raw(self.socket), socket.SHUT_RDWR)
        except OSError as error:
            _log.debug("%s has gone already: %s", self.address, error)


def _raw(each: Any) -> socket.socket:
    """The socket below TLS and eventlet: shutdown of an SSLSocket forgets its keys at once."""
    found: socket.socket = each.fd if isinstance(each, host.GreenSocket) else each
    return found
