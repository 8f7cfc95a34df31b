"""A client that keeps to no rule: whole frames, parts of them, and bytes, as they are given.

Frames are built and read by the websockets package.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Sequence
from types import TracebackType
from typing import Any

from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed as Closed
from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory
from websockets.frames import Close, Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

from tests.sockets.serving import Serving
from tests.support.serialtls import SerialTlsSocket

CONT, TEXT, BINARY = Opcode.CONT, Opcode.TEXT, Opcode.BINARY
CLOSE, PING, PONG = Opcode.CLOSE, Opcode.PING, Opcode.PONG


class Unchecked(Frame):
    """A frame that may be wrong."""

    def check(self) -> None:
        pass


class Hostile:
    """Opened by its constructor; `early` is sent together with the handshake."""

    def __init__(
        self,
        served: Serving,
        path: str = "/echo",
        *,
        early: bytes = b"",
        deflate: bool = False,
        offers: Sequence[ClientPerMessageDeflateFactory] = (),
    ) -> None:
        url = served.origin.replace("http", "ws", 1) + path
        extensions = offers or ([ClientPerMessageDeflateFactory()] if deflate else None)
        self._protocol = ClientProtocol(parse_uri(url), extensions=extensions, max_size=None)
        self.socket: Any = socket.create_connection(("127.0.0.1", served.port), 20)
        if (context := served.context()) is not None:
            context.maximum_version = ssl.TLSVersion.MAXIMUM_SUPPORTED
            context.sslsocket_class = SerialTlsSocket
            self.socket = context.wrap_socket(self.socket, server_hostname="127.0.0.1")
        self._protocol.send_request(self._protocol.connect())
        self.socket.sendall(b"".join(self._protocol.data_to_send()) + early)
        self._events: list[Any] = []
        self.taken = 0  # bytes that came, the handshake's included
        response = self._next()
        assert isinstance(response, Response)
        assert response.status_code == 101, response
        self.agreed = response.headers.get("Sec-WebSocket-Extensions", "")  # on extensions

    def __enter__(self) -> Hostile:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.socket.close()

    def send(
        self,
        opcode: Opcode,
        data: bytes = b"",
        *,
        fin: bool = True,
        rsv1: bool = False,
        rsv2: bool = False,
        mask: bool = True,
        chop: int = 0,
    ) -> None:
        """One frame as it is given; `chop` bytes at a time."""
        frame = Unchecked(opcode, data, fin=fin, rsv1=rsv1, rsv2=rsv2)
        raw = frame.serialize(mask=mask)
        for start in range(0, len(raw), chop or len(raw)):
            self.socket.sendall(raw[start : start + (chop or len(raw))])

    def say(self, opcode: Opcode, data: bytes, size: int = 0) -> None:
        """A proper message, compressed as was agreed on, in frames of `size` bytes before that."""
        size = size or len(data)
        pieces = [data[start : start + size] for start in range(0, len(data), size)]
        for number, piece in enumerate(pieces):
            fin = number == len(pieces) - 1
            if number:
                self._protocol.send_continuation(piece, fin)
            elif opcode is TEXT:
                self._protocol.send_text(piece, fin)
            else:
                self._protocol.send_binary(piece, fin)
        self.socket.sendall(b"".join(self._protocol.data_to_send()))

    def raw(self, data: bytes) -> None:
        self.socket.sendall(data)

    def _next(self) -> Any:
        while not self._events:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                data = b""
            if data:
                self.taken += len(data)
                self._protocol.receive_data(data)
            else:
                self._protocol.receive_eof()
            self._events += self._protocol.events_received()
            if not data and not self._events:
                raise Closed(self._protocol.close_rcvd, None)
        return self._events.pop(0)

    def frame(self) -> Frame:
        """The next frame of the server."""
        found = self._next()
        assert isinstance(found, Frame)
        return found

    def closed(self) -> int:
        """The code that the server closes with; frames before it are passed over."""
        while (frame := self.frame()).opcode is not CLOSE:
            pass
        return Close.parse(frame.data).code

    def ended(self) -> bool:
        """Wait until the server has closed the connection; whether it did so without a reset."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            return False
        return True
