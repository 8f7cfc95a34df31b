"""The threads that work for a job: its own, those that they start, and those of pools."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any


class JobThreads:
    """The threads of one job, as long as they work for it. For any thread."""

    def __init__(self) -> None:
        self._threads: dict[int, threading.Thread] = {}  # by ident; each changes its own entry

    def list(self) -> list[threading.Thread]:
        """Those that work for the job now, in the order of their begin."""
        return list(self._threads.values())

    def call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call `function`, during which the calling thread is one of them."""
        ident = threading.get_ident()
        if ident in self._threads:
            return function(*args, **kwargs)
        self._threads[ident] = threading.current_thread()
        try:
            return function(*args, **kwargs)
        finally:
            self._threads.pop(ident, None)


_here: contextvars.ContextVar[JobThreads | None] = contextvars.ContextVar(
    "flask_realtime_threads", default=None
)


def enter(threads: JobThreads) -> None:
    """Let the current context, and those that are copied from it, belong to that job."""
    _here.set(threads)


def call_here(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call `function` as a thread of the job that the current context belongs to, if any."""
    threads = _here.get()
    if threads is None:
        return function(*args, **kwargs)
    return threads.call(function, *args, **kwargs)
