"""The protocol of a WebSocket: wsproto's, with a limit, and compression that keeps no memory.

No socket, thread or clock here: bytes in, events out.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from wsproto import ConnectionType, WSConnection
from wsproto.connection import ConnectionState
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Message,
    Ping,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import (
    CloseReason,
    FrameDecoder,
    FrameProtocol,
    Opcode,
    RsvBits,
)

# What is compressed: less gains nothing, and more holds up the hub (6 ms at 44 MB/s, see
# docs/decisions/003-no-socket-compression.md). RFC 7692 leaves the choice to the sender of each
# message.
DEFLATE_FROM_BYTES = 256
DEFLATE_TO_BYTES = 256 * 1024

_AFTER_A_CLOSE = (ConnectionState.REMOTE_CLOSING, ConnectionState.CLOSED)
_INFLATE_BYTES = 1024  # of input at once: zlib makes at most about 1,030 times as much of it


class Deflate(PerMessageDeflate):
    """permessage-deflate (RFC 7692) without context takeover.

    A kept context is 300 KB a connection, idle or not; without one, idle connections hold nothing.
    `max_bytes` bounds what one frame may inflate to.
    """

    def __init__(self, max_bytes: int | None) -> None:
        super().__init__(client_no_context_takeover=True, server_no_context_takeover=True)
        self._max_bytes = max_bytes
        self._inflated = 0
        self._is_control = False

    def accept(self, offer: str) -> bool | str | None:
        """Decline an offer whose numbers are none, which wsproto would raise for."""
        try:
            return super().accept(offer)
        except ValueError:
            return None

    def frame_inbound_header(
        self,
        proto: FrameDecoder | FrameProtocol,
        opcode: Opcode,
        rsv: RsvBits,
        payload_length: int,
    ) -> CloseReason | RsvBits:
        # A control frame may come between the fragments of a compressed message; wsproto 1.3
        # would forget then that the message is compressed.
        self._is_control = opcode.iscontrol()
        if self._is_control:
            return CloseReason.PROTOCOL_ERROR if rsv.rsv1 else RsvBits(True, False, False)
        self._inflated = 0
        return super().frame_inbound_header(proto, opcode, rsv, payload_length)

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        if self._is_control:
            return data
        parts = []
        for start in range(0, len(data), _INFLATE_BYTES):
            part = super().frame_inbound_payload_data(proto, data[start : start + _INFLATE_BYTES])
            if isinstance(part, CloseReason):
                return part
            self._inflated += len(part)
            if self._max_bytes is not None and self._inflated > self._max_bytes:
                return CloseReason.MESSAGE_TOO_BIG
            parts.append(part)
        return b"".join(parts)

    def frame_inbound_complete(
        self, proto: FrameDecoder | FrameProtocol, fin: bool
    ) -> bytes | CloseReason | None:
        return None if self._is_control else super().frame_inbound_complete(proto, fin)

    def frame_outbound(
        self,
        proto: FrameDecoder | FrameProtocol,
        opcode: Opcode,
        rsv: RsvBits,
        data: bytes,
        fin: bool,
    ) -> tuple[RsvBits, bytes]:
        if not DEFLATE_FROM_BYTES <= len(data) <= DEFLATE_TO_BYTES:
            return rsv, data
        return super().frame_outbound(proto, opcode, rsv, data, fin)


class Protocol(WSConnection):
    """The server's side of a connection.

    A message of more than `max_bytes` ends it with 1009, as soon as so much has come.
    `write(data)` sends the answer to a ping. `took_message()` is called after each whole message:
    until it returns, what came after the message is not looked at. `closing(code, by_client)` is
    called when the connection is to end, because the client closes it or because it broke the
    rules.
    """

    def __init__(
        self,
        max_bytes: int | None,
        write: Callable[[bytes], object],
        took_message: Callable[[], None],
        closing: Callable[[int, bool], None],
    ) -> None:
        super().__init__(ConnectionType.SERVER)
        self._max_bytes = max_bytes
        self._write = write
        self._took_message = took_message
        self._closing = closing
        self._size = 0

    @property
    def is_open(self) -> bool:
        return self.state is ConnectionState.OPEN

    def accept(self, event: AcceptConnection) -> bytes:
        """What accepts the client; what was needed for its handshake is let go, 6 KB of it."""
        data = self.send(event)
        del self.handshake
        return data

    def events(self) -> Generator[Event, None, None]:
        """What the client has sent; ends after what ends the connection."""
        for event in super().events() if self.connection is None else self.connection.events():
            if isinstance(event, Ping):
                if self.is_open:  # after a Close no pong may follow
                    self._write(self.send(event.response()))
                continue
            if isinstance(event, Message) and self._is_too_big(event):
                event = CloseConnection(CloseReason.MESSAGE_TOO_BIG, "the message is too big")
            if isinstance(event, CloseConnection):
                self._closing(event.code, self.state in _AFTER_A_CLOSE)
                yield event
                return
            yield event
            if isinstance(event, Message) and event.message_finished:
                self._size = 0
                self._took_message()

    def _is_too_big(self, event: Event) -> bool:
        if self._max_bytes is None:
            return False
        if isinstance(event, TextMessage):
            self._size += len(event.data) if event.data.isascii() else len(event.data.encode())
        elif isinstance(event, BytesMessage):
            self._size += len(event.data)
        return self._size > self._max_bytes
