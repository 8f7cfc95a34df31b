"""The listening sockets of a server, and how clients are taken from them."""

from __future__ import annotations

import errno
import logging
import socket
from collections.abc import Callable
from typing import Any

from flask_realtime import host
from flask_realtime.server.httpprotocol import Service
from flask_realtime.server.tls import Certificates

BUSY_SECONDS = 0.2  # to wait when the machine has no descriptor left
# The machine has none left of what a connection takes.
FULL = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)

_log = logging.getLogger(__name__)


class Port:
    """A listening socket and what answers there."""

    def __init__(self, listener: Any, service: Service, certificates: Certificates | None) -> None:
        self.service = service
        self.certificates = certificates
        self.number: int = listener.getsockname()[1]
        self._listener = listener
        self._task: host.Task | None = None

    def open(
        self,
        has_room: Callable[[], bool],
        wait: Callable[[], object],
        take: Callable[[Port, socket.socket, Any], bool],
    ) -> None:
        """Hand clients to `take`; while there is no room, they stand in the system's line.

        `wait` returns when there may be room again. `take` must not wait; it is False when the
        machine cannot serve one more.
        """
        self._has_room = has_room
        self._wait = wait
        self._take = take
        self._task = host.spawn(self._accept)

    def close(self) -> None:
        """Take no more; those who came before it are handed on, as far as there is room."""
        if self._task is not None:
            self._task.kill()
            self._task = None
            self._take_line()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            while not self._has_room():
                self._wait()
            try:
                plain, address = host.accept(self._listener)
            except OSError as error:
                if error.errno not in FULL:
                    _log.debug("a client left before it was accepted: %s", error)
                    continue
                _log.warning("no connection can be accepted now: %s", error.strerror)
                host.sleep(BUSY_SECONDS)
                continue
            if not self._take(self, plain, address):
                host.sleep(BUSY_SECONDS)

    def _take_line(self) -> None:
        """To close the socket would reset their connections, with a request on its way perhaps."""
        while self._has_room():
            try:
                plain, address = host.accept(self._listener, timeout=0)
            except TimeoutError:  # nobody is left
                return
            except OSError as error:
                _log.debug("no further client can be accepted: %s", error)
                return
            self._take(self, plain, address)
