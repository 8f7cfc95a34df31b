"""So many at once: greenlets that want more wait, in the order in which they come."""

from __future__ import annotations

from collections import deque

from flask_realtime import host


class Slots:
    """``with slots:`` holds one of `count` slots. For greenlets of the hub's thread."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._waiting: deque[host.Signal] = deque()

    def __enter__(self) -> None:
        if self._free:
            self._free -= 1
            return
        mine = host.Signal()
        self._waiting.append(mine)
        try:
            mine.wait()  # whoever leaves hands its slot over
        except BaseException:
            if mine in self._waiting:
                self._waiting.remove(mine)
            else:
                self._leave()
            raise

    def __exit__(self, *error: object) -> None:
        self._leave()

    def _leave(self) -> None:
        if self._waiting:
            self._waiting.popleft().set()
        else:
            self._free += 1
