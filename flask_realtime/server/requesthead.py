"""The head of an HTTP/1 request, read as strictly as RFC 9112 has it. No input or output here.

Two programs that understand one request differently, a reverse proxy and this server say, are how
requests are smuggled: what can be read in two ways is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_LINE = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+) ([^\x00-\x20\x7f]+) HTTP/([0-9])\.([0-9])\r?\n")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00\r\n]*?)[ \t]*\r?\n")
_DIGITS = re.compile(r"[0-9]{1,18}")
MAX_FIELDS = 100


class BadHead(Exception):
    """The request is refused; the connection cannot be used further."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


@dataclass(frozen=True, slots=True)
class RequestLine:
    method: str
    target: str
    version: str  # HTTP/1.0 or HTTP/1.1


class Fields:
    """The header fields, in their order; names are looked up in lower case."""

    def __init__(self, fields: list[tuple[str, str]]) -> None:
        self.all = fields
        self._first: dict[str, str] = {}
        for name, value in fields:
            self._first.setdefault(name.lower(), value)

    def get(self, name: str, default: str | None = None) -> str | None:
        """The first field of this name."""
        return self._first.get(name.lower(), default)

    def get_all(self, name: str) -> list[str]:
        return [value for each, value in self.all if each.lower() == name.lower()]


def parse_line(line: bytes) -> RequestLine:
    """Read the request line, its end included. Raises BadHead."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise BadHead(400, "The request line is malformed.")
    method, target = found[1].decode("latin-1"), found[2].decode("latin-1")
    if found[3] != b"1":
        raise BadHead(505, "This server speaks HTTP/1.1.")
    if not target.startswith("/") and (method, target) != ("OPTIONS", "*"):
        raise BadHead(400, "The request's target is not a path.")
    # As the standard library does: a path that begins with two slashes would be taken for the
    # address of another site where it is redirected to.
    if target.startswith("//"):
        target = "/" + target.lstrip("/")
    return RequestLine(method, target, "HTTP/1.0" if found[4] == b"0" else "HTTP/1.1")


def parse_fields(lines: Iterable[bytes], version: str) -> Fields:
    """Read header lines, without the empty one at their end. Raises BadHead."""
    fields = []
    for line in lines:
        found = _FIELD.fullmatch(line)
        if found is None:
            raise BadHead(400, "A header line is malformed.")
        fields.append((found[1].decode("latin-1"), found[2].decode("latin-1")))
        if len(fields) > MAX_FIELDS:
            raise BadHead(431, f"The request has more than {MAX_FIELDS} headers.")
    parsed = Fields(fields)
    _check_framing(parsed, version)
    return parsed


def _check_framing(fields: Fields, version: str) -> None:
    length, coding = fields.get("content-length"), fields.get("transfer-encoding")
    if length is not None and (
        _DIGITS.fullmatch(length) is None or len(fields.get_all("content-length")) > 1
    ):
        raise BadHead(400, "Content-Length is not one number.")
    if coding is not None:
        if length is not None:
            raise BadHead(400, "Content-Length and Transfer-Encoding exclude each other.")
        if version == "HTTP/1.0":
            raise BadHead(400, "HTTP/1.0 has no Transfer-Encoding.")
        if coding.lower() != "chunked" or len(fields.get_all("transfer-encoding")) > 1:
            raise BadHead(501, "The only Transfer-Encoding that is understood is chunked.")
    hosts = len(fields.get_all("host"))
    if hosts > 1 or (version == "HTTP/1.1" and not hosts):
        raise BadHead(400, "The request has no Host header, or several.")


def body_length(fields: Fields) -> int:
    """The bytes that Content-Length announces; 0 without one."""
    return int(fields.get("content-length") or 0)
