"""Which header fields pass between a visitor and an upstream, and how they are changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit

from flask_realtime.proxy.errors import BadRequest
from flask_realtime.proxy.paths import PathMap, below

Headers = list[tuple[str, str]]

# RFC 9110, section 7.6.1; and what older software says.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
# Framing and Host are said anew; "Proxy" turns into HTTP_PROXY in CGI programs.
_NOT_SENT = HOP_BY_HOP | {"content-length", "expect", "forwarded", "host", "proxy", "x-real-ip"}
# What a web server in front would obey (nginx), and what speaks for the whole origin.
_NOT_RETURNED = HOP_BY_HOP | {"content-length", "alt-svc"}
_TOKEN = re.compile(r"[!#$%&'*+.^`|~0-9A-Za-z-]+")  # without "_": WSGI takes it for "-"
_RESPONSE_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_BREAKS = re.compile(r"[\r\n\0]")
# A cookie of an upstream that is named like one of the parent's gets this in the browser.
RENAMED = "proxied."


class Visit(NamedTuple):
    """What an upstream is told of a request."""

    host: str
    scheme: str
    address: str
    root: str  # the parent's own script name


@dataclass(frozen=True, slots=True)
class HeaderRules:
    """`cookies` are names of the parent's cookies, which no upstream gets or sets."""

    paths: PathMap
    upstream_host: str
    preserve_host: bool = True
    cookies: frozenset[str] = frozenset()
    dropped: frozenset[str] = frozenset()

    def request(self, headers: Iterable[tuple[str, str]], visit: Visit) -> Headers:
        """The end-to-end headers for the upstream. Raises BadRequest for folded or broken ones."""
        given = list(headers)
        if any(_BREAKS.search(value) for _, value in given):
            raise BadRequest("A header is folded or holds a control character.")
        left_out = _NOT_SENT | self.dropped | _connection_names(given)
        sent = [("Host", visit.host if self.preserve_host else self.upstream_host)]
        for name, value in given:
            lower = name.lower()
            if lower in left_out or lower.startswith("x-forwarded-") or not _TOKEN.fullmatch(name):
                continue
            if lower == "cookie":
                value = self._cookies_for_upstream(value)
                if not value:
                    continue
            sent.append((name, value))
        sent.append(("X-Forwarded-For", visit.address))
        sent.append(("X-Forwarded-Host", visit.host))
        sent.append(("X-Forwarded-Proto", visit.scheme))
        sent.append(("X-Forwarded-Prefix", visit.root + self.paths.prefix))
        return sent

    def response(self, headers: Iterable[tuple[str, str]], visit: Visit) -> Headers:
        """The end-to-end headers for the visitor; each of several with one name is kept."""
        given = list(headers)
        left_out = _NOT_RETURNED | _connection_names(given)
        returned: Headers = []
        for name, value in given:
            lower = name.lower()
            if lower in left_out or lower.startswith("x-accel-"):
                continue
            change = _CHANGES.get(lower)
            changed = change(self, value, visit) if change else value
            if changed is not None:
                returned.append((name, changed))
        return returned

    def location(self, value: str, visit: Visit) -> str:
        """Turn an absolute path, or an address of the upstream's own, into the visitor's path."""
        if value.startswith("/") and not value.startswith("//"):
            return self._public(value, visit)
        try:
            parts = urlsplit(value)
            own = parts.scheme in ("http", "https") and bool(parts.netloc)
        except ValueError:
            return value
        rest = value.partition("://")[2][len(parts.netloc) :]
        if own and rest[:1] != "/":
            rest = "/" + rest
        if own and parts.netloc.lower() == self.upstream_host.lower():
            return self._public(rest, visit)
        if own and parts.netloc.lower() == visit.host.lower():
            path = rest.partition("?")[0].partition("#")[0]
            return (
                rest if below(path, visit.root + self.paths.prefix) else self._public(rest, visit)
            )
        return value

    def _public(self, target: str, visit: Visit) -> str:
        end = min((i for i in (target.find("?"), target.find("#")) if i >= 0), default=len(target))
        public = self.paths.to_public(target[:end], visit.root)
        # "//evil" in what is left of a path would be taken for a host.
        return "/" + public.lstrip("/") + target[end:]

    def set_cookie(self, value: str, visit: Visit) -> str | None:
        """Bind a cookie to the prefix; one named like the parent's gets another name."""
        pair, *attributes = [part.strip() for part in value.split(";")]
        name, equals, content = pair.partition("=")
        name = name.strip()
        if not equals or not name:
            return None  # browsers send a nameless one as "value", which may say "name=value"
        public = visit.root + self.paths.prefix
        path = ""
        kept = []
        for attribute in attributes:
            key, _, word = attribute.partition("=")
            key = key.strip().lower()
            if key == "path":
                path = word.strip()
            elif key != "domain":
                kept.append(attribute)
        if path.startswith("/"):
            mapped = self.paths.to_public(path, visit.root)
            path = mapped if below(mapped.rstrip("/"), public) else public
        # Without a path a browser takes the folder of the request, which may be the parent's.
        path = path if path.startswith("/") else public or "/"
        if self._is_ours(name) or (name.lower().startswith("__host-") and path != "/"):
            name = RENAMED + name
        return "; ".join([f"{name}={content.strip()}", *kept, f"Path={path}"])

    def service_worker(self, value: str, visit: Visit) -> str | None:
        """A worker may serve what is below the prefix, nothing else of the origin."""
        scope = self.location(value, visit)
        return scope if below(scope.rstrip("/"), visit.root + self.paths.prefix) else None

    def _is_ours(self, name: str) -> bool:
        return name in self.cookies or name.startswith(RENAMED)

    def _cookies_for_upstream(self, value: str) -> str:
        kept = []
        for pair in value.split(";"):
            name, equals, content = pair.strip().partition("=")
            name = name.strip()
            if name.startswith(RENAMED):
                kept.append(f"{name[len(RENAMED) :]}{equals}{content}")
            elif name and name not in self.cookies:
                kept.append(pair.strip())
        return "; ".join(kept)


_CHANGES: dict[str, Callable[[HeaderRules, str, Visit], str | None]] = {
    "location": HeaderRules.location,
    "content-location": HeaderRules.location,
    "set-cookie": HeaderRules.set_cookie,
    "service-worker-allowed": HeaderRules.service_worker,
}


def index(headers: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    """The values by their fields' names in lower case."""
    found: dict[str, list[str]] = {}
    for name, value in headers:
        found.setdefault(name.lower(), []).append(value)
    return found


def tokens(values: Iterable[str]) -> list[str]:
    """The comma-separated words of one field's values, in lower case."""
    words = [word.strip() for value in values for word in value.lower().split(",")]
    return [word for word in words if word]


def is_field(name: str, value: str) -> bool:
    """Whether an upstream's field is well formed; RFC 9110, section 5."""
    return bool(_RESPONSE_TOKEN.fullmatch(name)) and not _BREAKS.search(value)


def _connection_names(headers: Headers) -> frozenset[str]:
    values = [value for name, value in headers if name.lower() == "connection"]
    return frozenset(tokens(values)) if values else frozenset()
