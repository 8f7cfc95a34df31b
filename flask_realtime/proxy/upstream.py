"""Where an app server listens, and the connections to it; they are kept for the next request."""

from __future__ import annotations

import ipaddress
import select
import socket
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from flask_realtime import host
from flask_realtime.errors import ConfigurationError
from flask_realtime.proxy.errors import UpstreamDown, UpstreamSlow
from flask_realtime.proxy.paths import checked_prefix

MAX_IDLE = 32
# Servers close idle connections themselves, some after 5 s (uvicorn): do not race them.
IDLE_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class Address:
    """A fixed address: host and port, or the path of a Unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        return f"unix:{self.path}" if self.path else f"http://{self.authority}"

    @property
    def authority(self) -> str:
        """What Host says when the upstream is asked by its own name."""
        if self.path:
            return "localhost"
        name = f"[{self.host}]" if ":" in self.host else self.host
        return name if self.port == 80 else f"{name}:{self.port}"

    def unconnected(self) -> tuple[socket.socket, Any]:
        """A socket, and what to connect it to. Looks names up, which blocks; raises OSError."""
        if self.path:
            return socket.socket(socket.AF_UNIX), self.path
        found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, target = found[0]
        made = socket.socket(family, kind, protocol)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made, target


def parse_upstream(text: str) -> tuple[Address, str]:
    """Read "http://127.0.0.1:5101/base" or "unix:/run/app.sock"; the address and the base path.

    Raises ConfigurationError.
    """
    if text.startswith("unix:/"):
        return Address(path=unquote(text.removeprefix("unix:"))), ""
    try:
        parts = urlsplit(text)
        port = parts.port or 80
    except ValueError as error:
        raise ConfigurationError(f"the upstream {text!r} is malformed: {error}") from error
    if parts.scheme != "http" or not parts.hostname or parts.query or parts.username:
        raise ConfigurationError(
            f"{text!r} is no upstream: expected http://host:port/path or unix:/path/of/socket"
        )
    return Address(parts.hostname, port), checked_prefix(parts.path or "/")


class Pool:
    """Connections to one address, for greenlets. The newest idle one is used first."""

    def __init__(self, address: Address, connect_timeout: float) -> None:
        self.address = address
        self._connect_timeout = connect_timeout
        self._idle: list[tuple[float, Any]] = []
        self._is_name = bool(address.host) and not _is_ip(address.host)

    def idle(self) -> Any:
        """An idle connection that is still open, or None."""
        while self._idle:
            since, connection = self._idle.pop()
            if time.monotonic() - since < IDLE_SECONDS and not _is_readable(connection):
                return connection
            connection.close()
        return None

    def connect(self) -> Any:
        """A new connection as a green socket. Raises UpstreamDown or UpstreamSlow."""
        unconnected = self.address.unconnected
        try:
            plain, target = host.offload(unconnected) if self._is_name else unconnected()
        except OSError as error:
            raise UpstreamDown(f"The app server's name cannot be looked up: {error}.") from error
        connection = host.green_socket(plain)
        try:
            connection.settimeout(self._connect_timeout)
            connection.connect(target)
        except TimeoutError as error:
            connection.close()
            raise UpstreamSlow(
                f"The app server took no connection in {self._connect_timeout:g} s."
            ) from error
        except OSError as error:
            connection.close()
            raise UpstreamDown("The app server takes no connections.") from error
        except BaseException:
            connection.close()
            raise
        return connection

    def give_back(self, connection: Any) -> None:
        """Keep a connection whose last answer was read to its end, and said that it may be."""
        now = time.monotonic()
        while self._idle and (now - self._idle[0][0] > IDLE_SECONDS or len(self._idle) >= MAX_IDLE):
            self._idle.pop(0)[1].close()
        self._idle.append((now, connection))

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop()[1].close()


def _is_readable(connection: Any) -> bool:
    """Whether the upstream closed it, or said something that nobody asked for."""
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
