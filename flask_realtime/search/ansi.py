"""Takes the escape sequences out of what a job printed. No I/O, no clock."""

from __future__ import annotations

import re

ESC = b"\x1b"
SLICE = 1 << 17  # bytes at a time: one call of `split` holds the interpreter's lock (3 ms at most)

# What follows ESC in the forms of ECMA-48 and of xterm, and with what each comes to its end.
_FORMS = (
    (rb"\[[\x20-\x3f]*", rb"[\x40-\x7e\x18\x1a]"),  # control sequence: colours, movements
    (rb"\][^\x07\x18\x1a\x1b\n]*", rb"[\x07\x18\x1a]"),  # a command for the terminal: its title
    (rb"[PX^_][^\x18\x1a\x1b\n]*", rb"[\x18\x1a]"),  # a string for a device, an application
    (rb"[\x20-\x2f]+", rb"[\x30-\x7e]"),  # a character set, and more of that kind
    (rb"", rb"[\x30-\x4f\x51-\x57\x59\x5a\x5c\x60-\x7e]"),  # all others
)
# One that is cut off counts. Also for RE2.
SEQUENCE = rb"\x1b(?:" + b"|".join(body + end + b"?" for body, end in _FORMS) + b")"
_SEQUENCE = re.compile(SEQUENCE)
_COMPLETE = re.compile(rb"\x1b(?:" + b"|".join(body + end for body, end in _FORMS) + b")")


class AnsiFilter:
    """Text without its escape sequences, piece by piece; a sequence may be cut anywhere.

    A string ends at CAN, SUB or the next ESC, a command at BEL as well. A line feed ends each of
    them, so that a line can be read without those before it and lines count the same with and
    without sequences. All other control characters stay.
    """

    def __init__(self) -> None:
        self._open = b""  # how the sequence begins in whose middle the last piece ended

    def feed(self, piece: bytes) -> bytes:
        """Return the text of the next piece; the piece itself when there is nothing to take out."""
        if not self._open and ESC not in piece:
            return piece
        return b"".join(
            [self._feed(piece[start : start + SLICE]) for start in range(0, len(piece), SLICE)]
        )

    def _feed(self, piece: bytes) -> bytes:
        piece = self._open + piece
        last = piece.rfind(ESC)
        self._open = b""
        if last < 0:
            return piece
        found = _SEQUENCE.match(piece, last)
        assert found is not None  # ESC alone is the beginning of one
        if found.end() == len(piece) and not _COMPLETE.match(piece, last):
            # What it holds does not matter: two bytes say how it goes on.
            self._open = piece[last : last + 2]
        return b"".join(_SEQUENCE.split(piece))  # a fifth faster than `sub`
