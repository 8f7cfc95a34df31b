"""What an app server printed: the newest of it, by offset."""

from __future__ import annotations

import threading
from collections.abc import Callable

MAX_BYTES = 1 << 20


class Output:
    """Keeps the last `max_bytes` bytes; older ones are dropped, so that nothing waits or grows.

    Offsets count from the first byte ever printed. All methods may be called from any thread.
    """

    def __init__(self, max_bytes: int = MAX_BYTES) -> None:
        self._max_bytes = max_bytes
        self._kept = bytearray()
        self._end = 0
        self._listeners: list[Callable[[int, bytes], object]] = []
        self._lock = threading.Lock()

    @property
    def end(self) -> int:
        """The offset behind the last byte."""
        return self._end

    def write(self, data: bytes) -> None:
        """Append `data`, and tell those who listen, in this thread."""
        with self._lock:
            offset = self._end
            self._kept += data
            self._end += len(data)
            # Cut by halves, since each cut moves what is kept.
            if len(self._kept) > 2 * self._max_bytes:
                del self._kept[: -self._max_bytes]
            listeners = [*self._listeners]
        for listener in listeners:
            listener(offset, data)

    def read(self, offset: int = 0, max_bytes: int = MAX_BYTES) -> tuple[int, bytes]:
        """What is there from `offset` on, and the offset at which it begins.

        That is larger than what was asked for when older output has been dropped.
        """
        with self._lock:
            first = max(self._end - min(len(self._kept), self._max_bytes), offset)
            begin = len(self._kept) - (self._end - first)
            return first, bytes(self._kept[begin : begin + max_bytes]) if begin >= 0 else b""

    def listen(self, listener: Callable[[int, bytes], object]) -> Callable[[], None]:
        """Call ``listener(offset, data)`` for what will be printed, until the result is called.

        It is called in the supervisor's thread and must not wait.
        """
        with self._lock:
            self._listeners.append(listener)

        def forget() -> None:
            with self._lock:
                if listener in self._listeners:
                    self._listeners.remove(listener)

        return forget
