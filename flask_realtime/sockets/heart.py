"""Finds out which clients have vanished: one greenlet for all that are pinged equally often."""

from __future__ import annotations

import time

from flask_realtime import host
from flask_realtime.sockets.connection import BEATS, WebSocket


class Heart:
    """Looks after open connections; its greenlets end with the last one."""

    def __init__(self) -> None:
        self._open: dict[float, set[WebSocket]] = {}  # by the seconds between pings

    def add(self, socket: WebSocket, interval: float | None) -> None:
        """Ping `socket` when it is silent for `interval` seconds; None never does."""
        if interval is None:
            return
        sockets = self._open.get(interval)
        if sockets is None:
            sockets = self._open[interval] = set()
            host.spawn(self._beat, interval, sockets)
        sockets.add(socket)

    def remove(self, socket: WebSocket) -> None:
        for sockets in self._open.values():
            sockets.discard(socket)

    def _beat(self, interval: float, sockets: set[WebSocket]) -> None:
        while sockets:
            host.sleep(interval / BEATS)
            now = time.monotonic()
            for socket in list(sockets):
                socket.beat(now, interval)
        del self._open[interval]
