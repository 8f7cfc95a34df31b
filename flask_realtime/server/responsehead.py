"""The head of an answer as an application gives it (PEP 3333), checked before it is sent.

No input or output here. What would be read as something else than was meant is refused: a line end
in a value begins a header of its own, or an answer of its own. How an answer is framed and whether
the connection stays is the server's to say: what an application says of it is taken, not sent.
"""

from __future__ import annotations

import re

_STATUS = re.compile(r"[2-9][0-9]{2}(?: [^\x00\r\n\u0100-\U0010ffff]*)?")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[^\x00\r\n\u0100-\U0010ffff]*")
_DIGITS = re.compile(r"[0-9]{1,18}")
_OURS = ("content-length", "connection", "keep-alive", "transfer-encoding")


class ResponseHead:
    """Status and header fields. Raises ValueError where they cannot be sent.

    `length` is what Content-Length announces, None without one. `fields` is without those that are
    the server's; `options` are what is left of Connection, `closes` whether "close" was among them.
    """

    __slots__ = ("closes", "code", "fields", "has_date", "length", "options", "status")

    def __init__(self, status: str, headers: list[tuple[str, str]]) -> None:
        if not _STATUS.fullmatch(status):
            raise ValueError(f"{status!r} is no status: expected a number from 200 and words")
        self.code = int(status[:3])
        self.status = status if len(status) > 3 else f"{status} "  # RFC 9112, section 4
        self.length: int | None = None
        self.closes = self.has_date = False
        self.options: list[str] = []
        self.fields: list[tuple[str, str]] = []
        for name, value in headers:
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name!r} is no name of a header")
            if not _VALUE.fullmatch(value):  # which may be a secret: it is not shown
                raise ValueError(f"the header {name} has a character that cannot be sent")
            lower = name.lower()
            if lower in _OURS:
                self._take(lower, value.strip())
            else:
                self.has_date = self.has_date or lower == "date"
                self.fields.append((name, value))

    @property
    def is_bodyless(self) -> bool:
        """Whether an answer of this status has no body, whatever the method was."""
        return self.code in (204, 304)

    def _take(self, name: str, value: str) -> None:
        if name == "content-length":
            if not _DIGITS.fullmatch(value) or self.length not in (None, int(value)):
                raise ValueError("Content-Length is not one number")
            self.length = int(value)
        elif name == "transfer-encoding" and value.lower() != "chunked":
            raise ValueError("the server encodes an answer for its transfer, if need be")
        elif name == "connection":
            options = [each.strip() for each in value.split(",")]
            self.closes = self.closes or "close" in (each.lower() for each in options)
            self.options += [
                each for each in options if each.lower() not in ("", "close", "keep-alive")
            ]
