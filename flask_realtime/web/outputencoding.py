"""What becomes of output on its way into a response: text without sequences, gzip. No I/O."""

from __future__ import annotations

import codecs
import zlib
from collections.abc import Iterable

from flask_realtime.search.ansi import AnsiFilter
from flask_realtime.tail import Gap, Item

GZIP_LEVEL = 1  # 265 MB/s at a ratio of 6.5; level 6: 65 MB/s at 7.6 (a log of 4 MiB, 2026-11)
GZIP_FORMAT = 31  # zlib's number for gzip with the largest window


class TextOutput:
    """Output as text: UTF-8 without escape sequences. What is gone is said in a line of its own.

    What is not UTF-8 becomes U+FFFD. `before` is what comes before it in the same line.
    """

    def __init__(self, before: bytes = b"") -> None:
        self._plain = AnsiFilter()
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._is_partial = False  # the decoder has a part of a character
        self._is_line_start = True  # of the text, so far
        self._plain.feed(before)

    def feed(self, data: bytes) -> bytes:
        """Return what `data` becomes; a character or a sequence that is cut waits for its end."""
        text = self._plain.feed(data)
        if self._is_partial or not text.isascii():
            text = self._decoder.decode(text).encode()
            self._is_partial = bool(self._decoder.getstate()[0])
        if text:
            self._is_line_start = text.endswith(b"\n")
        return text

    def gap(self, size: int) -> bytes:
        """Say that `size` bytes are gone; what follows may begin in the middle of anything."""
        text = self.end()
        if text or not self._is_line_start:
            text += b"\n"
        self._plain = AnsiFilter()
        self._is_line_start = True
        return text + f"[{size:,} bytes are no longer kept]\n".encode()

    def end(self) -> bytes:
        """Return what waited for an end that does not come."""
        self._is_partial = False
        return self._decoder.decode(b"", final=True).encode()


class Encoder:
    """Output as a response has it: exact, or as `text`; with gzip, or without.

    `flushes`: what was fed comes out at once, for somebody who watches.
    """

    def __init__(self, text: TextOutput | None, *, gzip: bool, flushes: bool) -> None:
        self._text = text
        self._packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_FORMAT) if gzip else None
        self._flushes = flushes

    def feed(self, items: Iterable[Item]) -> bytes:
        """Return what `items` become, perhaps nothing yet. Computes: 1 MB takes up to 10 ms.

        Raises ConnectionAbortedError where something is gone and the bytes are to be exact: they
        must not be taken for the whole.
        """
        parts = []
        for item in items:
            if not isinstance(item, Gap):
                parts.append(item.data if self._text is None else self._text.feed(item.data))
            elif self._text is not None:
                parts.append(self._text.gap(item.end - item.offset))
            else:
                raise ConnectionAbortedError(f"bytes {item.offset} to {item.end} are gone")
        return self._packed(b"".join(parts))

    def end(self) -> bytes:
        """Return the rest."""
        rest = self._text.end() if self._text is not None else b""
        if self._packer is None:
            return rest
        return self._packer.compress(rest) + self._packer.flush()

    def _packed(self, data: bytes) -> bytes:
        if self._packer is None or not data:
            return data
        packed = self._packer.compress(data)
        return packed + self._packer.flush(zlib.Z_SYNC_FLUSH) if self._flushes else packed


def to_next_character(data: bytes) -> int:
    """How many bytes at the beginning of `data` belong to a character that began before it."""
    count = 0
    while count < min(3, len(data)) and data[count] & 0xC0 == 0x80:
        count += 1
    return count
