"""What is spawned on the hub."""

from __future__ import annotations

from typing import Any, Protocol

SWITCH_SECONDS = 0.001  # the interpreter's own default is 0.005


class Task(Protocol):
    """A function that runs on the hub: in a greenlet, or in a thread that takes turns."""

    def wait(self) -> Any:
        """Wait for its end; return what it returned, or raise what it raised."""

    def kill(self) -> None:
        """End it at the wait that it is in, or before it begins. Its `finally` clauses run."""
