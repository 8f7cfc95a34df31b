"""Lines of JSON, as the control socket has them (control.py), and the bounds of what is in them.

Apart from what the messages are: a job's process shall load little.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

MAX_ORDER = 16 << 20  # bytes of a message to the child: all parameters of a run are in one
MAX_TELL = 1 << 20  # bytes of a message of the child: the stacks of its threads are the largest
MAX_TEXT = 500  # characters of a reason, a path or a line of code
MAX_LABEL = 200  # characters of what progress says
MAX_SECRET = 64 << 10  # characters


class BadMessage(ValueError):
    """The other side sent what is no message: it is not to be listened to any longer."""


class Lines:
    """Cuts a byte stream into messages. A line of more than `max_bytes` raises BadMessage."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._parts: list[bytes] = []  # of the line that has not ended
        self._size = 0

    def feed(self, data: bytes) -> list[dict[str, Any]]:
        """The messages that `data` completes, in order."""
        *whole, rest = data.split(b"\n")
        messages = []
        for line in whole:
            self._add(line)
            messages.append(_decode(b"".join(self._parts)))
            self._parts.clear()
            self._size = 0
        self._add(rest)
        return messages

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size > self._max_bytes:
            raise BadMessage(f"a message of more than {self._max_bytes} bytes")
        if part:
            self._parts.append(part)


def encode(message: Mapping[str, object]) -> bytes:
    """One message as a line. Text that is no Unicode (file names) passes as it is."""
    return json.dumps(message, separators=(",", ":")).encode("ascii") + b"\n"


def _decode(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise BadMessage(f"no JSON: {line[:80]!r} ({error})") from error
    if not isinstance(message, dict):
        raise BadMessage(f"no object: {line[:80]!r}")
    return message


def text_of(value: object, most: int = MAX_LABEL) -> str:
    """`value`, a text, cut to `most` characters and such that it can be sent as UTF-8."""
    if not isinstance(value, str):
        raise TypeError(f"{type(value).__name__} is no text")
    return value[:most].encode("utf-8", "backslashreplace").decode("utf-8")
