"""What engineio runs on when the hub is plain threads: tasks of the hub, and simple-websocket.

Flask-SocketIO's ``async_mode="threading"`` brings threads, queues and locks that know nothing of
the hub: who waits for one of them would keep the hub from all others. So engineio is given the
same things as the hub has them, and its handlers run on the hub as all else does.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from queue import Empty
from typing import TYPE_CHECKING, Any

from simple_websocket import ConnectionClosed, Server
from wsproto.utilities import LocalProtocolError, RemoteProtocolError

from flask_realtime import host
from flask_realtime.host.connection import SOCKETIO_INPUT
from flask_realtime.store.slots import Slots

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

RECEIVE_BYTES = 4096


class _Thread:
    """threading.Thread, as a task of the hub."""

    name = "socketio"

    def __init__(self, target: Callable[..., object], args: Any = (), kwargs: Any = None) -> None:
        self._target = target
        self._args = args or ()
        self._kwargs = kwargs or {}
        self._task: host.Task | None = None

    def start(self) -> None:
        self._task = host.spawn(self._target, *self._args, **self._kwargs)

    def join(self, timeout: float | None = None) -> None:
        if self._task is not None:
            self._task.wait()


class _Queue:
    """queue.Queue, for tasks of the hub."""

    def __init__(self) -> None:
        self._items: deque[Any] = deque()
        self._unfinished = 0
        self._changed = host.Signal()

    def put(self, item: Any) -> None:
        self._items.append(item)
        self._unfinished += 1
        self._changed.set()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        if not self._items and block:
            deadline = host.Deadline(timeout) if timeout is not None else None
            while not self._items:
                if not self._changed.wait(deadline.left() if deadline else None):
                    break
        if not self._items:
            raise Empty
        return self._items.popleft()

    def task_done(self) -> None:
        self._unfinished -= 1
        if not self._unfinished:
            self._changed.set()

    def join(self) -> None:
        while self._unfinished:
            self._changed.wait()

    def empty(self) -> bool:
        return not self._items


class _Event:
    """threading.Event, for tasks of the hub."""

    def __init__(self) -> None:
        self._is_set = False
        self._changed = host.Signal()

    def is_set(self) -> bool:
        return self._is_set

    def set(self) -> None:
        self._is_set = True
        self._changed.set()

    def clear(self) -> None:
        self._is_set = False

    def wait(self, timeout: float | None = None) -> bool:
        if not self._is_set:
            self._changed.wait(timeout)
        return self._is_set


class _NoThread:
    """In the place of a thread that reads ahead."""

    name = "(_thread)"

    def __init__(self, target: Callable[[], None]) -> None:
        """Keep nothing: `_Socket.receive` reads."""

    def start(self) -> None:
        """Start nothing."""


class _Frames:
    """The socket that simple-websocket writes to: one frame behind the other."""

    def __init__(self, wire: Any) -> None:
        self._wire = wire
        self._one_writes = Slots(1)

    def send(self, frames: bytes) -> int:
        with self._one_writes:
            self._wire.sendall(frames)
        return len(frames)

    def recv(self, size: int) -> bytes:
        data: bytes = self._wire.recv(size)
        return data


class _Socket(Server):  # type: ignore[misc]  # simple-websocket has no types
    """simple-websocket's, read by who wants a message."""

    def receive(self, timeout: float | None = None) -> Any:
        """The next message. Raises ConnectionClosed, or OSError when it ends without a word."""
        while not self.input_buffer:
            if not self.connected:  # type: ignore[has-type]
                raise ConnectionClosed(self.close_reason, self.close_message)
            data = self.sock.recv(RECEIVE_BYTES)
            if not data:
                self.connected = False
                continue
            self.ws.receive_data(data)
            self.connected = self._handle_events()
        return self.input_buffer.pop(0)


class WebSocketApp:
    """A WSGI application that engineio makes for each WebSocket: what its `handler` is given."""

    def __init__(self, handler: Callable[[Any], object], server: Any) -> None:
        self._handler = handler
        self._max_bytes = int(server.max_http_buffer_size)
        self._socket: Any = None
        self._sock: Any = None  # engineio sets how long it may wait

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self._sock = environ[SOCKETIO_INPUT].get_socket()
        try:
            environ["werkzeug.socket"] = _Frames(self._sock)  # where simple-websocket looks
            self._socket = _Socket(
                environ,
                max_message_size=self._max_bytes,
                thread_class=_NoThread,
                event_class=_Event,
            )
        except (RemoteProtocolError, LocalProtocolError) as error:
            text = f"This is no WebSocket handshake: {error}.\n".encode()
            start_response(
                "400 Bad Request", [("Connection", "close"), ("Content-Type", "text/plain")]
            )
            return [text]
        self._handler(self)
        self.close()
        return []

    def close(self) -> None:
        with suppress(OSError, LocalProtocolError):  # it has gone already
            if self._socket.connected:
                self._socket.close()

    def send(self, message: str | bytes) -> None:
        """Send a message. Raises OSError when the connection has ended."""
        try:
            self._socket.send(message)
        except (ConnectionClosed, LocalProtocolError) as error:
            raise OSError("the WebSocket has ended") from error

    def wait(self) -> Any:
        """The next message; None at the end."""
        try:
            return self._socket.receive()
        except (ConnectionClosed, LocalProtocolError, RemoteProtocolError):
            return None


def run_on_the_hub(engine: Any) -> None:
    """Let `engine`, an engineio server of the mode "threading", use the hub's own."""
    engine._async = {
        **engine._async,
        "thread": _Thread,
        "queue": _Queue,
        "queue_empty": Empty,
        "event": _Event,
        "websocket": WebSocketApp,
        "sleep": host.sleep,
    }
