"""HTTP/1.1 as bytes: heads of messages and chunked bodies. No socket, no clock; strict."""

from __future__ import annotations

import re
from typing import NamedTuple

from flask_realtime.proxy.errors import UpstreamNonsense
from flask_realtime.proxy.headers import Headers, index, is_field, tokens

MAX_HEAD_BYTES = 65536
MAX_CHUNK_LINE_BYTES = 4096

_STATUS = re.compile(r"HTTP/1\.([01]) ([1-9][0-9]{2})(?: ([^\r\n\0]*))?")
_LENGTH = re.compile(r"[0-9]{1,18}")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,15})[ \t]*(?:;[^\r\n]*)?")


class Head(NamedTuple):
    """The head of a response. `length` is None when the body is chunked or ends with the line.

    `stated_length` is what its Content-Length says, also of a body that is not sent (HEAD).
    """

    status: int
    reason: str
    headers: Headers
    chunked: bool
    length: int | None
    stated_length: int | None
    fields: dict[str, list[str]]  # the headers' values by their names in lower case
    reusable: bool


def request_bytes(method: str, target: str, headers: Headers) -> bytes:
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def parse_head(data: bytes, *, bodyless: bool) -> Head:
    """Read the head of a response, its final empty line left out.

    `bodyless`: the request was HEAD. Raises UpstreamNonsense for what two readers might read in
    two ways; RFC 9112, sections 4 to 6.
    """
    first, *lines = data.decode("latin-1").split("\r\n")
    found = _STATUS.fullmatch(first)
    if found is None:
        raise UpstreamNonsense("The app server's answer is not HTTP.")
    headers: Headers = []
    for line in lines:
        name, colon, value = line.partition(":")
        value = value.strip(" \t")
        if not colon or not is_field(name, value):
            raise UpstreamNonsense("A header of the app server's answer is malformed.")
        headers.append((name, value))
    status = int(found[2])
    fields = index(headers)
    codings = tokens(fields.get("transfer-encoding", ()))
    if codings not in ([], ["chunked"]):
        raise UpstreamNonsense("The app server's answer has a transfer coding that is not known.")
    lengths = set(fields.get("content-length", ()))
    if len(lengths) > 1 or not all(map(_LENGTH.fullmatch, lengths)):
        raise UpstreamNonsense("The app server's answer has a Content-Length that is no number.")
    ends_at_once = bodyless or status in (204, 304) or status < 200
    connection = tokens(fields.get("connection", ()))
    chunked = bool(codings) and not ends_at_once
    length = 0 if ends_at_once else int(min(lengths)) if lengths and not chunked else None
    framed = chunked or length is not None
    closing = "close" in connection or (found[1] == "0" and "keep-alive" not in connection)
    return Head(
        status,
        found[3] or "",
        headers,
        chunked,
        length,
        int(min(lengths)) if lengths and not codings and status != 204 else None,
        fields,
        reusable=framed and not closing and not (codings and lengths) and status != 101,
    )


class ChunkedReader:
    """Takes a chunked body off the front of what arrives; RFC 9112, section 7.1."""

    def __init__(self) -> None:
        self.ended = False
        self.excess = b""  # what came after the end
        self._line = b""
        self._left = 0  # of the chunk's data; its line end is expected after it
        self._state = "size"

    def feed(self, data: bytes) -> list[bytes]:
        """The pieces of the body that `data` brought. Raises UpstreamNonsense."""
        pieces = []
        position = 0
        while position < len(data) and not self.ended:
            if self._state == "data":
                piece = data[position : position + self._left]
                pieces.append(piece)
                position += len(piece)
                self._left -= len(piece)
                if not self._left:
                    self._state = "end of data"
                continue
            end = data.find(b"\n", position)
            self._line += data[position : end + 1 if end >= 0 else len(data)]
            if len(self._line) > MAX_CHUNK_LINE_BYTES:
                raise UpstreamNonsense("A chunk's line in the app server's answer is too long.")
            if end < 0:
                return pieces
            position = end + 1
            line, self._line = self._line, b""
            if not line.endswith(b"\r\n"):
                raise UpstreamNonsense("A chunk in the app server's answer is malformed.")
            self._take_line(line[:-2])
        if self.ended:
            self.excess = data[position:]
        return pieces

    def _take_line(self, line: bytes) -> None:
        if self._state == "trailer":
            self.ended = not line
        elif self._state == "end of data":
            if line:
                raise UpstreamNonsense("A chunk in the app server's answer is too long.")
            self._state = "size"
        else:
            found = _CHUNK_SIZE.fullmatch(line)
            if found is None:
                raise UpstreamNonsense("A chunk in the app server's answer has no size.")
            self._left = int(found[1], 16)
            self._state = "data" if self._left else "trailer"
