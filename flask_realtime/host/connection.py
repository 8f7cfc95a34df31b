"""The connection of a request that is being answered."""

from __future__ import annotations

import os
import socket
from typing import Any

INPUT = "flask_realtime.input"  # in the environ: the request's body, which knows its socket
# ... and where engineio's WebSockets look for it, on either hub, by the name that eventlet gave it.
SOCKETIO_INPUT = "eventlet.input"


class Connection:
    """That of the request of `environ`, under a server of flask_realtime."""

    def __init__(self, environ: dict[str, Any]) -> None:
        request_input = environ.get(INPUT)
        self._socket = request_input.get_socket() if request_input is not None else None

    def gone(self) -> bool:
        """Whether the client has closed it; does not wait."""
        if self._socket is None:
            return False
        descriptor = self._socket.fileno()
        if descriptor < 0:
            return True
        peek = socket.socket(fileno=os.dup(descriptor))
        try:
            return not peek.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            peek.close()
