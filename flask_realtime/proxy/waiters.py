"""Greenlets that wait for something that a native thread changes."""

from __future__ import annotations

import threading
from collections.abc import Callable

from flask_realtime import host
from flask_realtime.proxy.flag import Flag


class Waiters:
    """Whoever changes what is waited for calls `wake`, from any thread."""

    def __init__(self) -> None:
        self._flags: set[Flag] = set()
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._flags)

    def wake(self) -> None:
        with self._lock:
            for flag in self._flags:
                flag.set()

    def wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Make the calling greenlet wait until `condition()`; False after `seconds`."""
        deadline = host.Deadline(seconds)
        while not condition():
            flag = Flag()
            with self._lock:
                self._flags.add(flag)
            try:
                # Once more, for what was changed before the flag was there.
                if not condition() and not flag.wait(deadline.left()):
                    return condition()
            finally:
                with self._lock:
                    self._flags.discard(flag)
                flag.close()
        return True
