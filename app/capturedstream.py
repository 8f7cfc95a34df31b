"""A stream whose lines become entries of the log: for what a program prints past it."""

from __future__ import annotations

import io
import logging
import threading
from typing import Any, TextIO

MAX_LINE = 1 << 16  # characters; a longer line is logged in pieces


class CapturedStream(io.TextIOBase):
    """Logs each line that is written; all else is that of `original`. For any thread.

    A line ends at its line feed, or with `flush`: a prompt without an end is told as well.
    """

    def __init__(self, original: TextIO, logger: logging.Logger, level: int) -> None:
        super().__init__()
        self.original = original
        self._logger = logger
        self._level = level
        self._begun = threading.local()  # by thread: lines of two of them are not mixed

    def write(self, text: str) -> int:
        whole, feed, rest = (getattr(self._begun, "line", "") + text).rpartition("\n")
        self._begun.line = rest
        if feed:
            for line in whole.split("\n"):
                self._log(line)
        if len(rest) > MAX_LINE:
            self.flush()
        return len(text)

    def flush(self) -> None:
        line, self._begun.line = getattr(self._begun, "line", ""), ""
        self._log(line)

    def _log(self, line: str) -> None:
        if line.strip():
            # Whatever LOG_LEVEL is: it might be a traceback.
            said = (line.rstrip("\r"),)
            self._logger.handle(
                self._logger.makeRecord(self._logger.name, self._level, "", 0, "%s", said, None)
            )

    def writable(self) -> bool:
        return True

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return self.original.encoding

    @property
    def errors(self) -> str | None:  # type: ignore[override]
        return self.original.errors

    def fileno(self) -> int:
        return self.original.fileno()

    def isatty(self) -> bool:
        return self.original.isatty()

    def close(self) -> None:
        """Do nothing: the original is not ours to close."""

    def __getattr__(self, name: str) -> Any:
        """Whatever else a stream has (buffer, name, mode, ...)."""
        return getattr(self.original, name)
