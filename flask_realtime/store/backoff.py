"""How long to wait before what failed is tried again: longer each time, by chance a bit less."""

from __future__ import annotations

import random


class Backoff:
    """Waits in seconds, from about `first` to about `most`, each twice the one before.

    A part of each is left to chance: else all that one server left alone would come back to it, or
    to its successor, at the same moment.
    """

    def __init__(self, first: float, most: float) -> None:
        self._first = first
        self._most = most
        self._next = first

    def next(self) -> float:
        """The seconds to wait now: between the half and the whole of the wait whose turn it is."""
        wait = self._next
        self._next = min(2 * wait, self._most)
        return wait * random.uniform(0.5, 1.0)

    def reset(self) -> None:
        """It has worked: begin with the shortest wait next time."""
        self._next = self._first
