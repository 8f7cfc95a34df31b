"""What responses are written to: the connection's socket, with nothing kept in between."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

JOINED_BYTES = 64 * 1024  # a larger body goes out by itself, without being copied


class ResponseWriter:
    """What the protocol writes to; `connected` is a socket of the hub.

    A buffered file would hold 16 KiB for as long as the connection lasts, idle WebSockets'
    included, and each response passes through it at once all the same. Writing waits while the
    client takes nothing, and raises OSError when it has gone.
    """

    def __init__(self, connected: Any) -> None:
        self._send_all = connected.sendall

    def write(self, data: bytes) -> None:
        if data:
            self._send_all(memoryview(data))  # of which parts are taken without a copy

    def writelines(self, lines: Iterable[bytes]) -> None:
        """Write all as one, where that is not too much; the last one is the body, or a part."""
        *head, body = lines
        if len(body) <= JOINED_BYTES:
            self.write(b"".join((*head, body)))
        else:
            self.write(b"".join(head))
            self.write(body)
