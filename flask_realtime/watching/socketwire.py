"""What is below the WebSockets of Socket.IO: fewer calls of the operating system, and fair turns.

A WebSocket asks its socket for each part of a frame, and hands over each frame by itself.
A viewer's acknowledgement is thus read in three calls, and an event with an attachment is written
in two. With a thousand viewers that is what the server does most of the time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from flask_realtime import host
from flask_realtime.host.connection import INPUT, SOCKETIO_INPUT
from flask_realtime.trust import is_below

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

RECEIVE_BYTES = 4096  # read ahead: some hundred acknowledgements
JOIN_BYTES = 1 << 14  # an attachment up to this is copied behind what announces it
TURN_BYTES = 4 << 20  # written by all in large frames before the hub's other work has its turn
SHARE_BYTES = 1 << 19  # ... of which each may write so much in one go
TEXT = 0x81  # the first byte of a WebSocket frame that is a whole text, RFC 6455
# Texts that announce attachments: an Engine.IO message (4), a Socket.IO event or acknowledgement
# with binary data (5, 6). The frame that follows them comes at once.
ANNOUNCING = (b"45", b"46")


class Turns:
    """Lets greenlets write so much in one turn of the hub, in the order in which they come.

    A thousand viewers that have room for more would else hold the hub until all have got it.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._left = max_bytes
        self._waiting: deque[tuple[int, host.Signal]] = deque()
        self._is_refilling = False

    def take(self, size: int) -> None:
        """Wait until it is this greenlet's turn to write `size` bytes."""
        if not self._is_refilling:
            self._is_refilling = True
            host.spawn(self._refill)
        if self._left > 0 and not self._waiting:
            self._left -= size
            return
        turn = host.Signal()
        self._waiting.append((size, turn))
        turn.wait()

    def _refill(self) -> None:
        while self._left < self._max_bytes:
            host.sleep(0)
            self._left = self._max_bytes
            while self._waiting and self._left > 0:
                size, turn = self._waiting.popleft()
                self._left -= size
                turn.set()
        self._is_refilling = False


class SocketWire:
    """A connection's socket, as the WebSocket of either hub uses it."""

    __slots__ = ("_first", "_held", "_position", "_received", "_share", "_socket", "_turns")

    def __init__(self, connected: Any, turns: Turns, first: Any = None) -> None:
        """`first` is the file that the request was read from: it may have read further."""
        self._socket = connected
        self._first = first
        self._turns = turns
        self._received = b""
        self._position = 0  # in what was received
        self._share = 0  # bytes that may be written before it is the turn of others
        self._held = b""  # a frame that goes out with the next one

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def recv(self, size: int) -> bytes:
        """The next bytes; none at the end. Raises OSError."""
        begin = self._position
        if begin == len(self._received):
            if begin >= RECEIVE_BYTES:  # there is more: it does not wait for its client
                host.sleep(0)
            self._received = self._receive(max(size, RECEIVE_BYTES))
            begin = 0
        data = self._received[begin : begin + size]
        self._position = begin + len(data)
        return data

    def _receive(self, size: int) -> bytes:
        if self._first is None:
            received: bytes = self._socket.recv(size)
            return received
        first, self._first = self._first, None
        try:
            return first.read1(size) or b""
        finally:
            first.close()  # and with it a buffer of 8 KB

    def shutdown(self, how: int) -> None:
        """Say that no more comes; whether the connection has ended already does not matter."""
        with suppress(OSError):
            self._socket.shutdown(how)

    def sendall(self, frame: bytes) -> None:
        """Send a whole frame, or hold it until the one that it announces. Raises OSError."""
        if frame[0] == TEXT and _announces(frame):
            self._held += frame
            return
        held, self._held = self._held, b""
        if len(frame) < JOIN_BYTES:
            self._socket.sendall(held + frame)
            return
        if self._share <= 0:
            self._turns.take(SHARE_BYTES)
            self._share = SHARE_BYTES
        self._share -= len(frame)
        if held:
            self._socket.sendall(held)
        self._socket.sendall(memoryview(frame))


def _announces(frame: bytes) -> bool:
    length = frame[1] & 0x7F
    begin = 2 if length < 126 else 4 if length == 126 else 10
    return frame.startswith(ANNOUNCING, begin)


class _Input:
    """What a WebSocket asks for its socket."""

    def __init__(self, connected: Any) -> None:
        self._socket = connected

    def get_socket(self) -> Any:
        return self._socket


class SocketWires:
    """WSGI middleware around Socket.IO at `path`: what its WebSockets run on.

    They negotiate no permessage-deflate. It would be done in the hub, for each viewer anew, at
    44 MB/s: all else stalls meanwhile (docs/decisions/003-no-socket-compression.md).
    """

    def __init__(self, wsgi_app: WSGIApplication, path: str) -> None:
        self._wsgi_app = wsgi_app
        self._path = path
        self._turns = Turns(TURN_BYTES)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if is_below(environ.get("PATH_INFO", ""), self._path) and "HTTP_UPGRADE" in environ:
            environ.pop("HTTP_SEC_WEBSOCKET_EXTENSIONS", None)
            request_input = environ.get(INPUT)
            if request_input is not None:
                connected = request_input.get_socket()
                wire = SocketWire(connected, self._turns, request_input.rfile)
                environ[SOCKETIO_INPUT] = _Input(wire)
        return self._wsgi_app(environ, start_response)
