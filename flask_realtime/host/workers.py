"""Native threads that are kept for a while for the next one who needs one."""

from __future__ import annotations

import contextvars
import os
import queue
import threading
from collections.abc import Callable

IDLE_SECONDS = 10.0  # that a thread waits for more to do: to start one takes 0.1 ms
MAX_IDLE = 64


class Workers:
    """Threads as many as are needed; the one that was used last is used first. Any thread."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._start_anew()
        if hasattr(os, "register_at_fork"):  # a child process has none of the threads
            os.register_at_fork(after_in_child=self._start_anew)

    def _start_anew(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Worker] = []

    def run(self, function: Callable[[], None]) -> None:
        """Call `function` in a thread, in a context of its own. It must not raise."""
        with self._lock:
            worker = self._idle.pop() if self._idle else None
        if worker is None:
            worker = _Worker(self, self._name)
            worker.given.put(function)
            worker.start()
        else:
            worker.given.put(function)

    def keep(self, worker: _Worker) -> bool:
        """Whether it is to wait for more."""
        with self._lock:
            if len(self._idle) >= MAX_IDLE:
                return False
            self._idle.append(worker)
            return True

    def let_go(self, worker: _Worker) -> bool:
        """Whether it may end; False when it was given something at this moment."""
        with self._lock:
            if worker not in self._idle:
                return False
            self._idle.remove(worker)
            return True


class _Worker(threading.Thread):
    def __init__(self, workers: Workers, name: str) -> None:
        super().__init__(name=name, daemon=True)
        self._workers = workers
        self.given: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()

    def run(self) -> None:
        while (function := self._next()) is not None:
            contextvars.Context().run(function)
            del function  # what it holds is not to live on while this waits
            if not self._workers.keep(self):
                return

    def _next(self) -> Callable[[], None] | None:
        while True:
            try:
                return self.given.get(timeout=IDLE_SECONDS)
            except queue.Empty:
                if self._workers.let_go(self):
                    return None
