"""What takes turns on the hub of plain threads: tasks, and how they wait.

At each of its waits a task can be ended, and a Timeout can fire: as greenlets know it, so that the
code above need not know which hub it runs on.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from flask_realtime.host.turns import Thread, closed_gate, entered, line_up, this_thread
from flask_realtime.host.workers import Workers

_log = logging.getLogger(__name__)
_workers = Workers("hub task")


class Killed(BaseException):
    """Raised in a task that is ended, at its wait."""


class Timeout(BaseException):
    """A context manager that raises itself after so many seconds, at a wait.

    With an `exception` it raises that one; with False it ends the block without a word.
    """

    def __init__(self, seconds: float | None = None, exception: Any = None) -> None:
        super().__init__(seconds)
        self.seconds = seconds
        self._exception = exception
        self.at = None if seconds is None else time.monotonic() + seconds
        if seconds is not None:
            this_thread().timeouts.append(self)

    def __str__(self) -> str:
        return f"{self.seconds:g} s" if self.seconds is not None else ""

    def cancel(self) -> None:
        timeouts = this_thread().timeouts
        if self in timeouts:
            timeouts.remove(self)

    def fire(self) -> None:
        self.cancel()
        if self._exception is None or self._exception is False:
            raise self
        raise self._exception

    def __enter__(self) -> Timeout:
        return self

    def __exit__(self, kind: object, value: object, trace: object) -> bool:
        self.cancel()
        return value is self and self._exception is False


def wait(step: Callable[[Thread, float | None], bool], timeout: float | None = None) -> bool:
    """Repeat `step(thread, seconds)` until it is true; False once `timeout` seconds have passed.

    Raises Killed and what Timeouts raise.
    """
    me = this_thread()
    if not me.is_inside:
        with entered():
            return wait(step, timeout)
    end = None if timeout is None else time.monotonic() + timeout
    while True:
        if me.task is not None:
            me.task.about_to_wait()
        due = min(me.timeouts, key=lambda each: each.at, default=None) if me.timeouts else None
        if due is None and end is None:
            left = None
        else:
            now = time.monotonic()
            if due is not None and due.at <= now:
                due.fire()
            ends = [at for at in (end, due.at if due else None) if at is not None]
            left = max(0.0, min(ends) - now)
        is_done = step(me, left)
        if me.task is not None:
            me.task.has_waited()
        if is_done:
            return True
        if end is not None and time.monotonic() >= end:
            return False


class Task:
    """A function in a thread of its own."""

    def __init__(self, function: Callable[[], object]) -> None:
        self._function: Callable[[], object] | None = function
        self._result: Any = None
        self._error: BaseException | None = None
        self._is_done = self._is_killed = self._is_dying = False
        self._is_waiting_again = False  # in its `finally` clauses
        self._news = Signal()
        self._thread: Thread | None = None
        gate = closed_gate()
        _workers.run(partial(self._run, gate))  # may raise: nobody would come to the gate then
        line_up(gate)

    def _run(self, gate: Any) -> None:
        me = this_thread()
        me.enter_by(gate)
        self._thread, me.task = me, self
        try:
            function, self._function = self._function, None
            if function is not None and not self._is_killed:
                self._result = function()
        except Killed:
            pass
        except BaseException as error:  # noqa: BLE001  # the boundary of a task
            self._error = error
            _log.exception("a task failed")
        finally:
            self._is_done = True
            self._thread = me.task = None
            me.timeouts.clear()
            self._news.set()
            me.leave()

    def about_to_wait(self) -> None:
        """Raise Killed if it was ended since, and say that it waits although it was; its thread."""
        self.has_waited()
        if self._is_dying:
            self._is_waiting_again = True
            self._news.set()

    def has_waited(self) -> None:
        """Raise Killed if it was ended in this wait, however that went."""
        if self._is_killed and not self._is_dying:
            self._is_dying = True
            raise Killed

    def wait(self) -> Any:
        while not self._is_done:
            self._news.wait()
        if self._error is not None:
            raise self._error
        return self._result

    def kill(self) -> None:
        if self._is_done:
            return
        self._is_killed = True
        if self._thread is None:  # it has not begun, and will not
            return
        if self._thread is this_thread():
            self.about_to_wait()
            return
        self._thread.wake()
        while not (self._is_done or self._is_waiting_again):
            self._news.wait()


class Signal:
    """Wakes all tasks that wait for it; it remembers nothing."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: list[_Waiter] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the next `set`; False when `timeout` seconds passed before it."""
        mine = _Waiter(this_thread())
        self._waiting.append(mine)
        try:
            return wait(mine, None if timeout is None else max(timeout, 0))
        finally:
            if not mine.is_woken and mine in self._waiting:
                self._waiting.remove(mine)

    def set(self) -> None:
        """Wake those who wait now."""
        if not self._waiting:
            return
        waiting, self._waiting = self._waiting, []
        for each in waiting:
            each.is_woken = True
            each.thread.wake()


class _Waiter:
    __slots__ = ("is_woken", "thread")

    def __init__(self, thread: Thread) -> None:
        self.thread = thread
        self.is_woken = False

    def __call__(self, me: Thread, left: float | None) -> bool:
        if not self.is_woken:
            me.park(left)
        return self.is_woken
