"""The pings of all Socket.IO clients, sent by one task.

engine.io starts a task for each ping of each client, which sleeps until it is due. With 5,000
clients that is 10 KB of each of them, and new objects all the time, which have the interpreter look
for garbage among all that there is: every 5 s for 0.4 s (docs/decisions/096-idle-viewers.md).
"""

from __future__ import annotations

import time
from collections import deque

from engineio.packet import PING, Packet
from engineio.socket import Socket

from flask_realtime import host

# So late a ping may be. Longer, and those that are due together, with their answers, would hold up
# the rest: 125 at once with 5,000 clients and 0.1 s.
TICK_SECONDS = 0.02
SLICE = 100  # pings, then the hub's other work has its turn

_PING = Packet(PING)


class Pings:
    """Pings each client `interval` seconds after it was told of. For the hub's tasks."""

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._due: deque[tuple[float, Socket]] = deque()  # the same interval: in the order of time
        self._is_sending = False

    def take_over(self, client: Socket) -> None:
        """Ping `client` from its next ping on; engine.io has begun to."""
        client.__class__ = _PingedSocket
        client.pings = self

    def add(self, client: Socket) -> None:
        """Ping it once, unless it has left by then."""
        self._due.append((time.monotonic() + self._interval, client))
        if not self._is_sending:
            self._is_sending = True
            host.spawn(self._send)

    def _send(self) -> None:
        while self._due:
            self._send_due(time.monotonic())
            host.sleep(TICK_SECONDS)
        self._is_sending = False

    def _send_due(self, now: float) -> None:
        sent = 0
        while self._due and self._due[0][0] <= now:
            _, client = self._due.popleft()
            if not client.closing and not client.closed:
                client.last_ping = time.time()
                client.send(_PING)
            sent += 1
            if sent % SLICE == 0:
                host.sleep(0)


class _PingedSocket(Socket):  # type: ignore[misc]  # engineio has no types
    """engine.io's end of a client, which has its pings sent by `pings`."""

    pings: Pings
    last_ping: float | None

    def receive(self, packet: Packet) -> None:
        """Who says anything is there: the answer to the ping stands in line behind it perhaps."""
        if self.last_ping:
            self.last_ping = time.time()
        super().receive(packet)

    def schedule_ping(self) -> None:
        """Ping the client again, now that it has answered; once for each answer."""
        if self.last_ping:
            self.last_ping = None
            self.pings.add(self)
