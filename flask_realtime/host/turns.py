"""The hub of plain threads: one lock that makes them take turns, as greenlets do.

Whoever has the hub runs until it waits. Its turn then goes to the thread that has stood in line the
longest. Only waiting gives it away: `Thread.park`, `Thread.poll`, `Thread.step_aside`.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import time
from collections import deque
from contextlib import AbstractContextManager, suppress
from typing import Any


class _Hub:
    """Who has the hub, and who stands in line; `lock` is held for a few instructions at a time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self._is_taken = False
        self._line: deque[threading.Lock] = deque()

    @property
    def is_awaited(self) -> bool:
        """Whether anybody stands in line."""
        return bool(self._line)

    def join(self, gate: threading.Lock) -> None:
        """Stand in line: `gate` is opened when it is its turn. With `lock` held."""
        if self._is_taken:
            self._line.append(gate)
        else:
            self._is_taken = True
            gate.release()

    def leave(self) -> None:
        """Give the hub to the next in line. With `lock` held."""
        if self._line:
            self._line.popleft().release()
        else:
            self._is_taken = False


_hub = _Hub()


def closed_gate() -> threading.Lock:
    """A lock that is held."""
    gate = threading.Lock()
    gate.acquire()
    return gate


def line_up(gate: threading.Lock) -> None:
    """Put `gate` in line for a thread that waits at it, `Thread.enter_by`."""
    with _hub.lock:
        _hub.join(gate)


class Thread:
    """A thread's part in the hub. `wake` is for any thread, all else for the thread itself."""

    def __init__(self) -> None:
        self.is_inside = False  # whether it has the hub, or waits to have it again
        self._gate = closed_gate()
        # Guarded by the hub's lock: how it waits, and whether it was woken.
        self._is_parked = False
        self._waker = -1  # an event's descriptor, while it polls
        self._is_woken = False
        # Of the task that it runs (threads.py).
        self.task: Any = None
        self.timeouts: list[Any] = []

    def enter(self) -> None:
        with _hub.lock:
            _hub.join(self._gate)
        self._gate.acquire()
        self.is_inside = True

    def enter_by(self, gate: threading.Lock) -> None:
        """Enter by a place that was taken in its name."""
        gate.acquire()
        self.is_inside = True

    def step_aside(self) -> None:
        """Let those who stand in line have the hub first, or those who are about to."""
        with _hub.lock:
            is_awaited = _hub.is_awaited
            if is_awaited:
                _hub.join(self._gate)
            _hub.leave()
        if not is_awaited:
            time.sleep(0)  # those who wait for the interpreter's lock get it
            with _hub.lock:
                _hub.join(self._gate)
        self._gate.acquire()

    def leave(self) -> None:
        self.is_inside = False
        with _hub.lock:
            _hub.leave()

    def park(self, timeout: float | None) -> bool:
        """Give the hub away until `wake`; False when `timeout` seconds passed before it."""
        with _hub.lock:
            if self._is_woken:
                self._is_woken = False
                return True
            self._is_parked = True
            _hub.leave()
        is_woken = False
        try:
            is_woken = self._gate.acquire(
                timeout=-1 if timeout is None else min(timeout, MAX_SECONDS)
            )
        finally:  # a signal handler may raise
            if not is_woken:  # else who woke it has put it in line
                is_woken = self._return()
        return is_woken

    def _return(self) -> bool:
        """Have the hub again, after a wait without success; whether it was woken meanwhile."""
        with _hub.lock:
            is_late = self._is_parked
            if is_late:
                self._is_parked = False
                _hub.join(self._gate)
        self._gate.acquire()
        return not is_late

    def poll(self, descriptor: int, events: int, timeout: float | None) -> bool:
        """Give the hub away until `descriptor` is ready; False when it was woken, or too late."""
        ready = select.poll()
        ready.register(descriptor, events)
        reading, writing = _event()
        ready.register(reading, select.POLLIN)
        try:
            with _hub.lock:
                if self._is_woken:
                    self._is_woken = False
                    return False
                self._waker = writing
                _hub.leave()
            try:
                found = ready.poll(None if timeout is None else min(timeout, MAX_SECONDS) * 1000)
            finally:
                with _hub.lock:
                    self._waker = -1
                    self._is_woken = False
                    _hub.join(self._gate)
                self._gate.acquire()
        finally:
            for each in {reading, writing}:
                os.close(each)
        return any(number == descriptor for number, _ in found)

    def wake(self) -> None:
        """End its wait, or the next one if it waits for nothing now."""
        with _hub.lock:
            if self._is_parked:
                self._is_parked = False
                _hub.join(self._gate)
                return
            self._is_woken = True
            if self._waker >= 0:
                with suppress(BlockingIOError):
                    os.write(self._waker, (1).to_bytes(8, sys.byteorder))


MAX_SECONDS = 1_000_000.0  # what a lock and poll() can wait, and who waits longer looks again

_local = threading.local()


def this_thread() -> Thread:
    """That of the caller; it need not be on the hub."""
    found: Thread | None = getattr(_local, "thread", None)
    if found is None:
        found = _local.thread = Thread()
    return found


class _Entered:
    """For a block that may be one within another."""

    def __init__(self) -> None:
        self._has_entered = False

    def __enter__(self) -> None:
        me = this_thread()
        self._has_entered = not me.is_inside
        if self._has_entered:
            me.enter()

    def __exit__(self, *error: object) -> None:
        if self._has_entered:
            this_thread().leave()


def entered() -> AbstractContextManager[None]:
    """Have the hub: for a thread that comes from elsewhere, the main thread for example."""
    return _Entered()


def _start_anew() -> None:
    """In a child process: of the threads that took turns only this one is there."""
    global _hub
    was_inside = getattr(_local, "thread", None) is not None and _local.thread.is_inside
    _hub = _Hub()
    _local.thread = Thread()
    if was_inside:
        _local.thread.enter()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_anew)


def _event() -> tuple[int, int]:
    """What any thread can end a poll() by: where that reads, and where the other writes."""
    if hasattr(os, "eventfd"):
        both = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        return both, both
    return os.pipe()
