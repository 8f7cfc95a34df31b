"""Output on its way from the run to the server."""

from __future__ import annotations

import os

MOST = 1 << 18  # bytes that wait for the server, then the run waits
READ_BYTES = 1 << 16
# A program that prints line by line would wake the keeper for each; its lines gather meanwhile in
# the terminal, which holds some 64 KiB. What comes after a pause goes out at once.
PACE_SECONDS = 0.001
LARGE = 1 << 14  # bytes at once: it prints faster than it is read, so do not wait


class Pump:
    """From `source` to `sink`, neither of which blocks."""

    def __init__(self, source: int, sink: int) -> None:
        self.source = source
        self.sink = sink
        self.bytes = 0  # that were read
        self.rest_until = 0.0
        self._buffer = bytearray()
        self._read_at = 0.0
        self.at_end = False  # of the source
        self._refused = False  # nobody reads the sink any more

    @property
    def full(self) -> bool:
        """Whether the run waits for the server."""
        return len(self._buffer) >= MOST

    @property
    def wants_to_write(self) -> bool:
        return bool(self._buffer)

    @property
    def done(self) -> bool:
        return self.at_end and not self._buffer

    def take(self, now: float) -> None:
        """Read what is there, or as much as there is room for, and hand it on."""
        size = self._read()
        if size < LARGE and now - self._read_at < 2 * PACE_SECONDS:
            self.rest_until = now + PACE_SECONDS
        self._read_at = now
        self.give()

    def take_rest(self) -> None:
        """Nobody writes any more, or nobody shall: what is there now is all."""
        self._read()
        if not self.full:
            self.at_end = True

    def _read(self) -> int:
        size = 0
        while not self.at_end and not self.full:
            try:
                data = os.read(self.source, READ_BYTES)
            except BlockingIOError:
                break
            except OSError:  # EIO: nobody has the terminal open any more
                data = b""
            if not data:
                self.at_end = True
            size += len(data)
            if not self._refused:
                self._buffer += data
        self.bytes += size
        return size

    def give(self) -> None:
        """Hand on as much as the server's pipe has room for."""
        while self._buffer:
            try:
                written = os.write(self.sink, self._buffer)
            except BlockingIOError:
                return
            except BrokenPipeError:  # the server is gone: the run goes as well, nothing is kept
                self._refused = True
                self._buffer.clear()
                return
            del self._buffer[:written]
