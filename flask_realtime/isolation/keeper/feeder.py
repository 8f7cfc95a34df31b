"""Input on its way from the server to the run."""

from __future__ import annotations

import os

from flask_realtime.isolation.keeper import terminal


class Feeder:
    """What the run is given to read, by its terminal or by a pipe; `sink` does not block."""

    def __init__(self, sink: int, on_terminal: bool) -> None:
        self.sink = sink
        self.ended = False
        self._on_terminal = on_terminal
        self._pending = bytearray()
        self._closed = False
        self._line_open = False  # what was written last is no whole line

    @property
    def wants_to_write(self) -> bool:
        return bool(self._pending)

    def add(self, data: bytes) -> None:
        if not self.ended:
            self._pending += data

    def write(self) -> int:
        """Hand on what there is room for; return how many bytes need no room any more."""
        count = 0
        while self._pending:
            try:
                written = os.write(self.sink, self._pending[:4096])
            except BlockingIOError:
                return count
            except OSError:  # nobody reads any more
                written = len(self._pending)
            self._line_open = self._pending[written - 1 : written] != b"\n"
            del self._pending[:written]
            count += written
        if self.ended:
            self._end()
        return count

    def end(self) -> None:
        """There is no more; what is pending is written before."""
        if not self.ended:
            self.ended = True
            if not self._pending:
                self._end()

    def repeat_end(self) -> None:
        """Tell a reader that comes after the end of it: a terminal tells each end once only."""
        if self.ended and not self._pending:
            self._end()

    def _end(self) -> None:
        if not self._on_terminal:
            self.close()
            return
        # In a line that has begun the first one only hands that over.
        twice = self._line_open and terminal.by_line(self.sink)
        self._line_open = False
        try:
            os.write(self.sink, terminal.END_OF_FILE * (2 if twice else 1))
        except BlockingIOError:  # it does not read; when it does, it is told again
            return

    def close(self) -> None:
        """A terminal is closed by who reads it."""
        if not self._on_terminal and not self._closed:
            self._closed = True
            os.close(self.sink)
