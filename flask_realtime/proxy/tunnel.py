"""A WebSocket through the proxy: after the handshake its bytes pass as they are."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask_realtime import host
from flask_realtime.proxy.client import PIECE_BYTES, Client
from flask_realtime.proxy.flag import Flag
from flask_realtime.proxy.pump import HALF_CLOSED_SECONDS, Pump, Tunnel

# A visitor whose network vanished without a word is noticed after 60 + 6 * 10 s.
KEEPALIVE = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 10, "TCP_KEEPCNT": 6}

_pump = Pump()  # one for all proxies of a process; it has no thread while there is no tunnel


def carry(
    client: Client, upstream: Any, *, to_visitor: bytes, idle_timeout: float, copy: bool
) -> None:
    """Connect the visitor's socket and `upstream`, and return when the tunnel has ended.

    `upstream` is a green socket, and closed here. `to_visitor` is sent first. With `copy` the bytes
    pass through greenlets, as they must where TLS is spoken; otherwise through the pump.
    """
    client.take_over()
    visitor = client.socket
    try:
        _keep_alive(visitor)
        visitor.sendall(to_visitor)
        to_upstream = client.early()
        if copy or sys.platform != "linux":
            client.on_stop(lambda: _end(upstream))
            _carry_green(visitor, upstream, to_upstream, idle_timeout)
        else:
            _carry_by_pump(client, upstream, to_upstream, idle_timeout)
    finally:
        upstream.close()


def _carry_by_pump(client: Client, upstream: Any, to_upstream: bytes, idle_timeout: float) -> None:
    flag = Flag()
    try:
        tunnel = Tunnel(
            _duplicate(client.socket),
            _duplicate(upstream),
            to_upstream=to_upstream,
            idle_timeout=idle_timeout,
            done=flag.set,
        )
        upstream.close()
        _pump.add(tunnel)
        client.on_stop(lambda: _pump.drop(tunnel))
        try:
            flag.wait()
        finally:
            _pump.drop(tunnel)
    finally:
        flag.close()


def _duplicate(green: Any) -> socket.socket:
    return socket.socket(fileno=os.dup(green.fileno()))


def _carry_green(visitor: Any, upstream: Any, to_upstream: bytes, idle_timeout: float) -> None:
    used = [time.monotonic()]

    def copy(source: Any, target: Any, first: bytes, ended: Callable[[], None]) -> None:
        try:
            if first:
                target.sendall(first)
            while data := _receive(source, used, idle_timeout):
                target.sendall(data)
                used[0] = time.monotonic()
        except OSError:
            pass  # one of the two is gone; the other hears it
        finally:
            ended()

    # The visitor's end is told to the upstream, which may have last words; TLS itself knows no
    # half-closed connections, so that the upstream's end is the end.
    def visitor_ended() -> None:
        with suppress(OSError):  # it has ended, too
            upstream.shutdown(socket.SHUT_WR)
            upstream.settimeout(HALF_CLOSED_SECONDS)

    upload = host.spawn(copy, visitor, upstream, to_upstream, visitor_ended)
    try:
        copy(upstream, visitor, b"", lambda: None)
    finally:
        upload.kill()


def _end(upstream: Any) -> None:
    with suppress(OSError):  # it has ended already
        upstream.shutdown(socket.SHUT_RDWR)


def _receive(source: Any, used: list[float], idle_timeout: float) -> bytes:
    """What `source` sends; empty at its end, or when both sides were silent for too long."""
    while True:
        source.settimeout(min(idle_timeout, source.gettimeout() or idle_timeout))
        try:
            data: bytes = source.recv(PIECE_BYTES)
        except TimeoutError:
            if time.monotonic() - used[0] >= source.gettimeout():
                return b""
            continue
        used[0] = time.monotonic()
        return data


def _keep_alive(visitor: Any) -> None:
    if visitor.family == socket.AF_UNIX:
        return
    visitor.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    visitor.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, value in KEEPALIVE.items():
        if hasattr(socket, name):
            visitor.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
