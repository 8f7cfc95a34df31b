"""The WebSocket that a handler is given: simple-websocket's, on greenlets."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from simple_websocket import ConnectionClosed
from simple_websocket import Server as SimpleWebSocket
from wsproto.events import AcceptConnection, Ping
from wsproto.extensions import Extension
from wsproto.frame_protocol import CloseReason
from wsproto.utilities import LocalProtocolError

from flask_realtime import host
from flask_realtime.host.connection import INPUT
from flask_realtime.sockets.handshake import check_server, read_handshake, take_over
from flask_realtime.sockets.options import SocketOptions
from flask_realtime.sockets.protocol import Deflate, Protocol
from flask_realtime.sockets.wire import Event, Reader, Wire

CLOSE_SECONDS = 5.0  # a client may take so long to answer a Close
DRAIN_SECONDS = 1.0  # ... and to close its side after the last frame
# While the handler works on a message, what comes after it waits for so long: a Close that follows
# a message directly is answered after what the handler says to the message.
PACE_SECONDS = 1.0
# More than this of unread messages, and the client has to wait.
UNREAD_MESSAGES = 16
UNREAD_BYTES = 64 * 1024
BEATS = 4  # in an interval between pings

_MAX_REASON_BYTES = 123  # RFC 6455, section 5.5

# Beside the dictionary of simple-websocket's attributes, which would take 1 KB more. By a name,
# since mypy would take a tuple in the class for all the attributes that there are.
_SLOTS = (
    "_ends_with_none",
    "_got_close",
    "_has_closed",
    "_has_told_of_unread",
    "_is_behind",
    "_is_full",
    "_is_pacing",
    "_is_working",
    "_options",
    "_taken",
    "_took_at",
    "_unanswered",
    "wire",
)

logger = logging.getLogger(__name__)


class WebSocket(SimpleWebSocket):  # type: ignore[misc]  # simple-websocket has no types
    """One connection. All of it is for the hub's thread; any greenlet may send and close.

    `subprotocol` is the one that was chosen, or None. With `ends_with_none`, the `receive` that
    meets the end returns None, as gevent-websocket did, and only later ones raise.
    Raises HTTPException, before anything was sent, for a request that is no proper handshake.
    """

    __slots__ = _SLOTS

    def __init__(
        self, environ: dict[str, Any], options: SocketOptions, *, ends_with_none: bool = False
    ) -> None:
        check_server(environ)
        self._options = options
        self._ends_with_none = ends_with_none
        self._is_working = self._is_behind = self._is_pacing = self._is_full = False
        self._has_told_of_unread = False
        self._unanswered = 0  # beats since a ping that nothing came after
        self._has_closed = False  # by our side, before the client did
        self._got_close = False
        self._took_at = time.monotonic()
        self._taken = host.Signal()  # the handler has taken a message, or asks for one
        environ["werkzeug.socket"] = environ[INPUT].get_socket()  # where simple-websocket looks
        super().__init__(
            environ,
            subprotocols=list(options.subprotocols),
            receive_bytes=options.receive_bytes,
            thread_class=Reader,
            event_class=Event,
        )

    def handshake(self) -> None:
        """Accept the client's request; simple-websocket calls this first."""
        limit = self._options.max_message_size
        protocol = self.ws = Protocol(limit, self._write, self._pace, self._on_close)
        request = read_handshake(protocol, self.environ)
        connected, early = take_over(self.environ)
        self.wire = Wire(connected, early, self._wait_for_room)
        self.sock = self.wire
        self.subprotocol = self.choose_subprotocol(request)
        extensions: list[Extension] = [Deflate(limit)] if self._options.compression else []
        accept = AcceptConnection(subprotocol=self.subprotocol, extensions=extensions)
        try:
            self.wire.send(protocol.accept(accept))
        except OSError:  # gone already: the reader finds out
            self.wire.abort()
        self.connected = True

    # What handlers call

    @property
    def closed(self) -> bool:
        """Whether the connection has ended, and all that came before its end was received.

        A handler that asks again, and has not received in between, does not want what is left.
        """
        if self._has_closed or self._is_open:
            return self._has_closed
        if self.input_buffer and not self._has_told_of_unread:
            self._has_told_of_unread = True
            return False
        return True

    @property
    def _is_open(self) -> bool:
        return bool(self.connected and self.ws.is_open)

    def receive(self, timeout: float | None = None) -> str | bytes | None:
        """The next message, text or binary; waits for it.

        Returns None when `timeout` seconds passed without one. Raises ConnectionClosed at the end,
        or returns None first, see the class.
        """
        deadline = None if timeout is None else host.Deadline(timeout)
        self._is_working = self._has_told_of_unread = False
        while not self._has_closed:
            self._took_at = time.monotonic()
            self._taken.set()
            if self.input_buffer:
                message: str | bytes = self.input_buffer.pop(0)
                self._is_working = True
                return message
            if not self._is_open:
                break
            self.event.clear()
            if not self.event.wait(None if deadline is None else deadline.left()):
                return None
        if self._ends_with_none:
            self._ends_with_none = False
            return None
        raise self._ended()

    def __iter__(self) -> Iterator[str | bytes]:
        """All messages until the connection ends."""
        with suppress(ConnectionClosed):
            while (message := self.receive()) is not None:
                yield message

    def send(self, data: object, binary: bool | None = None) -> None:
        """Send a message: bytes as binary, anything else as text; `binary` says otherwise.

        Waits while the client takes nothing. Raises ConnectionClosed when it has gone.
        """
        if isinstance(data, bytearray | memoryview):
            data = bytes(data)
        if binary is True and not isinstance(data, bytes):
            data = str(data).encode()
        elif binary is False and isinstance(data, bytes):
            data = data.decode()
        if not self._is_open:
            raise self._ended()
        try:
            super().send(data)
        except (OSError, LocalProtocolError) as error:
            self._vanished()
            raise self._ended() from error

    def close(self, reason: int | None = None, message: str | bytes | None = None) -> None:
        """Close with a status code, 1000 if none is given, and a text of at most 123 bytes.

        Does nothing when it is closed. Raises ValueError for a code that may not be sent.
        """
        code = int(CloseReason.NORMAL_CLOSURE if reason is None else reason)
        if not (1000 <= code <= 1014 and code not in (1004, 1005, 1006)) and not (
            3000 <= code <= 4999
        ):
            raise ValueError(f"{code} is no status code that a connection can be closed with")
        text = message.decode() if isinstance(message, bytes) else message or ""
        if len(text.encode()) > _MAX_REASON_BYTES:
            raise ValueError(f"a reason for closing has at most {_MAX_REASON_BYTES} bytes")
        if not self._is_open:
            return
        self._has_closed = True
        self.close_reason, self.close_message = code, text or None
        try:
            super().close(code, text or None)
        except OSError:
            self.connected = False
        finally:
            self._wake()

    def _ended(self) -> ConnectionClosed:
        return ConnectionClosed(self.close_reason, self.close_message)

    def _wake(self) -> None:
        self.event.set()
        self._taken.set()

    # The reader

    def _thread(self) -> None:
        try:
            super()._thread()
        except Exception:
            logger.exception("a WebSocket's reader failed")
            self.close(CloseReason.INTERNAL_ERROR)
        finally:
            self._vanished()

    def _vanished(self) -> None:
        """Nothing more comes; without a Close before, that is an abnormal end."""
        if self.ws.is_open:
            self.close_reason = CloseReason.ABNORMAL_CLOSURE
        self.connected = False
        self._wake()

    def _write(self, data: bytes) -> None:
        self.wire.send(data)

    def _on_close(self, code: int, by_client: bool) -> None:
        self._got_close = by_client
        if not self._has_closed:
            self.close_reason = code

    def _is_idle(self) -> bool:
        """Whether the handler has done all that it was given."""
        return self._has_closed or not (self.input_buffer or self._is_working)

    def _pace(self) -> None:
        """Let the handler work on a message before what comes after it is looked at."""
        self._is_pacing = True
        host.sleep()
        if self._is_idle():
            self._is_behind = False
        elif not self._is_behind:
            self._is_behind = not host.wait_for(self._is_idle, self._taken, PACE_SECONDS)
        self._is_pacing = False

    def _wait_for_room(self) -> None:
        if self._has_closed:
            self.input_buffer.clear()
        while self._is_open and self._is_backlogged():
            self._is_full = True
            self._taken.wait()
        self._is_full = False

    def _is_backlogged(self) -> bool:
        unread = self.input_buffer
        return len(unread) >= UNREAD_MESSAGES or sum(map(len, unread)) >= UNREAD_BYTES

    # What the extension calls

    def beat(self, now: float, interval: float) -> None:
        """Ping a client that says nothing for `interval` seconds; give up one that still does not.

        `now` is of the monotonic clock. Does not wait. Counts what is called BEATS times in an
        interval: after a stall of this process or of its machine the clock has run on, while no
        client was pinged and no answer was read.
        """
        silent = now - self.wire.heard
        if self._is_pacing:
            return
        if self._is_full:  # what it said, answers to pings included, was not read yet
            if now - self._took_at >= 2 * interval and self.wire.has_hung_up():
                self.wire.abort()
                self._vanished()
        elif silent < interval:
            self._unanswered = 0
        else:
            self._unanswered += 1
            if self._unanswered == 1:
                host.spawn(self._ping)
            elif self._unanswered == 1 + BEATS:
                host.spawn(self._give_up)

    def _ping(self) -> None:
        if self._is_open:
            with suppress(OSError):  # the reader hears of it
                self.wire.send(self.ws.send(Ping()))

    def _give_up(self) -> None:
        with host.Timeout(1, False):
            self.close(CloseReason.POLICY_VIOLATION, "no answer to a ping")
        self.close_reason = CloseReason.ABNORMAL_CLOSURE
        self.wire.abort()

    def finish(self, code: int, message: str = "") -> None:
        """Close after the handler has ended, and wait some seconds for the client to agree."""
        self.close(code, message)
        self._has_closed = True
        self._wake()
        if not self.thread.join(CLOSE_SECONDS):
            self.wire.abort()
            self.thread.join(CLOSE_SECONDS)
        elif not self._got_close:
            self.wire.drain(DRAIN_SECONDS)
