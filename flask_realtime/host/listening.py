"""A listening socket, or why it cannot be had."""

from __future__ import annotations

import errno
import socket

from flask_realtime.errors import ConfigurationError

BACKLOG = 512  # clients that wait to be accepted


def open_listener(host: str, port: int, name: str) -> socket.socket:
    """Return a listening socket that does not block; `name` is what the port is set by.

    TCP_NODELAY is set here because accepted sockets inherit it: with Nagle's algorithm the first
    lines after a start wait for delayed acknowledgements (38 ms each, measured 2026-11).
    Raises ConfigurationError.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listener.bind(address)
            listener.listen(BACKLOG)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"{name}: port {port} of {host} is in use by another program; "
                f"stop that program or set {name} to another number"
            ) from error
        raise ConfigurationError(f"HOST: cannot listen on {host}:{port}: {error}") from error
    listener.setblocking(False)
    return listener
