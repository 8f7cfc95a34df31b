"""The only file that imports eventlet: what the rest needs of the hub, under names of our own.

The hub is one native thread that runs greenlets; nothing is monkey-patched, so jobs on native
threads run as plain Python. A call that may wait for anything but another greenlet goes through
`offload`. Everything here, except where said, is for the hub's thread only.
"""

from __future__ import annotations

import errno
import os
import socket
import time
import warnings
from collections.abc import Callable
from typing import Any, ParamSpec, Protocol, TypeVar

with warnings.catch_warnings():
    # eventlet announces its retirement; docs/decisions/001-eventlet.md says why it is used.
    warnings.simplefilter("ignore")
    import eventlet
import eventlet.event
import eventlet.green.ssl
import eventlet.greenio
import eventlet.hubs
import eventlet.tpool
import eventlet.wsgi

from flask_realtime.errors import ConfigurationError

SWITCH_SECONDS = 0.001  # the interpreter's own default is 0.005

P = ParamSpec("P")
T = TypeVar("T")

ASYNC_MODE = "eventlet"  # what Flask-SocketIO is told
Timeout = eventlet.Timeout  # a context manager; raises itself after so many seconds


class Task(Protocol):
    """A greenlet that was spawned."""

    def wait(self) -> Any: ...

    def kill(self) -> None: ...


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
    """Return a listening socket; ConfigurationError says why it cannot be had.

    `name` is what the port is set by, for that message.
    TCP_NODELAY is set here because accepted sockets inherit it: with Nagle's algorithm the first
    lines after a start wait for delayed acknowledgements (38 ms each, measured 2026-11).
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            listener.bind(address)
            listener.listen(512)
        except OSError:
            listener.close()
            raise
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ConfigurationError(
                f"{name}: port {port} of {host} is in use by another program; "
                f"stop that program or set {name} to another number"
            ) from error
        raise ConfigurationError(f"HOST: cannot listen on {host}:{port}: {error}") from error
    listener.setblocking(False)
    return eventlet.greenio.GreenSocket(listener)


def wait_for(condition: Callable[[], bool], signal_: Signal, timeout: float) -> bool:
    """Wait until `condition()`, looking at each `set` of the signal; False after `timeout`."""
    deadline = Deadline(timeout)
    while not condition():
        if not signal_.wait(deadline.left()):
            return condition()
    return True


class Deadline:
    """One limit that spans several waits."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """The seconds that are left, never below 0."""
        return max(0.0, self._end - time.monotonic())


class Connection:
    """The connection of a request that is being answered."""

    def __init__(self, environ: dict[str, Any]) -> None:
        request_input = environ.get("eventlet.input")
        self._socket = request_input.get_socket() if request_input is not None else None

    def gone(self) -> bool:
        """Whether the client has closed it; does not wait."""
        if self._socket is None:
            return False
        descriptor = self._socket.fileno()
        if descriptor < 0:
            return True
        peek = socket.socket(fileno=os.dup(descriptor))
        try:
            return not peek.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True
        finally:
            peek.close()


# For flask_realtime/proxy.


def already_handled() -> None:
    """Tell the server that the greenlet's request was answered on its socket, not through WSGI.

    The server then writes nothing more to the connection and closes it.
    """
    eventlet.wsgi.WSGI_LOCAL.already_handled = True


# For flask_realtime/server/server.py: the classes that it builds upon.

GreenSocket = eventlet.greenio.GreenSocket
GreenSSLSocket = eventlet.green.ssl.GreenSSLSocket
HttpProtocol = eventlet.wsgi.HttpProtocol
WsgiServer = eventlet.wsgi.Server
Input = eventlet.wsgi.Input
ChunkReadError = eventlet.wsgi.ChunkReadError


def wait_writable(descriptor: int) -> None:
    """Wait until writing to `descriptor` would not block."""
    eventlet.hubs.trampoline(descriptor, write=True)


def accept(listener: Any) -> tuple[socket.socket, Any]:
    """Wait for a client; return its socket, which does not block, and its address."""
    while True:
        try:
            accepted, address = listener.fd.accept()
        except BlockingIOError:
            wait_readable(listener.fileno())
            continue
        accepted.setblocking(False)
        # A number that was used before: whoever still waits for that is told.
        eventlet.hubs.notify_opened(accepted.fileno())
        return accepted, address
