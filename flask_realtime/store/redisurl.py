"""The address of a Redis: one server, one that Sentinels name, or a cluster. No I/O."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit, urlunsplit

from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection, parse_url

REDIS_PORT = 6379
SENTINEL_PORT = 26379
FORMS = (
    "redis://[USER:PASSWORD@]host:port/number, unix:///path, redis+sentinel://host:port/MASTER, "
    "redis+cluster://host:port, or rediss... for TLS"
)
_SENTINEL = "sentinel_"  # options of the URL that hold for the Sentinels themselves begin so

Address = tuple[str, int]  # host, port


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """A parsed address. `kind`: "single", "sentinel" or "cluster".

    `hosts` are the Sentinels or some nodes of the cluster; `options` are the arguments of
    redis-py's connections to the Redis itself, `sentinel_options` those to the Sentinels.
    """

    kind: str
    hosts: tuple[Address, ...]
    tls: bool
    master: str  # as the Sentinels call it
    options: dict[str, Any] = field(repr=False)
    sentinel_options: dict[str, Any] = field(repr=False)

    @property
    def is_plain(self) -> bool:
        """Whether it is one server without TLS: then its sockets can be green."""
        return self.kind == "single" and not self.tls


_KINDS = {
    "redis": ("single", False),
    "rediss": ("single", True),
    "unix": ("single", False),
    "redis+sentinel": ("sentinel", False),
    "rediss+sentinel": ("sentinel", True),
    "redis+cluster": ("cluster", False),
    "rediss+cluster": ("cluster", True),
}


def parse_redis_url(url: str) -> RedisUrl:
    """Return what `url` says. Raises ValueError, whose text shows no password."""
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise ValueError(str(error)) from None
    if parts.scheme not in _KINDS:
        raise ValueError(f"the scheme {parts.scheme!r} is none of {', '.join(_KINDS)}")
    kind, tls = _KINDS[parts.scheme]
    if kind == "single":
        options = _options(url)
        options.pop("connection_class", None)
        at = () if parts.scheme == "unix" else ((options["host"], options["port"]),)
        return RedisUrl(kind, at, tls, "", options, {})
    user, _, place = parts.netloc.rpartition("@")
    hosts = tuple(_host(each, kind) for each in place.split(","))
    master, path = _path(kind, parts.path)
    own, of_sentinels = [], []
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if kind == "sentinel" and name in (_SENTINEL + "username", _SENTINEL + "password"):
            of_sentinels.append((name.removeprefix(_SENTINEL), value))
        else:
            own.append((name, value))
    scheme = "rediss" if tls else "redis"
    netloc = f"{user}@host" if user else "host"
    options = _options(urlunsplit((scheme, netloc, path, urlencode(own), "")))
    for name in ("connection_class", "host", "port", *(["db"] if kind == "cluster" else [])):
        options.pop(name, None)
    sentinel_options = {name: value for name, value in options.items() if name.startswith("ssl_")}
    return RedisUrl(kind, hosts, tls, master, options, {**sentinel_options, **dict(of_sentinels)})


def _options(url: str) -> dict[str, Any]:
    """As redis-py reads a URL of one server, with what it leaves unsaid or lets pass."""
    parts = urlsplit(url)
    options: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
    if parts.scheme != "unix":
        options["host"] = options.get("host") or "localhost"
        options["port"] = parts.port or REDIS_PORT
        if not re.fullmatch(r"/?|/[0-9]+", parts.path):
            raise ValueError(f"{parts.path!r} is not the number of a database")
    makes = {"unix": UnixDomainSocketConnection, "rediss": SSLConnection}
    made = {name: value for name, value in options.items() if name != "connection_class"}
    try:
        # Unknown options of the URL show only when a connection is made of them.
        makes.get(parts.scheme, Connection)(**made)
    except TypeError as error:
        named = re.search(r"unexpected keyword argument ('.*')", str(error))
        raise ValueError(f"there is no option {named[1]}" if named else str(error)) from None
    except Exception as error:  # noqa: BLE001  redis-py has errors of many kinds for wrong values
        raise ValueError(str(error) or type(error).__name__) from None
    return options


def _host(text: str, kind: str) -> Address:
    parts = urlsplit(f"//{text}")
    if not parts.hostname or parts.path or parts.username is not None:
        raise ValueError(f"{text!r} is not host:port")
    try:
        port = parts.port
    except ValueError:
        port = -1
    if port is None:
        port = SENTINEL_PORT if kind == "sentinel" else REDIS_PORT
    if not 0 < port < 65536:
        raise ValueError(f"{text!r} has no port from 1 to 65535")
    return unquote(parts.hostname), port


def _path(kind: str, path: str) -> tuple[str, str]:
    """Return the name of the master, and the rest of the path: the number of the database."""
    if kind == "cluster":
        if path not in ("", "/", "/0"):
            raise ValueError("a cluster has the database 0 only")
        return "", ""
    master, _, number = path.removeprefix("/").partition("/")
    if not master:
        raise ValueError("it does not name the master, as the Sentinels call it")
    return unquote(master), f"/{number}" if number else ""


def with_password(url: str, password: str) -> str:
    """Return `url` with `password` in it; unchanged if either is empty, or it has one already."""
    if not url or not password:
        return url
    parts = urlsplit(url)
    user, _, place = parts.netloc.rpartition("@")
    if user.partition(":")[2]:
        return url
    netloc = f"{user.partition(':')[0]}:{quote(password, safe='')}@{place}"
    return urlunsplit(parts._replace(netloc=netloc))


def without_password(url: str) -> str:
    """`url` with its passwords as ***, for messages and logs."""
    shown = re.sub(r"(?<=://)([^/@:]*):[^/]*@", r"\1:***@", url)
    return re.sub(r"(?i)([?&](?:sentinel_|ssl_)?password=)[^&]*", r"\1***", shown)[:200]
