"""The Socket.IO server of an application, and how often it looks whether its clients are there."""

from __future__ import annotations

from engineio.payload import Payload
from flask import Flask
from flask_socketio import SocketIO

from flask_realtime import host
from flask_realtime.watching.fanout import FanoutManager

MAX_PACKETS = 10_000  # of one polling request
# A network that falls silent without closing anything (Wi-Fi lost, a cable pulled out) shows by the
# server's pings alone: after PING_SECONDS + PONG_SECONDS without one a page says that it is
# disconnected, and after PONG_SECONDS without an answer, or up to twice that, the server forgets
# the client. A ping waits behind what the viewer's window holds, a few seconds at most on a slow
# network; a busy hub delays it by tenths of a second.
PING_SECONDS = 4
PONG_SECONDS = 10


def socket_server(app: Flask, max_event_bytes: int) -> SocketIO:
    """Add Socket.IO to `app`; a client's event may have `max_event_bytes`."""
    # A polling client acknowledges in one request all that one response brought it; the default of
    # 16 packets would cut it off. Its size stays bounded by `max_event_bytes`.
    Payload.max_decode_packets = MAX_PACKETS
    return SocketIO(
        app,
        async_mode=host.ASYNC_MODE,
        client_manager=FanoutManager(),
        max_http_buffer_size=max_event_bytes,
        manage_session=False,
        ping_interval=PING_SECONDS,
        ping_timeout=PONG_SECONDS,
    )
