"""The hub on plain threads: no event loop, and nothing of eventlet.

A task is a thread that takes its turn by the one lock of turns.py.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar

from flask_realtime.host.hubsocket import HubSocket
from flask_realtime.host.listening import open_listener
from flask_realtime.host.threadtask import Killed as TaskExit
from flask_realtime.host.threadtask import Signal, Task, Timeout, wait
from flask_realtime.host.turns import Thread, entered, this_thread
from flask_realtime.host.waiting import wait_for
from flask_realtime.host.workers import Workers

__all__ = ["Signal", "TaskExit", "Timeout", "entered", "wait_for"]

P = ParamSpec("P")
T = TypeVar("T")

ASYNC_MODE = "threading"  # what Flask-SocketIO is told
IS_THREADED = True  # each task is a native thread

_calls = Workers("offloaded call")


def spawn(function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> Task:
    """Run `function` in a thread of its own that takes its turns, soon."""
    return Task(partial(function, *args, **kwargs))


def sleep(seconds: float = 0) -> None:
    """Let the other tasks run for `seconds`."""
    if seconds > 0:
        wait(_parked, seconds)
    else:
        wait(_elsewhere)


def _parked(me: Thread, left: float | None) -> bool:
    me.park(left)
    return False


def _elsewhere(me: Thread, left: float | None) -> bool:
    me.step_aside()
    return True


def wait_readable(descriptor: int, timeout: float | None = None) -> None:
    """Wait until reading from `descriptor` would not block (end of file included).

    Raises TimeoutError after `timeout` seconds.
    """
    _wait_ready(descriptor, select.POLLIN, timeout)


def wait_writable(descriptor: int, timeout: float | None = None) -> None:
    """Wait until writing to `descriptor` would not block.

    Raises TimeoutError after `timeout` seconds.
    """
    _wait_ready(descriptor, select.POLLOUT, timeout)


_polled: dict[int, list[_Look]] = {}  # descriptor → who waits for it


class _Look:
    """One thread's wait for a descriptor."""

    def __init__(self, descriptor: int, events: int) -> None:
        self.descriptor = descriptor
        self.events = events
        self.is_closed = False
        self.thread: Thread | None = None

    def __call__(self, me: Thread, left: float | None) -> bool:
        if self.is_closed:
            raise OSError(9, "the descriptor was closed meanwhile")
        self.thread = me
        return me.poll(self.descriptor, self.events, left) and not self.is_closed


def _wait_ready(descriptor: int, events: int, timeout: float | None) -> None:
    if descriptor < 0:
        raise OSError(9, "the descriptor is closed")
    look = _Look(descriptor, events)
    looks = _polled.setdefault(descriptor, [])
    looks.append(look)
    try:
        is_ready = wait(look, timeout)
    finally:
        looks.remove(look)
        if not looks and _polled.get(descriptor) is looks:
            del _polled[descriptor]
    if not is_ready:
        raise TimeoutError("timed out")


def closing(descriptor: int) -> None:
    """Say that `descriptor` is about to be closed: who waits for it is told, by an OSError."""
    for look in _polled.pop(descriptor, ()):
        look.is_closed = True
        if look.thread is not None:
            look.thread.wake()


def offload(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call `function` on a native thread that takes no turns; only this task waits.

    Raises what `function` raises.
    """
    caller = this_thread()
    outcome: list[tuple[bool, Any]] = []

    def call() -> None:
        try:
            outcome.append((True, function(*args, **kwargs)))
        except BaseException as error:  # noqa: BLE001  # it is the caller's
            outcome.append((False, error))
        caller.wake()

    def look(me: Thread, left: float | None) -> bool:
        return bool(outcome) or (me.park(left) and bool(outcome))

    _calls.run(call)
    wait(look)
    is_result, value = outcome[0]
    if is_result:
        result: T = value
        return result
    raise value


def green_socket(connected: socket.socket) -> Any:
    """Return `connected` as a socket whose calls make only the calling task wait."""
    return HubSocket.taking(connected)


def listen(host: str, port: int, name: str = "PORT") -> Any:
    """Return a listening socket; `name` is what the port is set by. Raises ConfigurationError."""
    return HubSocket.taking(open_listener(host, port, name))


def accept(listener: Any, timeout: float | None = None) -> tuple[socket.socket, Any]:
    """Wait for a client; return its socket, which does not block, and its address.

    Raises TimeoutError after `timeout` seconds.
    """
    while True:
        try:
            accepted, address = socket.socket.accept(listener)
        except BlockingIOError:
            wait_readable(listener.fileno(), timeout)
            continue
        accepted.setblocking(False)
        return accepted, address
