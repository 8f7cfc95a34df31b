"""How paths of the public site and paths of an upstream belong together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from flask_realtime.errors import ConfigurationError
from flask_realtime.proxy.errors import BadRequest

_FORBIDDEN = re.compile(rb"[\x00-\x1f\x7f\\]")
_PLAIN = re.compile(r"[A-Za-z0-9_~/-]*")  # what needs no second look
_SAFE = "".join(chr(code) for code in range(0x21, 0x7F))


@dataclass(frozen=True, slots=True)
class PathMap:
    """`prefix` is "" for a whole host; `base` is what the upstream has in its place.

    Paths that begin with one of `whole` are the same on both sides, whatever the prefix.
    """

    prefix: str
    base: str
    whole: tuple[str, ...] = ()

    def holds(self, path: str) -> bool:
        """Whether a public path, without the parent's own script name, is below the prefix."""
        return path.startswith("/") and below(path, self.prefix)

    def to_upstream(self, path: str) -> str:
        """The upstream's path for one that `holds`."""
        if path.startswith(self.whole) and self.whole:
            return path
        return self.base + path[len(self.prefix) :] or "/"

    def to_public(self, path: str, root: str) -> str:
        """The visitor's path for one of the upstream; `root` is the parent's own script name.

        One that lies outside of what is mounted stays as it is.
        """
        if self.whole and path.startswith(self.whole):
            return root + path
        if not below(path, self.base):
            return path
        return root + self.prefix + path[len(self.base) :] or "/"


def below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(prefix + "/") or (not prefix and path[:1] == "/")


def checked_prefix(prefix: str) -> str:
    """A mount point in its one form: "/a/b", or "" for "/". Raises ConfigurationError."""
    if not prefix.startswith("/"):
        raise ConfigurationError(f"{prefix!r} is no prefix: expected a path such as /bokeh")
    try:
        checked_path(prefix)
    except BadRequest as error:
        raise ConfigurationError(f"{prefix!r} is no prefix: {error}") from error
    return prefix.rstrip("/")


def checked_path(raw: str) -> str:
    """A path as it was sent, percent-encoded; raises BadRequest for one that plays tricks.

    Refused are dot segments, backslashes and control characters, encoded or not: what an upstream
    makes of them differs from server to server. Bytes beyond ASCII are encoded.
    """
    if _PLAIN.fullmatch(raw):
        return raw
    decoded = unquote_to_bytes(raw.encode("latin-1", "replace"))
    if _FORBIDDEN.search(decoded):
        raise BadRequest("The path holds a backslash or a control character.")
    for segment in decoded.split(b"/"):
        # Some servers take "..;x" for "..": path parameters, RFC 3986, section 3.3.
        if segment.split(b";", 1)[0] in (b".", b".."):
            raise BadRequest("The path holds a dot segment.")
    return quote(raw, safe=_SAFE, encoding="latin-1")


def checked_query(raw: str) -> str:
    """A query as it was sent. Raises BadRequest for control characters."""
    if not raw:
        return raw
    if _FORBIDDEN.search(raw.encode("latin-1", "replace").replace(b"\\", b"")):
        raise BadRequest("The query holds a control character.")
    return quote(raw, safe=_SAFE, encoding="latin-1")
