"""The newest of what a job's threads say often, handed to the hub some times a second."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask_realtime import host

HAND_ON_SECONDS = 0.25


class Newest:
    """`say` is for any thread and cheap; all else is for the hub's thread.

    `wake()` is called in the thread that says something, when the hub is to call `hand_on` soon;
    then `heard` is called with what was said last.
    """

    def __init__(self, heard: Callable[..., None], wake: Callable[[], None]) -> None:
        self._heard = heard
        self._wake = wake
        self._said: tuple[Any, ...] = ()
        self._waits = False  # something was said that was not handed on
        self._handing_on: host.Task | None = None
        self._deadline = host.Deadline(0)  # until which the next has to wait

    def say(self, *said: Any) -> None:
        """Hand it on, unless something newer comes meanwhile."""
        self._said = said
        if not self._waits:
            self._waits = True
            self._wake()

    def hand_on(self, *, at_once: bool = False) -> None:
        """Call `heard` if there is something new: soon, or at once because it is the last."""
        if not self._waits:
            return
        if at_once or not self._deadline.left():
            self._now()
        elif self._handing_on is None:
            self._handing_on = host.spawn(self._later)

    def _later(self) -> None:
        host.sleep(self._deadline.left())
        self._handing_on = None
        if self._waits:
            self._now()

    def _now(self) -> None:
        self._deadline = host.Deadline(HAND_ON_SECONDS)
        self._waits = False  # first: what is said from here on wakes us again
        self._heard(*self._said)
