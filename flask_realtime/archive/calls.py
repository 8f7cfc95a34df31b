"""Calls of the archive on native threads: a few at once, and given up when there is no answer.

The threads are the archive's own. The C library's allocator leaves with each thread what it has had
in its hands: some MiB here, which the many threads of `host.offload` would multiply. A store that
hangs must not take all of those either, nor hold up the end of the process.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

from flask_realtime import host
from flask_realtime.errors import ArchiveUnavailable

T = TypeVar("T")

AT_ONCE = 4
PATIENCE_SECONDS = 30.0  # for a turn and the answer


class Outcome(Generic[T]):
    """What a call that goes on by itself will have brought."""

    def __init__(self) -> None:
        self._done = host.Signal()
        self._is_done = False
        self._value: list[T] = []
        self._error: Exception | None = None

    def take(self, function: Callable[[], T]) -> None:
        """Call `function` and keep what it returns or raises, for those who wait."""
        try:
            self._value.append(function())
        except Exception as error:  # noqa: BLE001  # raised again in `wait`
            self._error = error
        except BaseException:  # this greenlet is ended; the others are to try for themselves
            self._error = ArchiveUnavailable("a read of the archive was given up: try again")
            raise
        finally:
            self._is_done = True
            self._done.set()

    def wait(self, timeout: float) -> T:
        """Return or raise what the call did; TimeoutError when that takes too long."""
        deadline = host.Deadline(timeout)
        while not self._is_done:
            if not self._done.wait(deadline.left()) and not self._is_done:
                raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._value[0]


class Calls:
    """At most AT_ONCE calls at once; one that hangs keeps its thread, and only that."""

    def __init__(self, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._patience_seconds = patience_seconds
        self._running = 0
        self._ended = host.Signal()
        self._work: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        self._threads = 0
        self._stopped = False

    def stop(self) -> None:
        """Take no more; what hangs is left alone."""
        self._stopped = True
        for _ in range(self._threads):
            self._work.put(None)

    def run(self, function: Callable[[], T]) -> T:
        """Return `function()`, called on a native thread, or raise what it raises.

        Raises TimeoutError when it does not answer, and ArchiveUnavailable when it had no turn.
        """
        deadline = host.Deadline(self._patience_seconds)
        while self._running >= AT_ONCE:
            if not self._ended.wait(deadline.left()):
                raise ArchiveUnavailable(
                    f"the archive has not answered {AT_ONCE} calls for "
                    f"{self._patience_seconds:.0f} s: try again in a moment"
                )
        self._running += 1
        outcome: Outcome[T] = Outcome()
        host.spawn(self._carry_out, function, outcome)
        try:
            return outcome.wait(max(1.0, deadline.left()))
        except TimeoutError as error:
            if error.args:  # of the function itself
                raise
            raise TimeoutError(f"no answer within {self._patience_seconds:.0f} s") from None

    def _carry_out(self, function: Callable[[], T], outcome: Outcome[T]) -> None:
        try:
            outcome.take(lambda: self._hand_over(function))
        finally:
            self._running -= 1
            self._ended.set()

    def _hand_over(self, function: Callable[[], T]) -> T:
        if self._stopped:  # also since it was asked for: a thread begun now would never end
            raise ArchiveUnavailable("the server is shutting down")
        future: Future[T] = Future()
        if self._threads < self._running:
            self._threads += 1
            threading.Thread(target=self._serve, name="archive", daemon=True).start()
        self._work.put((future, function))
        return host.offload(future.result)

    def _serve(self) -> None:
        while (work := self._work.get()) is not None:
            future, function = work
            try:
                future.set_result(function())
            except BaseException as error:  # noqa: BLE001  # raised again for the caller
                future.set_exception(error)
            del work, future, function  # an idle thread holds no segment
