"""Waits that are made of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from flask_realtime.host.deadline import Deadline


class Waitable(Protocol):
    """A Signal of either implementation."""

    def wait(self, timeout: float | None = None) -> bool: ...


def wait_for(condition: Callable[[], bool], signal_: Waitable, timeout: float) -> bool:
    """Wait until `condition()`, looking at each `set` of the signal; False after `timeout`."""
    deadline = Deadline(timeout)
    while not condition():
        if not signal_.wait(deadline.left()):
            return condition()
    return True
