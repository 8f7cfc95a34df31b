"""Socket.IO's manager of clients, and messages that many of them get: encoded once."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import Any

from engineio.packet import MESSAGE
from engineio.packet import Packet as EnginePacket
from socketio import Manager
from socketio.packet import EVENT

from flask_realtime.watching.messages import Message

# An acknowledgement carries the number of what it answers. Those of python-socketio count from 1
# for each client; these are the same for all clients of a message, and must not meet them. There
# are clients that read such a number into 32 bits.
FIRST_NUMBER = 1_000_000_000
NUMBERS = 1_000_000_000


class _Attachment(EnginePacket):  # type: ignore[misc]  # engineio has no types
    """Bytes for clients of both transports: engineio would keep the one form that it made first."""

    def __init__(self, data: bytes) -> None:
        super().__init__(MESSAGE, data)
        self._as_text: str | None = None

    def encode(self, b64: bool = False) -> Any:
        if not b64:
            return self.data
        if self._as_text is None:
            self._as_text = EnginePacket(MESSAGE, self.data).encode(b64=True)
        return self._as_text


class _Encoded:
    """A message as it goes out, and the number that its acknowledgements carry, if it has any."""

    __slots__ = ("number", "packets")

    def __init__(self, parts: Iterable[str | bytes], number: int | None) -> None:
        self.packets = [
            _Attachment(part) if isinstance(part, bytes) else EnginePacket(MESSAGE, part)
            for part in parts
        ]
        self.number = number


class FanoutManager(Manager):  # type: ignore[misc]  # python-socketio has no types
    """Keeps the clients of one process, and sends them messages that they share."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = itertools.count()
        self._waiting: dict[str, dict[int, Callable[[], None]]] = {}  # client → number → callback
        self._rooms_of: dict[str, list[str | None]] = {}  # client → those that it has entered

    def send(
        self,
        client: str,
        namespace: str,
        message: Message,
        acknowledged: Callable[[], None] | None,
    ) -> None:
        """Send `message` to `client`, if it is there; does not wait.

        `acknowledged` is called when the client says that it has dealt with it. All who get a
        message have a callback, or none has.
        """
        connection = self.eio_sid_from_sid(client, namespace)
        if connection is None:
            return
        encoded = message.encoded
        if encoded is None:
            encoded = message.encoded = self._encode(namespace, message, acknowledged is not None)
        if acknowledged is not None:
            waiting = self._waiting.get(client)
            if waiting is None:
                waiting = self._waiting[client] = {}
            waiting[encoded.number] = acknowledged
        for packet in encoded.packets:
            self.server.eio.send_packet(connection, packet)

    def _encode(self, namespace: str, message: Message, is_acknowledged: bool) -> _Encoded:
        number = FIRST_NUMBER + next(self._numbers) % NUMBERS if is_acknowledged else None
        packet = self.server.packet_class(
            EVENT, namespace=namespace, data=[message.event, message.payload], id=number
        )
        parts = packet.encode()
        return _Encoded(parts if isinstance(parts, list) else [parts], number)

    def trigger_callback(self, sid: str, id: int, data: Any) -> None:
        """A client has acknowledged something; what nobody waits for is left alone."""
        if id < FIRST_NUMBER:
            super().trigger_callback(sid, id, data)
            return
        acknowledged = self._waiting.get(sid, {}).pop(id, None)
        if acknowledged is not None:
            acknowledged()

    # python-socketio looks for who leaves in all rooms, and each client has one of its own: when
    # 9,500 left at once, the hub stood still for more than 30 s (2026-11).

    def basic_enter_room(
        self, sid: str, namespace: str, room: str | None, eio_sid: str | None = None
    ) -> None:
        super().basic_enter_room(sid, namespace, room, eio_sid=eio_sid)
        self._rooms_of.setdefault(sid, []).append(room)

    def basic_disconnect(self, sid: str, namespace: str, **options: Any) -> None:
        self._waiting.pop(sid, None)
        self.callbacks.pop(sid, None)
        for room in self._rooms_of.pop(sid, ()):
            self.basic_leave_room(sid, namespace, room)
        for pending in (self.pending_connect, self.pending_disconnect):
            if sid in pending.get(namespace, ()):
                pending[namespace].remove(sid)
                if not pending[namespace]:
                    del pending[namespace]
