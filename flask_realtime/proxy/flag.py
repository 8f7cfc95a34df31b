"""How a native thread wakes a greenlet that waits for it."""

from __future__ import annotations

import os
import sys
import threading

from flask_realtime import host


class Flag:
    """Set once, by any thread; waited for by one greenlet, which closes it."""

    def __init__(self) -> None:
        if sys.platform == "linux":
            self._read = self._write = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        else:
            self._read, self._write = os.pipe()
        self._open = True
        self._lock = threading.Lock()  # no number is written to once it is closed

    def set(self) -> None:
        """Wake the greenlet, now or when it begins to wait."""
        with self._lock:
            if self._open:
                os.write(self._write, (1).to_bytes(8, sys.byteorder))

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until it is set; False when `seconds` passed before."""
        is_set = False
        with host.Timeout(seconds, False):
            host.wait_readable(self._read)
            is_set = True
        return is_set

    def close(self) -> None:
        with self._lock:
            if self._open:
                self._open = False
                for descriptor in {self._read, self._write}:
                    os.close(descriptor)
