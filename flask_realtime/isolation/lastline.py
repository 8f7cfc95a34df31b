"""The line that a job has begun and not ended: what it asks, once it waits for input."""

from __future__ import annotations

from flask_realtime.search.ansi import AnsiFilter

KEPT = 4096  # bytes of the line's end; more than is shown, so that a secret in it is seen whole


class LastLine:
    """Fed with all output, in order. No I/O; cheap whatever comes."""

    def __init__(self) -> None:
        self._line = b""

    def feed(self, data: bytes) -> None:
        """Take the next piece of output, of whatever length."""
        piece = data[-KEPT:]
        begin = piece.rfind(b"\n")
        if begin >= 0:
            self._line = piece[begin + 1 :]
        elif len(piece) == KEPT:
            self._line = piece
        else:
            self._line = (self._line + piece)[-KEPT:]

    def text(self) -> str:
        """What stands in the line, without escape sequences, control characters and its beginning
        if it is long: some thousand characters."""
        shown = AnsiFilter().feed(self._line).rstrip(b"\r")
        shown = shown[shown.rfind(b"\r") + 1 :]
        text = shown.decode("utf-8", "replace")
        return "".join(character for character in text if character.isprintable()).strip()
