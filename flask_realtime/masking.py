"""Masks known secrets in what a job prints. No I/O, no clock; it holds back next to nothing."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

MASK = b"***"
LEAST_LENGTH = 8  # characters; what is shorter stands in ordinary text too often
MOST = 1000  # secrets of one kind: all are looked for in all output
SHOWN = 3  # bytes of a secret's beginning that may be shown before the rest of it has come


class Secrets:
    """The secrets that are masked in some output. For any thread.

    Those of `parent` belong to it; they may still grow. The newest MOST are kept.
    """

    def __init__(self, parent: Secrets | None = None) -> None:
        self._parent = parent
        self._own: tuple[bytes, ...] = ()
        self._lock = threading.Lock()

    def add(self, secret: str) -> None:
        """Mask `secret` from now on. Raises ValueError when it is too short to be one."""
        if len(secret) < LEAST_LENGTH:
            raise ValueError(
                f"a secret of less than {LEAST_LENGTH} characters cannot be masked: "
                "it would hide ordinary text"
            )
        encoded = secret.encode("utf-8", "surrogateescape")
        with self._lock:
            if encoded not in self._own:
                self._own = (*self._own, encoded)[-MOST:]

    def known(self) -> tuple[bytes, ...]:
        """All secrets that are known now."""
        own = self._own
        return own if self._parent is None else (*self._parent.known(), *own)

    def mask(self, text: str) -> str:
        """Return `text`, which is whole, without the secrets, also where it has them in a line."""
        data = text.encode("utf-8", "surrogateescape")
        known = self.known()
        known += tuple(line for line in map(_in_a_line, known) if len(line) >= LEAST_LENGTH)
        if any(secret in data for secret in known):
            return _pattern(known).sub(MASK, data).decode("utf-8", "surrogateescape")
        return text


def in_a_line(text: str) -> str:
    """`text` as records have it: its words with a blank between them, no control characters."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())


def _in_a_line(secret: bytes) -> bytes:
    return in_a_line(secret.decode("utf-8", "surrogateescape")).encode()


class Masker:
    """Between a job's output and its log: `write` hands on what it gets, without the secrets.

    A secret is found wherever the output is cut into pieces. An end of the output that is the
    beginning of a secret waits for what follows; its first SHOWN bytes do not, so that a line
    without an end is not kept back because of a letter.
    """

    def __init__(self, output: Callable[[int, bytes], None], secrets: Secrets) -> None:
        self._output = output
        self._secrets = secrets
        self._streams: dict[int, _Stream] = {}

    def write(self, stream: int, data: bytes) -> None:
        """Hand on `data` of `stream`, and what waited, as far as it can be."""
        known = self._secrets.known()
        state = self._streams.get(stream)
        if not known and state is None:
            self._output(stream, data)
            return
        if state is None:
            state = self._streams[stream] = _Stream()
        if ready := state.take(data, known):
            self._output(stream, ready)

    def flush(self) -> None:
        """Hand on all that waits: the output has ended."""
        for stream, state in self._streams.items():
            if state.held:
                self._output(stream, state.held)
                state.held = b""


class _Stream:
    def __init__(self) -> None:
        self.shown = b""  # the last bytes that went out as they were: a secret may begin in them
        self.held = b""  # the beginning of a secret, perhaps

    def take(self, data: bytes, known: tuple[bytes, ...]) -> bytes:
        """Return what may go out now."""
        start = len(self.shown)
        text = self.shown + self.held + data
        end = _open_end(text, start, known)
        masked, whole = _masked(text[:end], start, known)
        self.held = text[end:]
        self.shown = text[max(whole, end - SHOWN) : end]
        return masked


def _masked(text: bytes, start: int, known: tuple[bytes, ...]) -> tuple[bytes, int]:
    """Return ``text[start:]`` without secrets, and where the last one ended."""
    if not any(secret in text for secret in known):
        return text[start:], 0
    parts = []
    at = 0
    for found in _pattern(known).finditer(text):
        parts.append(text[max(at, start) : max(found.start(), start)])
        parts.append(MASK)
        at = found.end()
    parts.append(text[max(at, start) :])
    return b"".join(parts), at


def _open_end(text: bytes, start: int, known: tuple[bytes, ...]) -> int:
    """Where the longest end of `text` begins that more than SHOWN bytes of a secret begin with."""
    first = len(text)
    for secret in known:
        beginning = secret[: SHOWN + 1]
        at = text.find(beginning, max(0, len(text) - len(secret) + 1))
        while 0 <= at < first:
            if secret.startswith(text[at:]):
                first = at
            else:
                at = text.find(beginning, at + 1)
    return max(first, start)


def _pattern(known: tuple[bytes, ...]) -> re.Pattern[bytes]:
    """Of two secrets that begin alike, the longer one is found."""
    return re.compile(b"|".join(map(re.escape, sorted(known, key=len, reverse=True))))
