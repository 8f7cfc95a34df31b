"""How much may be on its way to a client. No I/O."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from flask_realtime.outputlog import MAX_CHUNK

FIRST_WINDOW_BYTES = 1 << 18  # on their way to a client of which nothing is known yet
LEAST_WINDOW_BYTES = MAX_CHUNK
QUICK_SECONDS = 0.5  # an acknowledgement that comes sooner lets the window grow ...
SLOW_SECONDS = 2.0  # ... and one that comes later lets it shrink


class Window:
    """How many bytes are on their way to a client, and how many may be.

    It adapts to the client, up to `max_bytes`: what is on its way stays so for a second or two.
    On a slow network a large window would hold up the heartbeat, and the client be cut off.
    `now()` gives seconds.
    """

    def __init__(self, max_bytes: int, now: Callable[[], float] = time.monotonic) -> None:
        self._max_bytes = max_bytes
        self._now = now
        self._sent_at: deque[float] = deque()  # of each event that was not acknowledged
        self.size = min(max_bytes, FIRST_WINDOW_BYTES)
        self.in_flight = 0

    @property
    def open(self) -> bool:
        """Whether one more event may be sent: the last one may reach over the bound."""
        return self.in_flight < self.size

    def sent(self, size: int) -> None:
        """Count an event of `size` bytes."""
        self.in_flight += size
        self._sent_at.append(self._now())

    def acknowledged(self, size: int) -> None:
        """The oldest event that was not acknowledged, of `size` bytes, has been."""
        self.in_flight -= size
        took = self._now() - self._sent_at.popleft()
        if took < QUICK_SECONDS:
            self.size = min(self._max_bytes, 2 * self.size)
        elif took > SLOW_SECONDS:
            self.size = min(self._max_bytes, max(LEAST_WINDOW_BYTES, self.size // 2))
