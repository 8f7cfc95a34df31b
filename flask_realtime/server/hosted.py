"""What a server does for the extensions of the application that it serves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from flask_realtime import host
from flask_realtime.watching.threaddriver import run_on_the_hub

PROXIED = "flask_realtime.is_proxied"  # in the extensions: whether an environ is for a ReverseProxy


class Startable(Protocol):
    """What has to run beside the application: Realtime."""

    def start(self) -> None: ...

    def drain(self, let_go: Callable[[], None]) -> None: ...

    def stop(self) -> None: ...


def realtime_of(app: Any) -> Any:
    """The application's Realtime, or None."""
    return getattr(app, "extensions", {}).get("realtime")


def active_jobs(app: Any) -> list[str]:
    """The jobs of its runs in progress, one name a run."""
    realtime = realtime_of(app)
    if realtime is None:
        return []
    return [run.job for run in realtime.engine.runs.own() if not run.final]


def put_on_the_hub(app: Any) -> None:
    """Let the application's Socket.IO, if it has one, run on the hub; eventlet's does by itself."""
    socketio = getattr(app, "extensions", {}).get("socketio")
    if host.IS_THREADED and socketio is not None and socketio.server is not None:
        run_on_the_hub(socketio.server.eio)


@contextmanager
def started(app: Any) -> Iterator[None]:
    """Its Realtime, if it has one, runs for the block's time. Raises ConfigurationError."""
    realtime: Startable | None = realtime_of(app)
    if realtime is None:
        yield
        return
    realtime.start()
    try:
        yield
    finally:
        realtime.stop()


def drain(app: Any, let_go: Callable[[], None]) -> None:
    """No connection is taken any more: let its Realtime, if it has one, come to an end slowly.

    `let_go` sends those who are connected to other servers.
    """
    realtime: Startable | None = realtime_of(app)
    if realtime is not None:
        realtime.drain(let_go)


def is_proxied(app: Any, environ: dict[str, Any]) -> bool:
    """Whether a ReverseProxy of the application answers the request."""
    proxied: Callable[[dict[str, Any]], bool] | None = getattr(app, "extensions", {}).get(PROXIED)
    return proxied is not None and proxied(environ)


def end_polling(app: Any) -> None:
    """Answer the Socket.IO clients that poll: their requests would wait for something to tell.

    They find the connection closed, and connect again, as those with a WebSocket do.
    """
    socketio = getattr(app, "extensions", {}).get("socketio")
    if socketio is None or socketio.server is None:
        return
    for client in list(socketio.server.eio.sockets.values()):
        if not client.upgraded:
            client.close(wait=False)
