"""One limit that spans several waits."""

from __future__ import annotations

import time


class Deadline:
    """`seconds` from now on."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds that are left, never below 0."""
        return max(0.0, self._end - time.monotonic())
