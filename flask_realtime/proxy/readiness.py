"""Whether an app server answers HTTP requests. Blocking; for native threads."""

from __future__ import annotations

import re

from flask_realtime.proxy.upstream import Address

PROBE_SECONDS = 1.0
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")


def is_taken(address: Address) -> bool:
    """Whether somebody listens there."""
    try:
        connection, target = address.unconnected()
    except OSError:
        return False
    with connection:
        connection.settimeout(PROBE_SECONDS)
        try:
            connection.connect(target)
        except OSError:
            return False
        return True


def is_ready(address: Address, path: str) -> bool:
    """Whether a request for `path` is answered, be it with "not found", in PROBE_SECONDS."""
    request = f"GET {path} HTTP/1.1\r\nHost: {address.authority}\r\nConnection: close\r\n\r\n"
    try:
        connection, target = address.unconnected()
    except OSError:
        return False
    with connection:
        connection.settimeout(PROBE_SECONDS)
        try:
            connection.connect(target)
            connection.sendall(request.encode("latin-1"))
            found = _STATUS.match(connection.recv(100))
        except OSError:
            return False
        return found is not None and int(found[1]) < 500
