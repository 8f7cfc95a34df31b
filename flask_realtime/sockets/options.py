"""What a WebSocket route may be told, and which pages may open it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from flask_realtime.errors import ConfigurationError
from flask_realtime.trust import Asked, decide, parse_authority

# Options of flask-sock that say how to be green: here everything is.
_ALWAYS_GREEN = frozenset({"thread_class", "event_class", "selector_class"})
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/]+)/?", re.I)


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """The options of a route; the names are those of flask-sock's SOCK_SERVER_OPTIONS.

    `max_message_size` is in bytes, of a message after decompression; None is no limit.
    `ping_interval` is in seconds: a client that says nothing for so long is pinged, and given up
    after twice as long; None never pings. Of `subprotocols` the first that the client offers is
    chosen. `origins` are those of other sites' pages that may connect, such as
    ``https://example.com``; ``*`` admits all. `receive_bytes` is read at once.
    """

    max_message_size: int | None = 16 * 2**20
    ping_interval: float | None = 25.0
    subprotocols: tuple[str, ...] = ()
    compression: bool = True
    origins: tuple[str, ...] = ()
    receive_bytes: int = 16 * 1024

    def changed(self, options: Mapping[str, Any]) -> SocketOptions:
        """These with some changed. Raises ConfigurationError for what is no option."""
        names = [field.name for field in fields(self)]
        wanted = {name: value for name, value in options.items() if name not in _ALWAYS_GREEN}
        if unknown := sorted(wanted.keys() - set(names)):
            raise ConfigurationError(
                f"sockets have no option {unknown[0]!r}; there are {', '.join(names)}"
            )
        for name in ("subprotocols", "origins"):
            if name in wanted:
                wanted[name] = _texts(wanted[name])
        for origin in wanted.get("origins", ()):
            if origin != "*" and _parts(origin) is None:
                raise ConfigurationError(
                    f"{origin!r} is not an origin: expected a scheme, a name and perhaps a port, "
                    "such as https://example.com:8443"
                )
        for name in ("max_message_size", "ping_interval", "receive_bytes"):
            value = wanted.get(name)
            if value is not None and not value > 0:
                raise ConfigurationError(f"the sockets' {name} must be above 0, not {value!r}")
        return replace(self, **wanted)

    def admits(self, origin: str | None, scheme: str, host: str | None) -> bool:
        """Whether a page of `origin` may connect to `host`, which was reached by `scheme`.

        A program that is no browser sends no Origin, and may.
        """
        if origin is None or "*" in self.origins:
            return True
        scheme = {"ws": "http", "wss": "https"}.get(scheme, scheme)
        own = [(scheme, host or "")] + [part for o in self.origins if (part := _parts(o))]
        return any(_is_same(origin, *each) for each in own)


def _is_same(origin: str, scheme: str, authority: str) -> bool:
    name = parse_authority(authority)
    asked = Asked("GET", scheme, authority, origin=origin, is_upgrade=True)
    return name is not None and decide(asked, frozenset({name.host})) is None


def _parts(origin: str) -> tuple[str, str] | None:
    found = _ORIGIN.fullmatch(origin)
    if found is None or parse_authority(found["authority"]) is None:
        return None
    return found["scheme"].lower(), found["authority"]


def _texts(value: str | Iterable[str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)
