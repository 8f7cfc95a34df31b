"""A WebSocket through the proxy: after the handshake its bytes pass as they are."""

from __future__ import annotations

import os
import socket
import sys
from typing import Any

from flask_realtime.proxy.client import Client
from flask_realtime.proxy.flag import Flag
from flask_realtime.proxy.frames import Frames
from flask_realtime.proxy.greentunnel import GreenTunnel
from flask_realtime.proxy.pump import Pump, Tunnel

# A visitor whose network vanished without a word is noticed after 60 + 6 * 10 s.
KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 6}

_pump = Pump()  # one for all proxies of a process; it has no thread while there is no tunnel


def carry(
    client: Client, upstream: Any, *, head: bytes, early: bytes, idle_timeout: float, copy: bool
) -> None:
    """Connect the visitor's socket and `upstream`, and return when the tunnel has ended.

    `upstream` is a green socket, and closed here. `head` is sent to the visitor first, and `early`
    after it, which the upstream has said already. With `copy` the bytes pass through greenlets, as
    they must where TLS is spoken; otherwise through the pump. When the server stops, both sides
    hear it by a Close frame, 1001.
    """
    client.take_over()
    visitor = client.socket
    try:
        _keep_alive(visitor)
        visitor.sendall(head + early)
        said = Frames()
        said.pass_on(early)
        to_upstream = client.early()
        if copy or sys.platform != "linux":
            GreenTunnel(visitor, upstream, said, idle_timeout).carry(client, to_upstream)
        else:
            _carry_by_pump(client, upstream, said, to_upstream, idle_timeout)
    finally:
        upstream.close()


def _carry_by_pump(
    client: Client, upstream: Any, said: Frames, to_upstream: bytes, idle_timeout: float
) -> None:
    flag = Flag()
    try:
        tunnel = Tunnel(
            _duplicate(client.socket),
            _duplicate(upstream),
            said=said,
            to_upstream=to_upstream,
            idle_timeout=idle_timeout,
            done=flag.set,
        )
        upstream.close()
        _pump.add(tunnel)
        client.on_stop(lambda: _pump.stop(tunnel))
        try:
            flag.wait()
        finally:
            _pump.drop(tunnel)
    finally:
        flag.close()


def _duplicate(green: Any) -> socket.socket:
    return socket.socket(fileno=os.dup(green.fileno()))


def _keep_alive(visitor: Any) -> None:
    if visitor.family == socket.AF_UNIX:
        return
    visitor.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    visitor.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):
            visitor.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
