"""Who may speak to a server without a login: pages of its own origin, by a name that is its own.

A page of any site that somebody visits can send requests to servers on their machine: by WebSocket
without further ado, by a form, or, with a name that its DNS turns to 127.0.0.1 (rebinding), as if
the server were its own. The names and origins that browsers report are what tells them apart.

Of requests that come through a reverse proxy, forwarded.py has put the names that the visitor used
in place before.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask_realtime.errors import ConfigurationError
from flask_realtime.requestid import log_extra

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# The names of the machine itself.
LOOPBACK_HOSTS = ("localhost", "127.0.0.1", "[::1]")

_log = logging.getLogger(__name__)

_DEFAULT_PORTS = {"http": 80, "https": 443}
_NAME = re.compile(r"(?=.{1,253}\.?$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.I | re.A)
_AUTHORITY = re.compile(r"(?P<host>\[[0-9a-f:.]{2,45}\]|[^\[\]:]+)(:(?P<port>[0-9]{0,5}))?", re.I)
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<authority>[^/?#@]+)", re.I)
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Authority:
    """Host and port as RFC 3986, section 3.2 has them; the port is None where none is given."""

    host: str
    port: int | None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request says of where it comes from; a header that is missing is None."""

    method: str
    scheme: str
    host: str | None
    origin: str | None = None
    fetch_site: str | None = None
    fetch_mode: str | None = None
    fetch_dest: str | None = None
    is_upgrade: bool = False
    is_socket_path: bool = False


@dataclass(frozen=True, slots=True)
class Refusal:
    status: str
    detail: str


def normal_host(text: str) -> str | None:
    """A host name or address in the one form that can be compared; None if it is none.

    Lower case, without the final dot; IPv6 compressed and in brackets.
    """
    if text.startswith("[") and text.endswith("]"):
        try:
            return f"[{ipaddress.IPv6Address(text[1:-1])}]"
        except ValueError:
            return None
    return text.lower().removesuffix(".") if _NAME.fullmatch(text) else None


def parse_authority(text: str) -> Authority | None:
    """Read a Host header's value; None if it is malformed, or holds more than one."""
    found = _AUTHORITY.fullmatch(text)
    host = normal_host(found["host"]) if found else None
    if found is None or host is None:
        return None
    port = int(found["port"]) if found["port"] else None
    return None if port is not None and port > 65535 else Authority(host, port)


def decide(asked: Asked, hosts: frozenset[str]) -> Refusal | None:
    """Whether to refuse a request; `hosts` are names as `normal_host` gives them."""
    own = parse_authority(asked.host) if asked.host is not None else None
    if own is None:
        return Refusal(
            "400 Bad Request",
            "The request has no Host header, or one that is not a single name: "
            f"{_shown(asked.host)}.",
        )
    if own.host not in hosts:
        return Refusal(
            "421 Misdirected Request",
            f"This server does not answer to the name {_shown(own.host)}. "
            "If the name is yours, add it to TRUSTED_HOSTS.",
        )
    if (
        asked.origin is not None
        and (asked.is_upgrade or asked.is_socket_path or asked.method not in _SAFE_METHODS)
        and not _is_same_origin(asked.origin, asked.scheme, own)
    ):
        return Refusal(
            "403 Forbidden",
            f"The request was made by a page of {_shown(asked.origin)}, and only the pages of "
            "this server may make it.",
        )
    if asked.fetch_site in ("cross-site", "same-site") and not _is_plain_navigation(asked):
        return Refusal(
            "403 Forbidden",
            "The request was made by a page of another site or port, and only the pages of this "
            "server may make it.",
        )
    return None


class HostAndOriginGuard:
    """WSGI middleware that lets through what `decide` does not refuse.

    It stands around everything else, Socket.IO included. `hosts` are host names and addresses
    without a port (IPv6 in brackets); each is answered on any port. `prefixes` are the paths that
    it watches; requests for others, of an application that has ways of its own, it hands on.
    """

    def __init__(
        self,
        wsgi_app: WSGIApplication,
        hosts: Iterable[str],
        *,
        prefixes: Iterable[str] = ("/",),
        socket_path: str = "/socket.io",
    ) -> None:
        normal = {host: normal_host(host) for host in hosts}
        for host, name in normal.items():
            if name is None:
                raise ConfigurationError(
                    f"{host!r} is not a host name to answer to: expected a name or an address "
                    "without a port, such as localhost or [::1]"
                )
        self.hosts = frozenset(name for name in normal.values() if name is not None)
        self.wsgi_app = wsgi_app
        self._prefixes = tuple(prefixes)
        self._socket_path = socket_path

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if not any(is_below(path, prefix) for prefix in self._prefixes):
            return self.wsgi_app(environ, start_response)
        refusal = decide(self._asked(environ, path), self.hosts)
        if refusal is None:
            return self.wsgi_app(environ, start_response)
        _log.warning("refused a request: %s", refusal.detail, extra=log_extra(environ))
        return refuse(refusal, environ, start_response)

    def _asked(self, environ: WSGIEnvironment, path: str) -> Asked:
        return Asked(
            method=environ["REQUEST_METHOD"],
            scheme=environ["wsgi.url_scheme"],
            host=environ.get("HTTP_HOST"),
            origin=environ.get("HTTP_ORIGIN"),
            fetch_site=environ.get("HTTP_SEC_FETCH_SITE"),
            fetch_mode=environ.get("HTTP_SEC_FETCH_MODE"),
            fetch_dest=environ.get("HTTP_SEC_FETCH_DEST"),
            is_upgrade="websocket" in environ.get("HTTP_UPGRADE", "").lower(),
            is_socket_path=is_below(path, self._socket_path),
        )


def security_headers() -> dict[str, str]:
    """The headers of every page: its own scripts, styles and connections, in no frame."""
    policy = {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "connect-src": "'self'",
        "img-src": "'self' data:",
        "font-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'self'",
        "frame-ancestors": "'none'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def is_below(path: str, prefix: str) -> bool:
    """Whether `path` is `prefix` or below it. Doubled slashes hide nothing: routers merge them."""
    parts = [part for part in path.split("/") if part]
    expected = [part for part in prefix.split("/") if part]
    return parts[: len(expected)] == expected


def _is_same_origin(origin: str, scheme: str, own: Authority) -> bool:
    found = _ORIGIN.fullmatch(origin)  # "null" is none, nor are several
    other = parse_authority(found["authority"]) if found else None
    if found is None or other is None or found["scheme"].lower() != scheme:
        return False
    default = _DEFAULT_PORTS.get(scheme)
    ports = [default if each.port is None else each.port for each in (other, own)]
    return other.host == own.host and ports[0] == ports[1]


def _is_plain_navigation(asked: Asked) -> bool:
    """Somebody followed a link to a page: not a frame, not a form that sends."""
    return (
        asked.method in ("GET", "HEAD")
        and asked.fetch_mode == "navigate"
        and asked.fetch_dest == "document"
        and not asked.is_upgrade
        and not asked.is_socket_path
    )


def refuse(
    refusal: Refusal, environ: WSGIEnvironment, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer as RFC 9457 wants it."""
    code, _, title = refusal.status.partition(" ")
    problem = {
        "type": "about:blank",
        "title": title,
        "status": int(code),
        "detail": refusal.detail,
        "code": "not_allowed",
    }
    body = json.dumps(problem).encode()
    start_response(
        refusal.status,
        [
            ("Content-Type", "application/problem+json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Content-Type-Options", "nosniff"),
        ],
    )
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else body]


def _shown(value: str | None) -> str:
    return "none" if value is None else ascii(value[:100])
