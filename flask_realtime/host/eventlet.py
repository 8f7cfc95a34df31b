"""The hub on eventlet, and the only file that imports it.

The hub is one native thread that runs greenlets; nothing is monkey-patched.
"""

from __future__ import annotations

import socket
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ParamSpec, TypeVar

from flask_realtime.host.resolver import without_resolver

with warnings.catch_warnings(), without_resolver():
    # eventlet announces its retirement; docs/decisions/001-eventlet.md says why it is used.
    warnings.simplefilter("ignore")
    import eventlet
import eventlet.event
import eventlet.greenio
import eventlet.hubs
import eventlet.tpool

from flask_realtime.host.listening import open_listener
from flask_realtime.host.task import Task
from flask_realtime.host.waiting import wait_for

__all__ = ["wait_for"]

P = ParamSpec("P")
T = TypeVar("T")

ASYNC_MODE = "eventlet"  # what Flask-SocketIO is told
IS_THREADED = False  # the hub is one native thread
TaskExit = eventlet.greenlet.GreenletExit  # ends the task that raises it, and is no fault
Timeout = eventlet.Timeout  # a context manager; raises itself after so many seconds


def entered() -> AbstractContextManager[None]:
    """Do nothing: the hub's one thread need not enter it."""
    return nullcontext()


def spawn(function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> Task:
    """Run `function` in a greenlet of its own, soon."""
    task: Task = eventlet.spawn(function, *args, **kwargs)
    return task


def sleep(seconds: float = 0) -> None:
    """Let the other greenlets run for `seconds`."""
    eventlet.sleep(seconds)


def wait_readable(descriptor: int, timeout: float | None = None) -> None:
    """Wait until reading from `descriptor` would not block (end of file included).

    Raises TimeoutError after `timeout` seconds.
    """
    eventlet.hubs.trampoline(descriptor, read=True, timeout=timeout, timeout_exc=TimeoutError)


def offload(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` on a native thread of a pool; only this greenlet waits.

    Raises what `function` raises. At most 20 calls run at once (EVENTLET_THREADPOOL_SIZE).
    """
    result: T = eventlet.tpool.execute(function, *args, **kwargs)
    return result


def green_socket(connected: socket.socket) -> Any:
    """Return `connected` as a socket whose calls make only the calling greenlet wait."""
    return eventlet.greenio.GreenSocket(connected)


class Signal:
    """Wakes all greenlets that wait for it; it remembers nothing."""

    def __init__(self) -> None:
        self._event: Any = None

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the next `set`; False when `timeout` seconds passed before it."""
        if self._event is None:
            self._event = eventlet.event.Event()
        event = self._event
        if timeout is None:
            event.wait()
            return True
        timer = eventlet.Timeout(max(timeout, 0))
        try:
            event.wait()
        except eventlet.Timeout as fired:
            if fired is not timer:  # one around this call
                raise
            return False
        finally:
            timer.cancel()
        return True

    def set(self) -> None:
        """Wake those who wait now."""
        event, self._event = self._event, None
        if event is not None:
            event.send()


def listen(host: str, port: int, name: str = "PORT") -> Any:
    """Return a listening socket; `name` is what the port is set by. Raises ConfigurationError."""
    return eventlet.greenio.GreenSocket(open_listener(host, port, name))


def wait_writable(descriptor: int, timeout: float | None = None) -> None:
    """Wait until writing to `descriptor` would not block.

    Raises TimeoutError after `timeout` seconds.
    """
    eventlet.hubs.trampoline(descriptor, write=True, timeout=timeout, timeout_exc=TimeoutError)


def closing(descriptor: int) -> None:
    """Say that `descriptor` is about to be closed: who waits for it is told, by an OSError."""
    eventlet.hubs.notify_opened(descriptor)  # its notify_close does nothing


def accept(listener: Any, timeout: float | None = None) -> tuple[socket.socket, Any]:
    """Wait for a client; return its socket, which does not block, and its address.

    Raises TimeoutError after `timeout` seconds.
    """
    while True:
        try:
            accepted, address = listener.fd.accept()
        except BlockingIOError:
            wait_readable(listener.fileno(), timeout)
            continue
        accepted.setblocking(False)
        # A number that was used before: whoever still waits for that is told.
        eventlet.hubs.notify_opened(accepted.fileno())
        return accepted, address
